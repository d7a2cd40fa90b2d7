import { defineConfig } from 'vitest/config';
import { commandLineInProcess } from './tests/mutation/in-process-plugin.mjs';
import { parts } from './tests/mutation/parts.mjs';
import { textModules } from './tests/support/text-modules.ts';

const { tests } = parts[process.env['MUTATION_PART'] ?? 'env'];

/** The tests that see the mutants of one part (`tests/mutation/parts.mjs`). */
export default defineConfig({
  plugins: [textModules(), commandLineInProcess()],
  test: {
    include: tests.map((each) => `tests/${each}.test.ts`),
    exclude: ['tests/**/*.host.test.ts'],
    testTimeout: 60_000,
  },
});
