/**
 * Writes the list of what is in the program (CycloneDX, JSON): the packages that are bundled, and the Node that is inside the
 * executables. Without times and random numbers: the same sources give the same list.
 *
 *     node scripts/build-sbom.mjs FILE
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { cyclonedxEsbuildPlugin } from '@cyclonedx/cyclonedx-esbuild';
import { build } from 'esbuild';
import { programOptions } from './bundling.mjs';
import { pin } from './pinned-node.mjs';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: build-sbom.mjs FILE');

/** As npm knows it: by the package that brought it, with the checksum that it was verified against. */
function nodes() {
  const { packages } = JSON.parse(readFileSync(`${pin}/package-lock.json`, 'utf8'));
  return ['x64', 'arm64'].map((architecture) => {
    const name = `node-linux-${architecture}`;
    const { version, integrity } = packages[`node_modules/${name}`];
    const purl = `pkg:npm/${name}@${version}`;
    const content = Buffer.from(integrity.replace(/^sha512-/u, ''), 'base64').toString('hex');
    return {
      type: 'platform',
      'bom-ref': purl,
      name,
      version,
      description: `Node.js, inside mcp-installer-linux-${architecture}`,
      hashes: [{ alg: 'SHA-512', content }],
      licenses: [{ license: { id: 'MIT' } }],
      purl,
    };
  });
}

const scratch = mkdtempSync(path.join(tmpdir(), 'mcp-installer-sbom-'));
try {
  const options = programOptions({
    format: 'cjs',
    target: 'node24',
    entryPoints: ['src/commands/start.ts'],
    outfile: path.join(scratch, 'program.js'),
  });
  const sbom = cyclonedxEsbuildPlugin({ outputFile: 'bom.json', outputReproducible: true });
  await build({ ...options, plugins: [...options.plugins, sbom] });
  const bom = JSON.parse(readFileSync(path.join(scratch, 'bom.json'), 'utf8'));
  // What the bundler makes itself is no component: it is named by where it lies on this machine.
  const made = new Set(
    bom.components.filter(({ name }) => name.startsWith('VirtualComponent ')).map((each) => each['bom-ref']),
  );
  bom.components = [...bom.components.filter((each) => !made.has(each['bom-ref'])), ...nodes()];
  bom.dependencies = [
    ...bom.dependencies
      .filter(({ ref }) => !made.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn?.filter((each) => !made.has(each)) })),
    ...nodes().map(({ purl }) => ({ ref: purl })),
  ];
  writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
