/**
 * A program that embeds the built library, and writes to its fourth descriptor what the library did to its process: what
 * is global before, during and after installations in memory, on temporary roots, cancelled, and failed.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const dist = process.argv[2];
const load = (name) => import(pathToFileURL(path.join(dist, name)).href);

const listeners = () =>
  process
    .eventNames()
    .map((name) => `${String(name)} ${process.listenerCount(name)}`)
    .sort();
const globals = () => Reflect.ownKeys(globalThis).map(String).sort();
const state = () => ({
  listeners: listeners(),
  globals: globals(),
  environment: { ...process.env },
  directory: process.cwd(),
  umask: process.umask(),
  title: process.title,
  exitCode: process.exitCode ?? null,
  methods: [process.emit, process.exit, process.reallyExit, process.stdout.write, globalThis.console.log].map(
    String,
  ),
});

const before = state();
const during = new Set();
const {
  createMemoryHost,
  createRealHost,
  fromInstall,
  install,
  openJournalHome,
  readMemory,
  readRun,
  runIds,
  status,
} = await load('index.js');
await load('machine.js');
const { createFaultyHost } = await load('testing.js');

const onEvent = () => during.add(JSON.stringify({ listeners: listeners(), globals: globals() }));
const roots = Array.from({ length: 4 }, () => mkdtempSync(path.join(tmpdir(), 'mcp-installer-guest-')));
const envOf = (root) => readFileSync(path.join(root, 'etc/mcp-oauth-proxy/.env'), 'utf8');
try {
  const together = await Promise.all(
    roots.map((root, at) =>
      install({ root, onEvent, request: { settings: { LISTEN_PORT: String(9000 + 10 * at) } } }),
    ),
  );
  const alone = [
    await install({ host: createMemoryHost(), onEvent }),
    await install({ root: roots[0], dryRun: true, request: { rotate: 'all' }, onEvent }),
    await install({
      root: roots[0],
      request: { rotate: 'all' },
      interrupt: AbortSignal.abort('SIGINT'),
      onEvent,
    }),
    await install({ host: createFaultyHost(createMemoryHost(), [{ call: 'writeFile' }]), onEvent }),
  ];
  const refused = await install({ request: { settings: { NONE: '' } } }).catch(({ code }) => code);
  const { kind, secrets } = await status({ root: roots[1] });
  // A program that runs meanwhile: nothing waits for the end of this process to end it.
  const program = createRealHost({ root: '/' }).query({ file: '/bin/sleep', args: ['0.1'] });
  let runs = true;
  const ended = program.then(() => (runs = false));
  while (runs) {
    onEvent();
    await new Promise(setImmediate);
  }
  await ended;
  const logic = fromInstall({ host: createMemoryHost() });
  await logic.settled();
  writeSync(
    3,
    JSON.stringify({
      before,
      during: [...during].map((text) => JSON.parse(text)),
      after: state(),
      together: together.map(({ output, run, records }, at) => {
        const home = openJournalHome({ root: roots[at], owner: process.geteuid() });
        try {
          return {
            outcome: output.outcome,
            port: output.plan.settings.LISTEN_PORT,
            plan: output.plan.hash,
            fingerprints: output.secrets.map(({ fingerprint }) => fingerprint),
            own: envOf(roots[at]).includes(`LISTEN_PORT=${9000 + 10 * at}\n`),
            run: [run, ...runIds(home.path).filter((id) => id === run)],
            events: records.length === readRun(home.path, run).records.length,
            damaged: readMemory(home.path).damaged,
            files: readdirSync(path.join(roots[at], 'etc/systemd/system')).length,
          };
        } finally {
          home.close();
        }
      }),
      alone: alone.map(({ output }) => [output.outcome, output.exitCode]),
      refused,
      status: { kind, secrets: secrets.filter(({ fingerprint }) => fingerprint !== null).length },
    }),
  );
} finally {
  for (const root of roots) rmSync(root, { recursive: true });
}
