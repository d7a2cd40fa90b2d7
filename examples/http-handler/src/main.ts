/** Serves installations on a host in memory, and is its own client: one that watches, one that leaves, one that cancels. */
import { createMemoryHost, type Host } from 'mcp-installer';
import { createServer } from './server.js';

interface Told {
  readonly type: string;
  readonly state?: string;
  readonly outcome?: string;
  readonly error?: { readonly code: string } | null;
}

async function* told(body: ReadableStream<Uint8Array>): AsyncGenerator<Told> {
  let text = '';
  for await (const bytes of body) {
    text += Buffer.from(bytes).toString();
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as Told;
  }
}

const memory = createMemoryHost();
/** Files are written when this resolves: what happens in the middle of an installation happens in its middle. */
let disk = Promise.resolve();
function holdDisk(): () => void {
  let release = (): void => undefined;
  disk = new Promise((resolve) => {
    release = resolve;
  });
  return release;
}
const host: Host = {
  ...memory,
  writeFile: async (path, bytes, options) => {
    await disk;
    return memory.writeFile(path, bytes, options);
  },
};

const server = createServer({ host });
const address = await server.listen({ host: '127.0.0.1', port: 0 });

async function start(body: object): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${address}/installations`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  return `${address}${answer.headers.get('location') ?? ''}`;
}

async function watch(url: string): Promise<void> {
  const { body } = await fetch(url);
  if (body === null) return;
  const states: string[] = [];
  for await (const { type, state, outcome, error } of told(body)) {
    if (type === 'state') states.push(state ?? '');
    if (type === 'ended')
      console.log(`${states.join(' → ')}\nended: ${outcome ?? ''}, error: ${error?.code ?? 'none'}`);
  }
}

console.log('# a client that asks for what does not exist');
await watch(await start({ settings: { LISTEN_PORT: 'none' } }));

console.log('# a client that cancels as soon as something is changed');
const goOn = holdDisk();
const cancelled = await start({});
const { body } = await fetch(cancelled);
if (body !== null) {
  for await (const { type } of told(body)) {
    if (type !== 'operation') continue;
    const { status } = await fetch(cancelled, { method: 'DELETE' });
    console.log(`DELETE: ${status}`);
    break;
  }
}
goOn();
await watch(cancelled);

console.log('# a client that goes away after the first event, and another one that watches');
const release = holdDisk();
const url = await start({});
const gone = new AbortController();
const left = await fetch(url, { signal: gone.signal });
await left.body?.getReader().read();
gone.abort();
release();
await watch(url);

await server.close();
