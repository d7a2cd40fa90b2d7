/** A temporary root as the system under test: files only, no services. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundle, run, temporaryRoot } from '../support/installer.ts';
import { treeOf } from '../support/tree.ts';
import { files, type System } from './life.ts';

export function rootSystem(): System {
  const root = temporaryRoot();
  const at = (file: string): string => path.join(root.path, file);
  const write = (file: string, text: string, mode = '0644'): Promise<void> => {
    mkdirSync(path.dirname(at(file)), { recursive: true, mode: 0o755 });
    writeFileSync(at(file), text, { mode: parseInt(mode, 8) });
    return Promise.resolve();
  };
  return {
    live: false,
    // The file of --source is one of the caller's, not one below the root.
    run: (args) =>
      run([...args.map((arg) => (arg === '/root/source.py' ? at(arg) : arg)), '--root', root.path]),
    status: async () => (await run(['status', '--root', root.path])).exitCode,
    read: (file) => (existsSync(at(file)) ? readFileSync(at(file), 'utf8') : null),
    write,
    remove: (file) => {
      rmSync(at(file));
      return Promise.resolve();
    },
    look: () => treeOf(root.path, ['/var/lib/mcp-installer']),
    modeOf: (file) => Promise.resolve((statSync(at(file)).mode & 0o7777).toString(8)),
    leftovers: () =>
      Promise.resolve(
        [...treeOf(root.path).keys()].filter((name) => name.endsWith('.mcp-installer-tmp')).join(),
      ),
    stopService: () => Promise.reject(new Error('nothing runs here')),
    killMidway: (args) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [bundle, ...args, '--json', '--root', root.path], {
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        let told = '';
        child.stdout.on('data', (chunk: Buffer) => {
          told += chunk.toString();
          if (told.includes('"type":"operation"')) child.kill('SIGKILL');
        });
        child.on('error', reject);
        child.on('close', () => resolve());
      }),
    legacyScript: async (env) => {
      await write(files.env, env, '0600');
      await write(files.code, '# the service of old\n');
      await write('/etc/systemd/system/mcp-oauth-proxy.service', '[Unit]\nDescription=old\n');
      await write(files.site, 'server { listen 443 ssl; # managed by Certbot\n}\n');
    },
    expectRunning: () => Promise.resolve(),
    dispose: () => {
      root[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}
