/**
 * Mutation tests, part by part (`tests/mutation/parts.mjs`), and a table of the scores at the end.
 *
 *     npm run test:mutation                                              every part
 *     npm run test:mutation -- env host                                  these
 *     npm run test:mutation -- env --mutate src/effects/env-grammar.ts   one file of a part
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { parts } from '../tests/mutation/parts.mjs';

const args = process.argv.slice(2);
const option = args.findIndex((arg) => arg.startsWith('-'));
const named = option === -1 ? args : args.slice(0, option);
const options = option === -1 ? [] : args.slice(option);
const unknown = named.filter((name) => !(name in parts));
if (unknown.length > 0)
  throw new Error(`No such part: ${unknown.join(', ')}. Parts: ${Object.keys(parts).join(', ')}.`);

/** Of what is mutated: killed, timed out, survived, reached by no test. */
function countsOf(report) {
  const mutants = Object.values(report.files).flatMap((file) => file.mutants);
  const of = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  return { detected: of('Killed', 'Timeout'), missed: of('Survived', 'NoCoverage') };
}

// A package of its own: it is as large as all the others, and whoever installs from a checkout does not need it.
const tool = 'tools/mutation';
const stryker = `${tool}/node_modules/.bin/stryker`;
if (!existsSync(stryker)) {
  const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', tool];
  if (spawnSync('npm', install, { stdio: 'inherit' }).status !== 0) process.exit(1);
}

let failed = false;
const lines = [];
for (const name of named.length > 0 ? named : Object.keys(parts)) {
  const env = { PROPERTY_CASES: '30', ...process.env, MUTATION_PART: name };
  const { status } = spawnSync(stryker, ['run', ...options], { env, stdio: 'inherit' });
  failed ||= status !== 0;
  const file = `reports/mutation/${name}.json`;
  if (!existsSync(file)) continue;
  const { detected, missed } = countsOf(JSON.parse(readFileSync(file, 'utf8')));
  const held = parts[name].score === null ? '' : `   at least ${parts[name].score} %`;
  const score = ((100 * detected) / (detected + missed)).toFixed(1);
  lines.push(
    `${name.padEnd(12)} ${score.padStart(5)} %   ${detected} of ${detected + missed} mutants${held}`,
  );
}
process.stdout.write(`\n${lines.join('\n')}\n`);
process.exitCode = failed ? 1 : 0;
