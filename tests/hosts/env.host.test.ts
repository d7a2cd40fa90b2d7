/** The env file of a host in service: kept byte for byte, or refused with line and remedy; never executed. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost } from './support/host.ts';
import {
  differences,
  envFile,
  expectAnswering,
  expectExit,
  secretsInProcess,
  snapshot,
} from './support/observe.ts';

const [mcp, id, client, token] = ['1', '2', '3', '4'].map((digit) =>
  digit.repeat(digit === '2' ? 32 : 64),
) as [string, string, string, string];
const whole = `MCP_TOKEN=${mcp}\nCLIENT_ID=${id}\nCLIENT_SECRET=${client}\nTOKEN_SECRET=${token}\n`;

/** Bytes as they are, whatever a shell would make of them. */
const bytes = (text: string): string =>
  `base64 -d >${envFile} <<'X'\n${Buffer.from(text, 'latin1').toString('base64')}\nX\n`;

interface Hostile {
  readonly what: string;
  readonly make: string;
  readonly code: string;
  readonly line?: number;
}

const hostile: readonly Hostile[] = [
  { what: 'a lone carriage return', make: bytes(`${whole}A=b\rC=d\n`), code: 'E_ENV_INVALID', line: 5 },
  {
    what: 'a line that ends in a backslash',
    make: bytes(`# note \\\n${whole}`),
    code: 'E_ENV_INVALID',
    line: 1,
  },
  { what: 'an unterminated quote', make: bytes(`${whole}A='b\n`), code: 'E_ENV_INVALID', line: 5 },
  { what: 'a NUL byte', make: bytes(`A=\0\n${whole}`), code: 'E_ENV_INVALID', line: 1 },
  { what: 'a byte order mark', make: bytes(`\xef\xbb\xbf${whole}`), code: 'E_ENV_INVALID', line: 1 },
  { what: 'text that is not UTF-8', make: bytes(`A=b\nB=\xff\n${whole}`), code: 'E_ENV_INVALID', line: 2 },
  {
    what: 'a secret twice with two values',
    make: bytes(`${whole}MCP_TOKEN=other\n`),
    code: 'E_ENV_INVALID',
    line: 5,
  },
  {
    what: 'a key that only dotenv reads',
    make: bytes(`${whole}export DOMAIN=a.example.org\n`),
    code: 'E_ENV_INVALID',
    line: 5,
  },
  {
    what: 'a value that dotenv cuts off',
    make: bytes(`${whole}BACKEND_URL=http://127.0.0.1:8000/mcp#x\n`),
    code: 'E_ENV_INVALID',
    line: 5,
  },
  { what: 'none of the four keys', make: bytes('OTHER=1\n'), code: 'E_ENV_FOREIGN' },
  {
    what: 'a symlink',
    make: `printf '${whole.replaceAll('\n', '\\n')}' >/root/real; chmod 600 /root/real; ln -s /root/real ${envFile}`,
    code: 'E_PATH_UNSAFE',
  },
  { what: 'a directory', make: `mkdir ${envFile}`, code: 'E_PATH_UNSAFE' },
  { what: 'a FIFO', make: `mkfifo ${envFile}`, code: 'E_PATH_UNSAFE' },
  { what: 'a device', make: `mknod ${envFile} c 1 3`, code: 'E_PATH_UNSAFE' },
  { what: 'a file of somebody else', make: `${bytes(whole)}chown nobody ${envFile}`, code: 'E_PATH_UNSAFE' },
  {
    what: 'a file that others may write',
    make: `${bytes(whole)}chmod 620 ${envFile}`,
    code: 'E_PATH_UNSAFE',
  },
];

describe.each(suites)('%s', (suite) => {
  test('every hostile .env is refused with line and remedy, and nothing is touched or executed (security 5, 16)', async () => {
    await using host = await createHost({ suite, name: 'hostile-env' });
    await host.must('mkdir -m 700 /etc/mcp-oauth-proxy');
    for (const { what, make, code, line } of hostile) {
      await host.must(`rm -rf ${envFile} /root/real\n${make}`);
      const before = snapshot(host);
      const { output, exitCode } = await host.run(['timeout', '20', ...host.installerCommand([])]);
      const told = output.split('\n').find((text) => text.startsWith('[ERROR]')) ?? output;
      expect({ what, exitCode, told }).toEqual({
        what,
        exitCode: 10,
        told: expect.stringContaining(`[ERROR] ${code}: `) as string,
      });
      if (line !== undefined)
        expect({ what, told }).toEqual({ what, told: expect.stringContaining(`line ${line}: `) as string });
      expect({ what, changed: differences(before, snapshot(host)) }).toEqual({ what, changed: [] });
    }
  });

  test('what a shell would execute is data (security 15)', async () => {
    await using host = await createHost({ suite, name: 'shell-env' });
    const text = `${whole}A=$(touch /pwned)\nB=\`touch /pwned\`\nC=x;touch /pwned\n`;
    await host.must(`mkdir -m 700 /etc/mcp-oauth-proxy\n${bytes(text)}chmod 600 ${envFile}`);
    expectExit(await host.installer([]), 0);
    expect(host.exists('/pwned')).toBe(false);
    expect(host.read(envFile)).toBe(text);
  });

  test('comments, own keys and odd order stay byte for byte, one missing secret is added alone, and said', async () => {
    await using host = await createHost({ suite, name: 'odd-env' });
    const text = `# my notes: do not touch\r\n; another\r\n\r\nTOKEN_SECRET = ${token}\r\nMY_KEY='two words'\r\nCLIENT_ID="${id}"\r\nMCP_TOKEN=${mcp}\r\nLISTEN_PORT=9123`;
    await host.must(`mkdir -m 700 /etc/mcp-oauth-proxy\n${bytes(text)}chmod 644 ${envFile}`);
    const { output } = expectExit(await host.installer([]), 0);
    const after = host.read(envFile);
    expect(after.startsWith(text)).toBe(true);
    expect(after.slice(text.length)).toMatch(/^\r\nCLIENT_SECRET=[0-9a-f]{64}\r\n$/u);
    expect(output).toContain('CLIENT_SECRET was missing');
    expect(await host.must(`stat -c '%a %U' ${envFile}`)).toBe('600 root');
    const running = await secretsInProcess(host);
    expect(running).toMatchObject({ MCP_TOKEN: mcp, CLIENT_ID: id, TOKEN_SECRET: token });
    expect(after).toContain(running.CLIENT_SECRET);
    expect(await host.must("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9123/healthz")).toBe(
      '200',
    );
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
      '[OK] Nothing to do',
    );
  });

  test('a lost .env is not a fresh host: exit 10, and --force-rotate-tokens starts anew', async () => {
    await using host = await createHost({ suite, name: 'lost-env' });
    expectExit(await host.installer([]), 0);
    await host.must(`rm ${envFile}`);
    const before = snapshot(host, { without: ['./var/lib/mcp-installer'] });
    const { output } = expectExit(await host.installer([]), 10);
    expect(output).toContain('E_ENV_LOST');
    expect(differences(before, snapshot(host, { without: ['./var/lib/mcp-installer'] }))).toEqual([]);
    expectExit(await host.installer(['--force-rotate-tokens']), 0);
    await expectAnswering(host);
  });
});
