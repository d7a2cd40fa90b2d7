/**
 * What failed, by name, and one plain line for all test runs and the fault campaign: `N passed, N failed`. A run that
 * left no result counts as one failure. The names are repeated here since a log is often kept only by its end.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';

let passed = 0;
const failures = [];

function ofFaults({ injections, passed: survived }) {
  passed += survived;
  for (const { id, fired, problems } of injections) {
    if (fired && problems.length === 0) continue;
    failures.push([`fault ${id}`, ...(problems.length > 0 ? problems : ['it did not happen'])]);
  }
}

function ofTests({ testResults, numPassedTests }) {
  passed += numPassedTests;
  for (const { name, status, message, assertionResults } of testResults) {
    const file = relative('.', name);
    // A file that could not even be loaded has no tests in it that could fail.
    if (status === 'failed' && assertionResults.length === 0) failures.push([file, message]);
    for (const { fullName, status: ended, failureMessages } of assertionResults) {
      if (ended === 'failed') failures.push([`${file} > ${fullName}`, ...failureMessages]);
    }
  }
}

for (const file of process.argv.slice(2)) {
  if (!existsSync(file)) {
    failures.push([`${basename(file)} was not written`]);
    continue;
  }
  const result = JSON.parse(readFileSync(file, 'utf8'));
  if ('injections' in result) ofFaults(result);
  else ofTests(result);
}
const shown = 12;
for (const [title, ...lines] of failures) {
  process.stdout.write(`FAILED ${title}\n`);
  for (const line of lines.join('\n').split('\n').slice(0, shown)) process.stdout.write(`    ${line}\n`);
}
process.stdout.write(`${passed} passed, ${failures.length} failed\n`);
