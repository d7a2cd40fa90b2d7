/**
 * Makes dist/mcp-installer_VERSION_amd64.deb and _arm64.deb: the executable with Node inside, its manual page, and completions
 * for bash, zsh and fish. Needs dpkg-deb, which every Debian has. `--if-stale`: only where one is older than its sources.
 *
 * The same sources make the same bytes: times are those of the release.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { gzipSync } from 'node:zlib';
import { copyrightText } from './copyright.mjs';
import { releaseFacts } from './release-facts.mjs';

process.chdir(new URL('..', import.meta.url).pathname);

const { version, day } = releaseFacts('.');
const released = new Date(`${day}T00:00:00Z`);

/** Debian's names of the architectures. */
const architectures = { x64: 'amd64', arm64: 'arm64' };

const maintainer = 'mcp-installer contributors <maintainers@mcp-installer.invalid>';

/** Kilobytes, as Installed-Size counts them. */
const sizeOf = (files) => files.reduce((sum, file) => sum + Math.ceil(statSync(file).size / 1024), 0);

const control = (architecture, size) => `Package: mcp-installer
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${size}
Depends: libc6 (>= 2.34), libgcc-s1 (>= 3.4), libstdc++6 (>= 10.2)
Recommends: nginx, python3-fastapi, python3-httpx, python3-jwt, python3-uvicorn, systemd
Section: admin
Priority: optional
Description: idempotent installer of mcp-oauth-proxy
 Installs mcp-oauth-proxy (a FastAPI service behind nginx, run by systemd) on a
 host that is already in service. Run it as often as you like: secrets stay, a
 rerun with nothing to do touches nothing, a run that fails puts everything
 back, and --dry-run tells beforehand what would change. Each run is a journal
 of events, which can be shown, replayed and undone.
 .
 Node.js is inside: none is needed on the host.
`;

const changelog = `mcp-installer (${version}) stable; urgency=medium

  * The changes are listed in /usr/share/doc/mcp-installer/NEWS.gz.

 -- ${maintainer}  ${released.toUTCString().replace('GMT', '+0000')}
`;

/** Path in the package → its bytes and mode. */
const contents = (architecture) => ({
  'usr/bin/mcp-installer': [readFileSync(`dist/mcp-installer-linux-${architecture}`), 0o755],
  'usr/share/man/man8/mcp-installer.8.gz': [gzipSync(readFileSync('docs/man/mcp-installer.8'), { level: 9 })],
  'usr/share/bash-completion/completions/mcp-installer': [
    readFileSync('docs/completions/mcp-installer.bash'),
  ],
  'usr/share/zsh/vendor-completions/_mcp-installer': [readFileSync('docs/completions/_mcp-installer')],
  'usr/share/fish/vendor_completions.d/mcp-installer.fish': [
    readFileSync('docs/completions/mcp-installer.fish'),
  ],
  'usr/share/doc/mcp-installer/copyright': [copyrightText(architecture)],
  'usr/share/doc/mcp-installer/changelog.gz': [gzipSync(changelog, { level: 9 })],
  'usr/share/doc/mcp-installer/NEWS.gz': [gzipSync(readFileSync('CHANGELOG.md'), { level: 9 })],
  'usr/share/lintian/overrides/mcp-installer': [readFileSync('packaging/lintian-overrides')],
});

function make(architecture) {
  const tree = mkdtempSync(path.join(tmpdir(), 'mcp-installer-deb-'));
  try {
    chmodSync(tree, 0o755);
    const written = Object.entries(contents(architecture)).map(([name, [bytes, mode = 0o644]]) => {
      const file = path.join(tree, name);
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
      writeFileSync(file, bytes);
      chmodSync(file, mode);
      return file;
    });
    mkdirSync(path.join(tree, 'DEBIAN'), { mode: 0o755 });
    const debian = architectures[architecture];
    writeFileSync(path.join(tree, 'DEBIAN/control'), control(debian, sizeOf(written)), { mode: 0o644 });
    const sums = execFileSync('md5sum', written.map((file) => path.relative(tree, file)).sort(), {
      cwd: tree,
    });
    writeFileSync(path.join(tree, 'DEBIAN/md5sums'), sums, { mode: 0o644 });
    const deb = `mcp-installer_${version}_${debian}.deb`;
    // Not named as one: whoever looks for packages meanwhile finds whole ones.
    const beside = path.join('dist', `.${deb}.${process.pid}`);
    const options = ['--root-owner-group', '--uniform-compression', '-Zxz', '-z1', '--threads-max=2'];
    execFileSync('dpkg-deb', [...options, '--build', tree, beside], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(released.getTime() / 1000) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    renameSync(beside, path.join('dist', deb));
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

process.umask(0o022);
execFileSync('node', ['scripts/build-standalone.mjs', '--if-stale'], { stdio: 'inherit' });
const time = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);
for (const [architecture, debian] of Object.entries(architectures)) {
  const own = ['scripts/build-deb.mjs', 'scripts/copyright.mjs', 'packaging', 'docs/man', 'docs/completions'];
  const sources = [`dist/mcp-installer-linux-${architecture}`, ...own];
  const fresh = sources.every((file) => time(file) < time(`dist/mcp-installer_${version}_${debian}.deb`));
  if (!process.argv.includes('--if-stale') || !fresh) make(architecture);
}
