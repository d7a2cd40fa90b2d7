/** A product so small that all of what is planned for it can be told in a test: two secrets and one that is optional, three settings. */
import type { Desired, Product, SecretSpec, SettingSpec } from '../../src/products/product.ts';

const secret = (name: string): SecretSpec => ({
  name,
  bytes: 16,
  purpose: '',
  afterRotation: `Tell those who have ${name}.`,
});

const setting = (key: string, more: Partial<SettingSpec> = {}): SettingSpec => ({
  key,
  option: key.toLowerCase(),
  kind: 'text',
  description: '',
  placeholder: key,
  // Upper case is canonical, and a blank is in no value.
  validate: (value) =>
    value.includes(' ') ? { ok: false, why: 'no blanks' } : { ok: true, value: value.toUpperCase() },
  ...more,
});

export const smallFiles = {
  env: '/etc/small/.env',
  code: '/usr/lib/small/small.py',
  unit: '/etc/systemd/system/small.service',
  socket: '/etc/systemd/system/small.socket',
  site: '/etc/nginx/sites-available/small.conf',
  siteLink: '/etc/nginx/sites-enabled/small.conf',
} as const;

export const nothingDesired: Desired = {
  directories: [],
  files: [],
  links: [],
  settings: {},
  packages: [],
  web: null,
  notes: [],
};

/** @param parts what the test is about */
export const smallProduct = (parts: Partial<Product> = {}): Product => ({
  name: 'small',
  description: '',
  directory: '/etc/small',
  envFile: smallFiles.env,
  codeFile: smallFiles.code,
  service: 'small.service',
  socket: 'small.socket',
  state: [],
  webUnit: 'nginx.service',
  traces: [],
  secrets: [
    secret('TOKEN'),
    secret('KEY'),
    {
      name: 'PASSWORD',
      optional: true,
      purpose: '',
      afterRotation: '',
      fileOption: 'password-file',
      validate: (value) => ({ ok: true, value }),
    },
  ],
  settings: [setting('PORT', { default: '8000' }), setting('NAME'), setting('QUIET', { kind: 'flag' })],
  bundledCode: Buffer.from('# bundled\n'),
  healthPaths: [],
  listenPort: ({ PORT }) => (PORT === undefined ? null : Number(PORT)),
  endpoint: () => null,
  backend: () => null,
  words: { endpoint: '', backend: '' },
  askFor: [],
  desired: ({ settings }) => ({ ok: true, desired: { ...nothingDesired, settings } }),
  webOnDisk: () => null,
  proveRotation: () => Promise.resolve({ failed: null, notes: [] }),
  settingsChanged: () => [],
  nextSteps: () => [],
  ...parts,
});
