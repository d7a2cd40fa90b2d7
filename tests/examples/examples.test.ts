/** The examples, from the packed package: they are type-checked, and print what their READMEs say. */
import { expect, test } from 'vitest';
import { installExample, promisedOutput, withoutChance } from './support/example.ts';

test.each(['embed-in-memory', 'three-roots', 'http-handler'])('%s', async (name) => {
  using example = await installExample(name);
  const { exitCode, stdout, stderr } = await example.run('npm', ['start', '--silent']);
  expect({ exitCode, stdout: withoutChance(stdout), stderr }).toEqual({
    exitCode: 0,
    stdout: withoutChance(promisedOutput(name)),
    stderr: '',
  });
});
