import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { defineConfig } from 'vitest/config';
import { textModules } from './tests/support/text-modules.ts';

/** Files that take the longest of all, and do not look it: begun last, they would run alone at the end. */
const longest = ['tests/life/', 'tests/integrations/'];
const isLong = ({ moduleId }: TestSpecification): boolean => longest.some((part) => moduleId.includes(part));

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** Tests on booted Debian hosts: root needed, a host of its own for each test. */
export default defineConfig({
  plugins: [textModules()],
  test: {
    include: ['tests/**/*.host.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // Hosts are light, but each boots a systemd and a Python: more at once than this only makes all of them slower.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    globalSetup: ['tests/support/build.ts', 'tests/hosts/support/global-setup.ts'],
  },
});
