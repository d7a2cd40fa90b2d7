/** Put back means: bytes, modes and owners, of files that were not as the installer makes them too. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';
import { envFile, expectAnswering, expectExit } from './support/observe.ts';

const codeFile = '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py';
const unitFile = '/etc/systemd/system/mcp-oauth-proxy.service';

const stateOf = (host: Host): readonly (readonly unknown[])[] =>
  [envFile, codeFile, unitFile, path.dirname(envFile)].map((file) => {
    const { mode, uid, gid } = statSync(path.join(host.tree, file));
    return [file, (mode & 0o7777).toString(8), uid, gid, file.includes('.') ? host.read(file) : ''];
  });

describe.each(suites)('%s', (suite) => {
  test('after a failed run the .env has its wide mode again, and files their owners, modes and bytes', async () => {
    await using host = await createHost({ suite, name: 'put-back' });
    expectExit(await host.installer([]), 0);
    await host.must(`chmod 644 ${envFile}`);
    await host.must(`chmod 604 ${codeFile} && chown 1234:2345 ${codeFile}`);
    await host.must(`chown 0:3456 ${unitFile} && chmod 664 ${unitFile} && systemctl daemon-reload`);
    await host.must(`chmod 755 ${path.dirname(envFile)}`);
    await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
    const before = stateOf(host);
    const { output } = expectExit(await host.installer(['--source', '/root/broken.py']), 12);
    expect(output).toContain(`Set mode 0600 on ${envFile}`);
    expect(stateOf(host)).toEqual(before);
    // And the next run puts right what was wrong with them.
    expectExit(await host.installer([]), 0);
    await expectAnswering(host);
    expect(statSync(path.join(host.tree, envFile)).mode & 0o7777).toBe(0o600);
  });
});
