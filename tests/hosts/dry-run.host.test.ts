/** A dry run changes nothing at all, and the real run after it makes exactly what it printed. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';
import { differences, expectExit, snapshot } from './support/observe.ts';

const planOf = (output: string): string => /Plan ([0-9a-f]{8}: \d+ changes?)/u.exec(output)?.[1] ?? 'none';

/** The changes as a dry run words them, from either kind of run. */
const changesOf = (output: string): readonly string[] =>
  output.split('\n').flatMap((line) => {
    const would = /^\[DRY-RUN\] Would (\w+) (.*)$/u.exec(line);
    const did =
      /^\[\+\] (Created|Copied|Wrote|Linked|Set|Installed|Removed|Reloaded|Restarted|Started) (.*)$/u.exec(
        line,
      );
    const rest = would?.[2] ?? did?.[2];
    return rest === undefined ? [] : [rest.replace(/\b(start|restart|reload)(ed)?\b/gu, '$1')];
  });

/** Everything mounted read-only, in a mount namespace of the command's own. */
const readOnly = (command: string): string =>
  `unshare --mount sh -c 'for m in $(cut -d" " -f2 /proc/mounts | grep -vE "^/(proc|sys|dev)"); do mount -o remount,bind,ro "$m" || exit 99; done; ! touch /etc/x 2>/dev/null && ! touch /run/x 2>/dev/null && ${command}'`;

async function dryRunThenReal(host: Host, args: readonly string[]): Promise<void> {
  const command = host.installerCommand([...args, '--dry-run', '--detailed-exitcode']).join(' ');
  const before = snapshot(host, { hashAll: true });
  const runtime = await host.must('find /run /tmp -xdev | sort');

  const predicted = expectExit(await host.sh(command), 2);
  const onReadOnly = expectExit(await host.sh(readOnly(command)), 2);
  expect(onReadOnly.output).toBe(predicted.output);

  expect(differences(before, snapshot(host, { hashAll: true }))).toEqual([]);
  expect(await host.must('find /run /tmp -xdev | sort')).toBe(runtime);

  const real = expectExit(await host.installer([...args, '--detailed-exitcode']), 2);
  expect(planOf(real.output)).toBe(planOf(predicted.output));
  expect(changesOf(real.output)).toEqual(changesOf(predicted.output));
  expect(changesOf(real.output).length).toBeGreaterThan(0);
}

describe.each(suites)('%s', (suite) => {
  test('on a fresh host and on an existing one a dry run leaves the file system as it was and tells what follows (security 30)', async () => {
    await using host = await createHost({ suite, name: 'dry-run' });
    await dryRunThenReal(host, []);
    await dryRunThenReal(host, ['--port', '9100', '--backend-url', 'http://127.0.0.1:8100/mcp']);
    await dryRunThenReal(host, ['--force-rotate-tokens', 'CLIENT_SECRET']);
    const nothing = expectExit(await host.installer(['--dry-run', '--detailed-exitcode']), 0);
    expect(nothing.output).toMatch(
      /^\[DRY-RUN\] Existing \.env detected — tokens would be PRESERVED\n\[\+\] The service answers\n\[DRY-RUN\] Plan [0-9a-f]{8}: 0 changes\n$/u,
    );
  });

  test('somebody who may not read the secrets is told so, and nothing is taken for fresh (security 30)', async () => {
    await using host = await createHost({ suite, name: 'dry-run-user' });
    expectExit(await host.installer([]), 0);
    const { output, exitCode } = await host.run([
      'setpriv',
      '--reuid=nobody',
      '--regid=nogroup',
      '--clear-groups',
      ...host.installerCommand(['--dry-run']),
    ]);
    expect(exitCode).toBe(10);
    expect(output).toContain(
      'E_NOT_ROOT: This must run as root, because nobody else may look at /etc/mcp-oauth-proxy.',
    );
    expect(output).toContain('Run: sudo ');
  });
});
