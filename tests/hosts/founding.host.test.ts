/** The test that the project was founded on: install, install again, rotate, compare by grep and cut. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost } from './support/host.ts';
import { expectAnswering, expectExit } from './support/observe.ts';

describe.each(suites)('%s', (suite) => {
  test('MCP_TOKEN survives a second installation and is new after --force-rotate-tokens', async () => {
    await using host = await createHost({ suite, name: 'founding' });
    const token = 'grep MCP_TOKEN /etc/mcp-oauth-proxy/.env | cut -d= -f2';
    const cwd = '/opt/mcp-installer';

    expectExit(await host.sh('sudo ./install.sh', { cwd }), 0);
    const first = await host.must(token);
    const again = expectExit(await host.sh('sudo ./install.sh', { cwd }), 0);
    const second = await host.must(token);
    const rotated = expectExit(await host.sh('sudo ./install.sh --force-rotate-tokens', { cwd }), 0);
    const third = await host.must(token);

    expect(first).toMatch(/^[0-9a-f]{64}$/u);
    expect(second).toBe(first);
    expect(third).toMatch(/^[0-9a-f]{64}$/u);
    expect(third).not.toBe(first);
    expect(again.output).toContain('[!] Existing installation detected at /etc/mcp-oauth-proxy/.env\n');
    expect(again.output).toContain(
      '[!] Tokens will be PRESERVED (use --force-rotate-tokens to regenerate)\n',
    );
    expect(rotated.output).toContain('[!] --force-rotate-tokens : regenerating all secrets\n');
    await expectAnswering(host);
  });

  test('the bootstrap keeps the exit code and names the sudo line for those who are not root', async () => {
    await using host = await createHost({ suite, name: 'bootstrap' });
    const { output, exitCode } = await host.sh(
      'setpriv --reuid=nobody --regid=nogroup --clear-groups /opt/mcp-installer/install.sh --port 9000',
      {
        cwd: '/',
      },
    );
    expect(exitCode).toBe(10);
    expect(output).toContain('E_NOT_ROOT');
    expect(output).toContain('Run: sudo /opt/mcp-installer/install.sh --port 9000\n');
    const wrong = await host.sh('sudo /opt/mcp-installer/install.sh --prot 9000', { cwd: '/' });
    expect(wrong.exitCode).toBe(64);
    expect(wrong.output).toContain('Did you mean --port?');
  });

  test('DRY_RUN is honoured though sudo drops it', async () => {
    await using host = await createHost({ suite, name: 'dry-run-env' });
    const { output } = expectExit(await host.sh('DRY_RUN=1 sudo /opt/mcp-installer/install.sh'), 0);
    expect(output).toContain('[DRY-RUN] Plan ');
    expect(host.exists('/etc/mcp-oauth-proxy')).toBe(false);
    const refused = await host.sh('FORCE_ROTATE_TOKENS=1 sudo /opt/mcp-installer/install.sh');
    expect(refused.exitCode).toBe(64);
    expect(refused.output).toContain('--force-rotate-tokens');
  });
});
