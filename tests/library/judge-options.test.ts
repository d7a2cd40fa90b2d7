/** What a program without types hands over: judged before anything is changed, and told by name. */
import { describe, expect, test } from 'vitest';
import { toPublicError } from '../../src/errors.ts';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import { install, type InstallOptions } from '../../src/install.ts';
import { status, type StatusOptions } from '../../src/status/index.ts';

async function refusal(options: unknown): Promise<readonly [string, string]> {
  const host = createMemoryHost();
  const before = [...host.nodes];
  const given = typeof options === 'object' && options !== null ? { host, ...options } : options;
  const error: unknown = await install(given as InstallOptions).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect([...host.nodes]).toEqual(before);
  const { code, message } = toPublicError(error);
  return [code, message];
}

const product =
  'product has to be a Product: mcpOauthProxy, what defineService returns, or what readProductFile resolves to (await it).';
const rotate = "request.rotate has to be 'none', 'all' or a list of names of secrets.";
const settings = 'request.settings has to be an object of strings, numbers written as strings too.';
const supplied = 'supplied has to be a Map of strings by the names of secrets.';

describe('install refuses', () => {
  test.each<readonly [string, unknown, string]>([
    ['no object', 'greeter', 'What install is given has to be an object.'],
    [
      'an unknown option',
      { dryrun: true },
      'What install is given names "dryrun"; valid: product, root, host, request, supplied, source, dryRun, diffs, asker, command, sudoCommand, onEvent, onRecord, onBug, interrupt.',
    ],
    [
      'an unknown name in the request',
      { request: { rotat: 'all' } },
      'request names "rotat"; valid: product, rotate, settings, unset, supplied, source, edits, ask, packages, start, image, rollback, checks, downgrade, undo.',
    ],
    ['dryRun as a string', { dryRun: 'true' }, 'dryRun has to be true or false.'],
    ['a number as a setting', { request: { settings: { LISTEN_PORT: 8083 } } }, settings],
    ['a name instead of names', { request: { rotate: 'CLIENT_ID' } }, rotate],
    [
      'another word',
      { request: { edits: 'ask' } },
      "request.edits has to be one of 'refuse', 'keep', 'replace'.",
    ],
    ['a promise of a product', { product: Promise.resolve({}) }, product],
    ['the name of a product file', { product: 'greeter.yaml' }, product],
    ['a description', { product: { name: 'greeter', secrets: [], settings: [] } }, product],
    ['secrets in an object', { supplied: { MCP_TOKEN: 'a-value-of-it' } }, supplied],
  ])('%s', async (_, options, message) => {
    expect(await refusal(options)).toEqual(['E_USAGE', message]);
  });
});

test('install takes what is undefined for what is not given', async () => {
  const request = { rotate: undefined, settings: { DOMAIN: undefined } };
  const options = { host: createMemoryHost(), dryRun: undefined, product: undefined, request };
  const { output } = await install(options as unknown as InstallOptions);
  expect(output.outcome).toBe('installed');
});

test('status refuses an unknown option, and what is no product', async () => {
  const refused = (options: object) =>
    status(options as StatusOptions).then(
      () => null,
      (error: unknown) => toPublicError(error).message,
    );
  expect(await refused({ rot: '/srv' })).toBe(
    'What status is given names "rot"; valid: product, root, host.',
  );
  expect(await refused({ product: 'greeter' })).toBe(product);
});
