/**
 * One plain line for all test runs and the fault campaign: `N passed, N failed`. A run that left no result counts as one
 * failure.
 */
import { existsSync, readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
for (const file of process.argv.slice(2)) {
  if (!existsSync(file)) {
    failed += 1;
    continue;
  }
  const result = JSON.parse(readFileSync(file, 'utf8'));
  if ('injections' in result) {
    passed += result.passed;
    failed += result.failed;
    continue;
  }
  passed += result.numPassedTests;
  // A file that could not even be loaded has no tests in it that could fail.
  const broken = result.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  failed += result.numFailedTests + broken.length;
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
