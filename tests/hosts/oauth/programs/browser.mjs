/**
 * What a browser does with a consent page, as far as it decides whether a person gets through: it keeps cookies by the
 * rules for their names, sends the form's fields and the pressed button, and obeys the page's `form-action`, which
 * Chromium applies to where the answer redirects as well.
 */

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescape = (text) =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/giu, (all, decimal, hex, name) =>
    name === undefined
      ? String.fromCodePoint(decimal === undefined ? parseInt(hex, 16) : Number(decimal))
      : (entities[name] ?? all),
  );

function attributes(tag) {
  const found = {};
  for (const [, name, double, single, bare] of tag.matchAll(
    /\s([a-z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?/giu,
  ))
    found[name.toLowerCase()] = unescape(double ?? single ?? bare ?? '');
  return found;
}

/** The page's form: where it goes, what it sends by itself, its buttons, what a person fills in. */
function parseForm(html, page) {
  const [, head = '', body] = /<form([^>]*)>([^]*?)<\/form>/iu.exec(html) ?? [];
  if (body === undefined) throw new Error(`no form on the page: ${html}`);
  const { action = '', method = 'get' } = attributes(head);
  const fields = [...body.matchAll(/<(input|button)(\s[^>]*)>/giu)].map(([, element, rest]) => ({
    element: element.toLowerCase(),
    type: 'text',
    value: '',
    ...attributes(rest),
  }));
  return {
    action: new URL(action, page),
    method: method.toLowerCase(),
    hidden: fields.filter(({ type }) => type === 'hidden'),
    buttons: fields.filter(({ element, type }) => element === 'button' || type === 'submit'),
    passwords: fields.filter(({ type }) => type === 'password'),
  };
}

function allowed(source, url, page) {
  if (source === "'self'") return url.origin === page.origin;
  if (source === '*') return /^https?:$/u.test(url.protocol);
  if (/^[a-z][a-z0-9+.-]*:$/iu.test(source)) return url.protocol === source;
  try {
    return new URL(source).origin === url.origin;
  } catch {
    return false;
  }
}

function obeyFormAction(policy, url, page) {
  const directive = (policy ?? '')
    .split(/[;,]/u)
    .map((words) => words.trim().split(/\s+/u))
    .find(([name]) => name?.toLowerCase() === 'form-action');
  if (directive !== undefined && !directive.slice(1).some((source) => allowed(source, url, page)))
    throw new Error(`a browser would not go to ${url.origin}: ${directive.join(' ')}`);
}

/** Cookies that a browser would send back, of one answer. */
function cookies(response, page) {
  const kept = [];
  for (const line of response.headers.getSetCookie()) {
    const [pair = '', ...rest] = line.split(';').map((part) => part.trim());
    const words = rest.map((part) => part.toLowerCase());
    const secure = words.includes('secure');
    const hostOnly = !words.some((word) => word.startsWith('domain='));
    if (secure && page.protocol !== 'https:') continue;
    if (pair.startsWith('__Host-') && !(secure && hostOnly && words.includes('path=/'))) continue;
    kept.push(pair);
  }
  return kept.join('; ');
}

/**
 * Opens an authorization URL, fills in the password where there is a field for it, presses Allow or Deny, and returns
 * where the browser is sent then, without going there.
 */
export async function consent(address, { password = '', decision = 'allow', fetch = globalThis.fetch } = {}) {
  const page = new URL(address);
  const headers = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'accept-language': 'en' };
  const shown = await fetch(page, {
    headers: { ...headers, 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' },
    redirect: 'manual',
  });
  if (shown.status >= 300 && shown.status < 400) return new URL(shown.headers.get('location') ?? '', page);
  const html = await shown.text();
  if (shown.status !== 200) throw new Error(`the consent page: ${shown.status} ${html}`);
  const form = parseForm(html, page);
  if (form.method !== 'post') throw new Error(`the consent form is sent by ${form.method}`);
  const button = form.buttons.find(({ value }) => value === decision);
  if (button === undefined) throw new Error(`no button for ${decision}: ${html}`);
  const body = new URLSearchParams(form.hidden.map(({ name, value }) => [name, value]));
  for (const { name } of form.passwords) body.append(name, password);
  body.append(button.name, button.value);
  const policy = shown.headers.get('content-security-policy');
  obeyFormAction(policy, form.action, page);
  const sent = await fetch(form.action, {
    method: 'POST',
    headers: {
      ...headers,
      cookie: cookies(shown, page),
      origin: page.origin,
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': 'same-origin',
    },
    body: body.toString(),
    redirect: 'manual',
  });
  const location = sent.headers.get('location');
  if (sent.status < 300 || sent.status >= 400 || location === null)
    throw new Error(`the answer to the consent: ${sent.status} ${await sent.text()}`);
  const target = new URL(location, page);
  obeyFormAction(policy, target, page);
  return target;
}
