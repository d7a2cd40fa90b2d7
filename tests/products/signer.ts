/** The product of examples/other-product without its proof of rotations, for tests that need another product. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ServiceDefinition } from '../../src/products/service/definition.ts';
import { repositoryRoot } from '../hosts/support/base.ts';

const beside = (name: string): string =>
  readFileSync(path.join(repositoryRoot, 'examples/other-product/service', name), 'utf8');

export const signerDefinition: ServiceDefinition = {
  name: 'signer',
  description: 'signs what it is sent with a key that only this host has',
  unit: beside('signer.service'),
  port: 'PORT',
  health: ['/healthz'],
  secrets: [
    {
      name: 'API_KEY',
      purpose: 'what a caller shows',
      afterRotation: 'Every caller has to be given the new value.',
      format: 'base64url',
    },
    {
      name: 'SIGNING_KEY',
      purpose: 'the key of the signatures',
      afterRotation: 'Older signatures do not fit it.',
    },
  ],
  settings: [
    { key: 'PORT', type: 'port', description: 'loopback port', default: 8095 },
    { key: 'ISSUER', type: 'text', description: 'who signs', default: 'signer' },
    { key: 'MAX_BYTES', type: 'integer', description: 'the most bytes', default: 65536, minimum: 1 },
  ],
  files: [
    { path: '/usr/local/lib/signer/signer.py', content: beside('signer.py') },
    { path: '/usr/local/lib/signer/config.json', content: beside('config.json.template'), template: 'json' },
  ],
  packages: ['python3'],
  url: 'http://127.0.0.1:{{PORT}}/sign',
};

export const signerFiles = {
  env: '/etc/signer/.env',
  code: '/usr/local/lib/signer/signer.py',
  config: '/usr/local/lib/signer/config.json',
  unit: '/etc/systemd/system/signer.service',
} as const;
