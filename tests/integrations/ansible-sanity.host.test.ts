/** The collection under the checks that Ansible has for collections, in the versions of each Debian. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { suites } from '../hosts/support/base.ts';
import { checkout } from '../hosts/support/form.ts';
import { createHost, type Host } from '../hosts/support/host.ts';
import { imageWith, type Image } from '../hosts/support/image.ts';

/** What ansible-test would fetch from PyPI, and shellcheck, without which it would skip a test. */
const packages = [
  'ansible-core',
  'ansible-lint',
  'pycodestyle',
  'pylint',
  'python3-toml',
  'python3-tomli',
  'python3-venv',
  'python3-voluptuous',
  'python3-wrapt',
  'shellcheck',
  'yamllint',
];

/** Those that say something of this collection; the versions of ansible-test have more, of Python 2 for one. */
const tests = [
  'ansible-doc',
  'compile',
  'ignores',
  'import',
  'line-endings',
  'no-illegal-filenames',
  'pep8',
  'pylint',
  'runtime-metadata',
  'shebang',
  'shellcheck',
  'validate-modules',
  'yamllint',
];

const collection = '/root/ansible_collections/mcp_installer/mcp_oauth_proxy';
const env = { ANSIBLE_COLLECTIONS_PATH: '/root', LANG: 'C.UTF-8' };

const sanity = (host: Host, ...args: readonly string[]) =>
  host.run(
    ['python3', `${checkout}/tests/integrations/sanity/ansible-test.py`, 'sanity', '--color=no', ...args],
    { cwd: collection, env },
  );

const lint = (host: Host) => host.run(['ansible-lint', '--nocolor'], { cwd: collection, env });

describe.each(suites)('%s', (suite) => {
  let image: Image;
  beforeAll(async () => {
    image = await imageWith(suite, packages);
  });
  afterAll(() => {
    image[Symbol.dispose]();
  });

  test('ansible-test and ansible-lint find nothing in the collection, and find what is put into it', async () => {
    await using host = await createHost({ suite, name: 'ansible-sanity', image });
    await host.must(
      `mkdir -p $(dirname ${collection}); cp -r ${checkout}/integrations/ansible ${collection}`,
    );
    const clean = await sanity(host);
    expect(clean.exitCode, clean.output).toBe(0);
    const ran = [...clean.output.matchAll(/^Running sanity test "(.+?)"/gmu)].map(([, name]) => name);
    expect(ran).toEqual(expect.arrayContaining(tests));
    // Another Python than the one of this Debian may be missing, and nothing else.
    const skipped = clean.output.match(/^.*Skipping.*$/gmu) ?? [];
    expect(skipped.filter((line) => !line.endsWith('because it could not be found.'))).toEqual([]);
    const lintedClean = await lint(host);
    expect(lintedClean.exitCode, lintedClean.output).toBe(0);

    const module = `${collection}/plugins/modules/installation_info.py`;
    await host.must(`sed -i 's/argument_spec=dict(COMMON)/argument_spec=dict(COMMON, more={"type": "str"})/
      s/O(root)/O(nothing)/' ${module}`);
    await host.must(
      `sed -i 's/mcp_installer.mcp_oauth_proxy.installation:/command: "true"/;/^    [a-z]/d' ${collection}/roles/mcp_installer/tasks/main.yml`,
    );
    const planted = await sanity(host, '--test', 'validate-modules');
    expect(planted.exitCode).toBe(1);
    expect(planted.output).toContain('undocumented-parameter');
    // 2.14 does not look at names in the text yet.
    if (suite === 'trixie') expect(planted.output).toContain('non-existing option "nothing"');
    const linted = await lint(host);
    expect(linted.exitCode).toBe(2);
    expect(linted.output).toContain('fqcn');
  });
});
