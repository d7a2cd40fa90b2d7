/** Token requests of the client whose form is none, or asks for what there is not. */
import type { Row } from '../support/abuse.ts';
import { ask, form, isForm, isJson } from '../support/ask.ts';

const unknown = { grant_type: 'refresh_token', refresh_token: 'canary' };
const known = form(unknown);

const sent = (name: string, headers: readonly string[], body: string): Row => [
  name,
  (it) => ask('POST /token', [...headers, it.basic()], body),
  400,
  'invalid_request',
  'malformed',
];
const incomplete = (name: string, headers: readonly string[], body: string | undefined): Row => [
  name,
  (it) => ask('POST /token', [...headers, it.basic()], body),
  400,
  'invalid_request',
  'invalid_request',
];
const grantOf = (kind: string): Row => [
  `the grant ${kind}`,
  (it) => it.token({ grant_type: kind, username: 'canary', password: 'canary', scope: 'mcp' }),
  400,
  'unsupported_grant_type',
  'unsupported_grant_type',
];

const urn = 'urn:ietf:params:oauth:grant-type:';
const parts = '--x\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nrefresh_token\r\n--x--\r\n';
/** CVE-2024-24762: seconds of work for each request in the python-multipart that Debian 12 ships. */
const hanging = `; !="${'\\'.repeat(6_000)}`;
const many = Array.from({ length: 1_500 }, (_, at) => `&x${at}=1`).join('');
const utf16 = Buffer.from(known, 'utf16le').toString('latin1');

export const forms: readonly Row[] = [
  ...['client_credentials', 'password', 'implicit', 'canary'].map(grantOf),
  ...['device_code', 'jwt-bearer', 'token-exchange'].map((kind) => grantOf(urn + kind)),
  incomplete('no grant', [isForm], 'refresh_token=canary'),
  incomplete('an empty grant', [isForm], 'grant_type='),
  incomplete('no body', [isForm], undefined),
  incomplete('UTF-16', [`${isForm}; charset=utf-16`], utf16),
  sent('JSON', [isJson], JSON.stringify(unknown)),
  sent('a form that says nothing of itself', [], known),
  sent('a form that says it is text', ['Content-Type: text/plain'], known),
  sent('a form that says so twice', [isJson, isForm], known),
  sent('a form of parts', ['Content-Type: multipart/form-data; boundary=x'], parts),
  sent('a form of parts with a type that hangs', [`Content-Type: multipart/form-data${hanging}`], parts),
  sent('more than 16 KiB', [isForm], `${known}&x=${'canary'.repeat(3_000)}`),
  sent(
    'more than 16 KiB in chunks',
    [isForm, 'Transfer-Encoding: chunked'],
    `5000\r\n${'x'.repeat(0x5000)}\r\n0\r\n\r\n`,
  ),
  sent('thousands of parameters', [isForm], `${known}&${'x=1&'.repeat(3_000)}`),
  sent('thousands of different parameters', [isForm], `${known}${many}`),
  sent('a parameter twice', [isForm], `${known}&refresh_token=canary`),
  sent('an unknown parameter twice', [isForm], `${known}&x=1&x=2`),
  sent('a parameter twice, once encoded', [isForm], `${known}&grant%5Ftype=refresh_token`),
  sent('bytes that are no UTF-8', [isForm], `${known}&x=%ff%fe`),
  sent('bytes that are no ASCII', [isForm], `${known}&x=\xff\xfe`),
  [
    'a form with a type that hangs',
    (it) => ask('POST /token', [isForm + hanging, it.basic()], known),
    400,
    'invalid_grant',
    'unknown_refresh_token',
  ],
  [
    'a form in the query',
    (it) => ask(`POST /token?${known}`, [isForm, it.basic()], ''),
    400,
    'invalid_request',
    'invalid_request',
  ],
];
