/** No secret in what is printed, journaled, logged, or handed to a child as argument or environment: traced. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';
import { envFile, secretNames, secretsInFile, type Secrets } from './support/observe.ts';

/** As it is, in base64 (any alignment), in hex and escaped for a URL. */
function encodings(value: string): string[] {
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.from(`${'x'.repeat(shift)}${value}`)
      .toString('base64')
      .slice(4, -4),
  );
  return [value, ...base64, Buffer.from(value).toString('hex'), encodeURIComponent(value)];
}

/** Runs the installer under strace; returns what it printed and every program that it started, with its environment. */
function traced(host: Host, args: readonly string[], exitCode: number): { printed: string; trace: string } {
  const directory = mkdtempSync(path.join(tmpdir(), 'mcp-installer-trace-'));
  const file = path.join(directory, 'trace');
  try {
    const command = host.command(host.installerCommand(args));
    const options = ['-f', '-v', '-s', '65536', '-e', 'trace=execve', '-o', file];
    const { status, stdout, stderr } = spawnSync('strace', [...options, ...command], { encoding: 'utf8' });
    expect({ args, status, stdout }).toMatchObject({ status: exitCode });
    return { printed: stdout + stderr, trace: readFileSync(file, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe.each(suites)('%s', (suite) => {
  test('through a fresh install, a rerun, a dry run, a rotation, a failure and a refusal (security 9, 10, 11)', async () => {
    await using host = await createHost({ suite, name: 'secrets' });
    await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
    const known: Secrets[] = [];
    const printed: string[] = [];
    const traces: string[] = [];
    const run = (args: readonly string[], exitCode: number): void => {
      const result = traced(host, args, exitCode);
      printed.push(result.printed);
      traces.push(result.trace);
      known.push(secretsInFile(host));
    };
    run(['--verbose'], 0);
    run(['--json', '--verbose'], 0);
    run(['--dry-run', '--port', '9000', '--verbose'], 0);
    run(['--force-rotate-tokens', '--json', '--verbose'], 0);
    run(['--source', '/root/broken.py', '--json'], 12);
    run(['status', '--json'], 0);
    await host.must(`printf 'A=b\\\\\\n' >>${envFile}`);
    run(['--verbose'], 10);
    run(['show', 'last', '--json'], 0);

    // The tracer saw what it was meant to see.
    expect(traces.join('').match(/execve\("\/usr\/bin\/systemctl"/gu)?.length).toBeGreaterThan(10);
    const journal = await host.must('find /var/lib/mcp-installer -type f -exec cat {} +');
    const log = await host.must('journalctl --no-pager -o cat');
    const values = new Set(known.flatMap((secrets) => secretNames.map((name) => secrets[name])));
    expect(values.size).toBe(8);
    for (const [where, text] of Object.entries({
      printed: printed.join(''),
      traces: traces.join(''),
      journal,
      log,
    })) {
      const found = [...values].flatMap(encodings).filter((encoded) => text.includes(encoded));
      expect({ where, found }).toEqual({ where, found: [] });
    }
  });
});
