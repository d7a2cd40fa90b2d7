/** A plan is a function of the host and of what is asked for: made twice it is the same, and made again after the run it is empty. */
import { posix } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryHost, type MemoryHost } from '../../src/effects/host/memory.ts';
import { install, type InstallOptions } from '../../src/install.ts';
import { cases } from '../support/cases.ts';
import { files } from '../support/place.ts';

const managed = Object.values(files).filter((file) => file !== files.journal);
const secrets = ['MCP_TOKEN', 'CLIENT_ID', 'CLIENT_SECRET', 'TOKEN_SECRET'];

/** What somebody, or a run that was killed, did to an installation. */
const harm = fc.oneof(
  fc.record({ what: fc.constantFrom('remove', 'edit', 'mode'), path: fc.constantFrom(...managed) }),
  fc.record({ what: fc.constant('empty'), path: fc.constantFrom(...secrets) }),
  fc.record({ what: fc.constant('leave'), path: fc.constantFrom(...managed) }),
);
type Harm = typeof harm extends fc.Arbitrary<infer T> ? T : never;

const text = (host: MemoryHost, path: string): string => Buffer.from(host.readFile(path) ?? '').toString();

async function write(host: MemoryHost, path: string, content: string, mode: number): Promise<void> {
  await host.remove(path);
  await host.writeFile(path, Buffer.from(content), { mode, expected: null });
}

async function harmed(host: MemoryHost, { what, path }: Harm): Promise<void> {
  if (what === 'empty') {
    if (host.lstat(files.env) === null) return;
    await write(
      host,
      files.env,
      text(host, files.env).replace(new RegExp(`^${path}=.*$`, 'mu'), `${path}=`),
      0o600,
    );
  } else if (what === 'leave') {
    const [leftover, directory] = [
      `${posix.dirname(path)}/.${posix.basename(path)}.0123456789abcdef.mcp-installer-tmp`,
      posix.dirname(path),
    ];
    if (host.lstat(directory) !== null && host.lstat(leftover) === null) {
      await host.writeFile(leftover, Buffer.from('half'), { mode: 0o600, expected: null });
    }
  } else if (host.lstat(path) === null) {
    return;
  } else if (what === 'remove') {
    await host.remove(path);
  } else if (host.lstat(path)?.type === 'file') {
    if (what === 'mode') await host.setMode(path, 0o640);
    else await write(host, path, `${text(host, path)}# edited\n`, path === files.env ? 0o600 : 0o644);
  }
}

const asked: fc.Arbitrary<InstallOptions> = fc.record({
  request: fc.record(
    {
      settings: fc.constantFrom<Readonly<Record<string, string>>>(
        {},
        { LISTEN_PORT: '9000' },
        { DOMAIN: 'mcp.example.org', INSECURE_HTTP: '1' },
        { BACKEND_URL: 'https://backend.example.org/mcp?a=1' },
        { PUBLIC_URL: 'https://mcp.example.org', NO_NGINX: '1' },
      ),
      edits: fc.constantFrom('keep' as const, 'replace' as const),
    },
    { requiredKeys: ['edits'] },
  ),
});

async function planOf(host: MemoryHost, options: InstallOptions) {
  const { output } = await install({ ...options, host, dryRun: true });
  return { plan: output.plan, outcome: output.outcome, error: output.error, notes: output.notes };
}

test('of any host', async () => {
  let planned = 0;
  await fc.assert(
    fc.asyncProperty(asked, fc.array(harm, { maxLength: 4 }), asked, async (first, harms, then) => {
      const host = createMemoryHost();
      await install({ ...first, host });
      for (const each of harms) await harmed(host, each);
      const before = new Map(host.nodes);
      const [one, two] = [await planOf(host, then), await planOf(host, then)];
      expect(two).toEqual(one);
      expect(new Map(host.nodes)).toEqual(before);
      const { output } = await install({ ...then, host });
      if (output.plan === null || one.plan === null) {
        expect([output.error?.code, new Map(host.nodes)]).toEqual([one.error?.code, before]);
        return;
      }
      planned += 1;
      expect([output.exitCode, output.plan.hash]).toEqual([0, one.plan.hash]);
      expect((await planOf(host, then)).plan?.operations).toEqual([]);
    }),
    // Each is five runs of the machine.
    { numRuns: Math.ceil(cases.numRuns / (cases.numRuns < 10_000 ? 10 : 1)) },
  );
  expect(planned).toBeGreaterThan(cases.numRuns / 20);
});
