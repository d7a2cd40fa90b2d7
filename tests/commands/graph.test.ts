/** `graph`: the machine, and the way of a run on it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { machineVersion } from '../../src/machines/installer.ts';
import { toDot } from '../../src/diagram/dot.ts';
import { toJson } from '../../src/diagram/json.ts';
import { toMermaid } from '../../src/diagram/mermaid.ts';
import { toSvg } from '../../src/diagram/svg.ts';
import { parseJournal } from '../../src/journal/record.ts';
import { journalText } from '../support/journal-text.ts';
import { run, temporaryRoot } from '../support/installer.ts';

const formats = { mermaid: toMermaid(), dot: toDot(), json: toJson(), svg: toSvg({ standalone: true }) };

test.each(Object.entries(formats))(
  '--format %s prints the machine, and nothing else',
  async (format, text) => {
    expect(await run(['graph', '--format', format])).toMatchObject({ exitCode: 0, stdout: text, stderr: '' });
  },
);

test('without a format it is mermaid', async () => {
  expect((await run(['graph'])).stdout).toBe(formats.mermaid);
});

test('an unknown format is bad usage, and the valid ones are named', async () => {
  const { exitCode, stdout, stderr } = await run(['graph', '--format', 'png']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
  expect(stderr).toContain('Valid: mermaid, dot, json, svg.');
});

test('--json hands it on as an event', async () => {
  const { stdout } = await run(['graph', '--format', 'svg', '--json']);
  const [graph, result] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(graph).toEqual({ v: 1, type: 'graph', format: 'svg', text: formats.svg });
  expect(result).toMatchObject({
    type: 'result',
    command: 'graph',
    outcome: 'shown',
    exitCode: 0,
    error: null,
  });
});

/** The journal as an older version of the machine would have written it: its checksums fit. */
function ofAnotherMachine(journal: string): string {
  const machine = { id: 'installer', version: '0' };
  const { records } = parseJournal(journal);
  return journalText(records.map((record) => (record.k === 'run.started' ? { ...record, machine } : record)));
}

describe('--run', () => {
  async function installed() {
    const root = temporaryRoot();
    expect((await run(['--root', root.path])).exitCode).toBe(0);
    const home = path.join(root.path, 'var/lib/mcp-installer');
    const runs = path.join(home, 'runs');
    const [id = ''] = readdirSync(runs);
    const journal = path.join(runs, id, 'journal.jsonl');
    return {
      id,
      home,
      path: root.path,
      journal,
      lines: () => readFileSync(journal, 'utf8').trimEnd().split('\n'),
      graph: (...args: string[]) => run(['graph', '--root', root.path, ...args]),
      [Symbol.dispose]: () => root[Symbol.dispose](),
    };
  }

  test('marks the way of a run, named as for show, in every format', async () => {
    using root = await installed();
    for (const name of ['last', root.id, root.id.slice(0, 12)]) {
      const { exitCode, stdout, stderr } = await root.graph('--run', name);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toContain(`note right of installed\n    Run ${root.id}, ended: installed`);
      expect(stdout).toContain('  detecting --> fresh: done [is fresh] (2)\n');
    }
    expect((await root.graph('--run', 'last', '--format', 'dot')).stdout).toContain(
      `Run ${root.id}, ended: installed`,
    );
    expect((await root.graph('--run', 'last', '--format', 'svg')).stdout).toContain(`>Run ${root.id}</text>`);
    const json = JSON.parse((await root.graph('--run', 'last', '--format', 'json')).stdout) as {
      readonly meta: { readonly path: object };
    };
    expect(json.meta.path).toMatchObject({ run: root.id, at: 'installed', outcome: 'installed' });
  });

  test('says where a run was cut off', async () => {
    using root = await installed();
    writeFileSync(root.journal, `${root.lines().slice(0, 3).join('\n')}\n`);
    const { exitCode, stdout } = await root.graph('--run', 'last');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/note right of \w+\n {4}Run \S+, cut off in \w+, after step \d/u);
    expect((await root.graph('--run', 'last', '--format', 'svg')).stdout).toMatch(
      /class="state visited last cut"/u,
    );
  });

  test('tells a run that goes on from one that was cut off: by the lock that it holds', async () => {
    using root = await installed();
    writeFileSync(root.journal, `${root.lines().slice(0, 3).join('\n')}\n`);
    const holder = spawn('flock', ['--exclusive', root.home, 'sh', '-c', 'echo held; exec cat']);
    const ended = once(holder, 'exit');
    await once(holder.stdout, 'data');
    expect((await root.graph('--run', 'last')).stdout).toMatch(/ under way: in \w+, after step \d/u);
    holder.stdin.end();
    await ended;
    expect((await root.graph('--run', 'last')).stdout).toMatch(/ cut off in \w+, after step \d/u);
  });

  test('draws what can be read of a damaged journal, and says that it is damaged', async () => {
    using root = await installed();
    const lines = root.lines();
    writeFileSync(root.journal, `${[...lines.slice(0, 6), 'damage', ...lines.slice(7)].join('\n')}\n`);
    const { exitCode, stdout, stderr } = await root.graph('--run', 'last');
    expect(exitCode).toBe(65);
    expect(stdout).toContain('preflight --> detecting: done [else] (1)');
    expect(stderr).toContain('E_JOURNAL_DAMAGED');
  });

  test('refuses the run of another version of the machine', async () => {
    using root = await installed();
    writeFileSync(root.journal, ofAnotherMachine(readFileSync(root.journal, 'utf8')));
    const { exitCode, stdout, stderr } = await root.graph('--run', 'last');
    expect({ exitCode, stdout }).toEqual({ exitCode: 65, stdout: '' });
    expect(stderr).toContain(
      `it is of machine installer 0, and what is drawn here is installer ${machineVersion}`,
    );
    expect(stderr).toContain(` show ${root.id}\`.`);
  });

  test('marks the way of a run that came in a file, and refuses one that it cannot draw by the name of the file', async () => {
    using root = await installed();
    const file = path.join(root.path, 'run.jsonl');
    expect((await run(['show', 'last', '--root', root.path, '--export', file])).exitCode).toBe(0);
    const { exitCode, stdout } = await run(['graph', '--run', file]);
    expect(exitCode).toBe(0);
    expect(stdout).toBe((await root.graph('--run', 'last')).stdout);
    writeFileSync(file, readFileSync(file, 'utf8').split('\n').slice(0, 4).concat('damage', '').join('\n'));
    const broken = await run(['graph', '--run', file]);
    expect(broken.exitCode).toBe(65);
    expect(broken.stderr).toContain(file);
  });

  test('refuses a run that is not there', async () => {
    using root = await installed();
    expect(await root.graph('--run', '1999')).toMatchObject({ exitCode: 64, stdout: '' });
  });
});
