/** The service as a product: what product.yaml says as well, and a proof of rotations, which only a program can add. */
import { readFileSync } from 'node:fs';
import { defineService } from 'mcp-installer';

const beside = (name: string): string => readFileSync(new URL(`../service/${name}`, import.meta.url), 'utf8');

const code = '/usr/local/lib/signer';

export const signer = defineService(
  {
    name: 'signer',
    description: 'signs what it is sent with a key that only this host has',
    unit: beside('signer.service'),
    port: 'PORT',
    health: ['/healthz'],
    secrets: [
      {
        name: 'API_KEY',
        purpose: 'what a caller shows to have something signed',
        afterRotation: 'Every caller has to be given the new value.',
        format: 'base64url',
      },
      {
        name: 'SIGNING_KEY',
        purpose: 'the key of the signatures',
        afterRotation:
          'Whoever checks signatures has to be given the new value; older signatures do not fit it.',
      },
    ],
    settings: [
      { key: 'PORT', type: 'port', description: 'loopback port of the service', default: 8095 },
      { key: 'ISSUER', type: 'text', description: 'who signs, as the answers say', default: 'signer' },
      {
        key: 'MAX_BYTES',
        type: 'integer',
        description: 'the most bytes that are signed at once',
        default: 65536,
        minimum: 1,
        maximum: 1048576,
      },
    ],
    files: [
      { path: `${code}/signer.py`, content: beside('signer.py') },
      { path: `${code}/config.json`, content: beside('config.json.template'), template: 'json' },
    ],
    packages: ['python3'],
    url: 'http://127.0.0.1:{{PORT}}/sign',
    next: ['To have something signed: POST http://127.0.0.1:{{PORT}}/sign with API_KEY as the bearer.'],
  },
  {
    async proveRotation({ names, before, after }, probe) {
      if (!names.includes('API_KEY')) return { failed: null, notes: [] };
      const status = async (key = ''): Promise<number | null> => {
        const headers = { authorization: `Bearer ${key}` };
        return (await probe.request({ path: '/sign', method: 'POST', headers, body: '' })).status;
      };
      const [fresh, old] = [await status(after['API_KEY']), await status(before['API_KEY'])];
      if (fresh !== 200) return { failed: 'the service refuses the new API_KEY', notes: [] };
      if (old === 200) return { failed: 'the service still takes the old API_KEY', notes: [] };
      return { failed: null, notes: [] };
    },
  },
);
