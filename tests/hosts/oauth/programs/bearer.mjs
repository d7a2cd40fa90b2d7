/**
 * Stands between the service and a client that cannot send an access token: `bearer.mjs PORT TOKEN URL` listens on
 * 127.0.0.1:PORT and passes everything on to the origin of URL, with the token, in both directions as it comes.
 *
 * A request for this address is made one for that origin; a Host that a client made up stays as it is.
 */
import { createServer } from 'node:http';
import { request as send } from 'node:https';
import { pipeline } from 'node:stream';

const [port, token, url] = process.argv.slice(2);
const { host, hostname } = new URL(url);
const own = [`127.0.0.1:${port}`, `localhost:${port}`];

createServer((incoming, answer) => {
  const { headers, method, url: path } = incoming;
  const outgoing = send({
    host: hostname,
    servername: hostname,
    method,
    path,
    headers: {
      ...headers,
      host: own.includes(headers.host) ? host : headers.host,
      authorization: `Bearer ${token}`,
    },
  });
  pipeline(incoming, outgoing, () => undefined);
  outgoing.on('response', (response) => {
    answer.writeHead(response.statusCode, response.rawHeaders);
    answer.flushHeaders();
    pipeline(response, answer, () => undefined);
  });
  outgoing.on('error', () => answer.destroy());
  // Who leaves is not waited for.
  answer.on('close', () => outgoing.destroy());
}).listen(Number(port), '127.0.0.1');
