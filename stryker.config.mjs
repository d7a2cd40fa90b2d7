/** Mutation testing of one part, named by `MUTATION_PART`: `npm run test:mutation` goes through all of them. */
import { parts } from './tests/mutation/parts.mjs';

const name = process.env['MUTATION_PART'] ?? 'env';
const { mutate, score } = parts[name];

export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner', './tools/mutation/prose.mjs'],
  vitest: { configFile: 'vitest.mutation.config.mjs', related: false },
  mutate,
  thresholds: { high: 95, low: score ?? 90, break: score },
  ignorers: ['prose'],
  coverageAnalysis: 'perTest',
  concurrency: 1,
  // A rerun tries again what changed since the last one, and no more; remove `reports` to try everything.
  incremental: true,
  incrementalFile: `reports/mutation/${name}.incremental.json`,
  timeoutMS: 20_000,
  ignorePatterns: ['dist', 'reports', 'docs/images', 'bench', 'tests/faults'],
  reporters: ['clear-text', 'json', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `reports/mutation/${name}.json` },
};
