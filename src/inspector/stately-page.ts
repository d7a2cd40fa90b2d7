/** The page that frames Stately's: it takes events from the WebSocket and hands them on to that page's origin alone. */

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** @param stately address of the inspector's page */
export const statelyHtml = (stately: URL): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>mcp-installer in the Stately inspector</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="stately.css" />
    <script defer src="stately.js"></script>
  </head>
  <body>
    <p id="status" role="status">Waiting for ${escaped(stately.origin)}; it needs the internet. <a href="./">The viewer</a> does not.</p>
    <iframe
      id="stately"
      title="Stately inspector"
      src="${escaped(stately.href)}"
      data-origin="${escaped(stately.origin)}"
      referrerpolicy="no-referrer"
      sandbox="allow-scripts allow-same-origin allow-popups allow-forms allow-downloads"
    ></iframe>
  </body>
</html>
`;

export const statelyCss = `html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; font: 16px/1.5 system-ui, sans-serif; color-scheme: light dark; }
p { margin: 0; padding: 0.5rem 1rem; }
iframe { flex: 1; border: 0; }
`;

/** Stately's page says that it is there before it can be sent anything; until then events wait. */
export const statelyJs = `'use strict';
{
  const frame = document.getElementById('stately');
  const target = frame.dataset.origin;
  const events = [];
  let connected = false;
  const send = (event) => frame.contentWindow.postMessage(event, target);
  addEventListener('message', (message) => {
    if (message.source !== frame.contentWindow || message.origin !== target) return;
    if (message.data?.type !== '@statelyai.connected') return;
    connected = true;
    document.getElementById('status').hidden = true;
    events.forEach(send);
  });
  const socket = new WebSocket(new URL('stately/ws', location.href).href.replace(/^http/u, 'ws'));
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    events.push(event);
    if (connected) send(event);
  };
}
`;
