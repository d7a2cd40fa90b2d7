/** An executable of a later version, made as ours is, of a copy of the sources in which the service is another one. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../../hosts/support/base.ts';

const nextVersion = '0.2.0';

/** What the next version's service imports and does not bring along, as if it were of another Debian package. */
export const nextNeeds = '/usr/lib/python3/dist-packages/mcp_release_two.py';

/** What it answers where it is asked for its health. */
export const nextAnswer = 'ok 2';

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  writeFileSync(file, text.replace(from, to));
}

/** @param place is given the file, which is gone afterwards */
export async function withNextRelease(place: (file: string) => Promise<void>): Promise<void> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'mcp-installer-next-'));
  try {
    for (const name of ['package.json', 'package-lock.json', 'src', 'scripts', 'tools/pinned-node'])
      cpSync(path.join(repositoryRoot, name), path.join(scratch, name), { recursive: true });
    symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(scratch, 'node_modules'));
    edit(path.join(scratch, 'src/version.ts'), "'0.1.0'", `'${nextVersion}'`);
    const service = path.join(scratch, 'src/products/mcp-oauth-proxy/oauth_proxy.py');
    edit(service, 'import httpx\n', 'import httpx\nimport mcp_release_two\n');
    edit(service, 'PlainTextResponse("ok\\n")', `PlainTextResponse("${nextAnswer}\\n")`);
    execFileSync('node', ['scripts/build-standalone.mjs'], { cwd: scratch, stdio: 'pipe' });
    await place(path.join(scratch, `dist/mcp-installer-linux-${process.arch}`));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
