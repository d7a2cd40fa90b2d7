import path from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import { commandLineInProcess } from './tests/mutation/in-process-plugin.mjs';
import { parts } from './tests/mutation/parts.mjs';
import { textModules } from './tests/support/text-modules.ts';

const { tests } = parts[process.env['MUTATION_PART'] ?? 'env'];

const patternOf = (each) => `tests/${each}.test.ts`;

/** In the order in which a part names them: what is quick comes first, and the first test that fails ends the run. */
class InOrder extends BaseSequencer {
  sort(files) {
    const rank = ({ moduleId }) =>
      tests.findIndex((each) => path.matchesGlob(path.relative('.', moduleId), patternOf(each)));
    return Promise.resolve(files.toSorted((one, other) => rank(one) - rank(other)));
  }
}

/** The tests that see the mutants of one part (`tests/mutation/parts.mjs`). */
export default defineConfig({
  plugins: [textModules(), commandLineInProcess()],
  test: {
    include: tests.map(patternOf),
    exclude: ['tests/**/*.host.test.ts'],
    testTimeout: 60_000,
    sequence: { sequencer: InOrder },
  },
});
