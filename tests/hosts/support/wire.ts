/** Requests byte for byte: what curl would put right before it is sent. */
import type { ChildProcess } from 'node:child_process';
import type { Host } from './host.ts';

export interface Request {
  /** 8083 is the service itself, 8084 nginx before it. */
  readonly port: number;
  /** One character a byte. */
  readonly text: string;
  /** It is left open, and no answer is waited for. */
  readonly halfOpen?: boolean;
}

export interface Answer {
  readonly status: number;
  /** By lower-case name; of those that came twice, both. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Reads `NUMBER PORT BASE64 HALF-OPEN` and writes `NUMBER BASE64`: all that came until the other side closed, or said
 * that it will. It reads while it sends, since who refuses a large request does not wait for its end.
 */
const sender = `import base64, re, select, socket, sys, threading
kept, lock = [], threading.Lock()
def is_whole(seen):
    head, _, body = seen.lower().rpartition(b"\\r\\n\\r\\n")
    length = re.findall(rb"\\ncontent-length: (\\d+)", head)
    return b"\\nconnection: close" in head and length != [] and len(body) >= int(length[-1])
def exchange(port, data, half_open):
    s = socket.create_connection(("127.0.0.1", port), 10)
    if half_open:
        s.sendall(data)
        kept.append(s)
        return b""
    s.setblocking(False)
    seen, data = b"", memoryview(data)
    while not is_whole(seen):
        readable, writable, _ = select.select([s], [s] if data else [], [], 20)
        if not readable and not writable:
            return seen + b"(not closed within 20 s)"
        try:
            if readable:
                part = s.recv(65536)
                if not part:
                    return seen
                seen += part
            if writable:
                data = data[s.send(data[:262144]):]
        except OSError:
            if data:
                data = data[:0]
            else:
                return seen
    return seen
def answer(number, port, data, half_open):
    seen = exchange(int(port), base64.b64decode(data), half_open == "true")
    with lock:
        print(number, base64.b64encode(seen).decode(), flush=True)
for line in sys.stdin:
    threading.Thread(target=answer, args=line.split(" ")[:3] + [line.split(" ")[3].strip()], daemon=True).start()
`;

function takeBody(headers: Readonly<Record<string, string>>, rest: string): { body: string; rest: string } {
  if (headers['transfer-encoding'] === 'chunked') {
    let body = '';
    for (let at = 0; ;) {
      const end = rest.indexOf('\r\n', at);
      const size = Number.parseInt(rest.slice(at, end), 16);
      if (end === -1 || !(size > 0)) return { body, rest: rest.slice(end + 4) };
      body += rest.slice(end + 2, end + 2 + size);
      at = end + 4 + size;
    }
  }
  const length = Number(headers['content-length'] ?? rest.length);
  return { body: rest.slice(0, length), rest: rest.slice(length) };
}

/** All answers that stand in what came. */
function readAnswers(came: string): readonly Answer[] {
  const answers: Answer[] = [];
  for (let rest = came; rest !== '';) {
    const [head = '', status = ''] = /^HTTP\/1\.[01] (\d+)[^]*?\r\n\r\n/u.exec(rest) ?? [];
    if (head === '') throw new Error(`no answer: ${JSON.stringify(rest.slice(0, 500))}`);
    const headers: Record<string, string> = {};
    for (const line of head.trimEnd().split('\r\n').slice(1)) {
      const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/u.exec(line) ?? [];
      const known = headers[name.toLowerCase()];
      headers[name.toLowerCase()] = known === undefined ? value : `${known}, ${value}`;
    }
    const taken = takeBody(headers, rest.slice(head.length));
    answers.push({ status: Number(status), headers, body: taken.body });
    rest = taken.rest;
  }
  return answers;
}

export class Wire {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, (came: string) => void>();
  private number = 0;

  private constructor(child: ChildProcess) {
    this.child = child;
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (text + chunk.toString('latin1')).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const [number = '', came = ''] = line.split(' ');
        this.waiting.get(Number(number))?.(Buffer.from(came, 'base64').toString('latin1'));
      }
    });
  }

  static async to(host: Host): Promise<Wire> {
    await host.write('/run/send.py', sender);
    return new Wire(host.spawn(['python3', '/run/send.py']));
  }

  /** What came as an answer; waits until the other side has closed. */
  async send({ port, text, halfOpen = false }: Request): Promise<readonly Answer[]> {
    const number = ++this.number;
    const came = new Promise<string>((resolve) => this.waiting.set(number, resolve));
    this.child.stdin?.write(
      `${number} ${port} ${Buffer.from(text, 'latin1').toString('base64')} ${halfOpen}\n`,
    );
    return readAnswers(await came);
  }

  /** Ends what is half open as well. */
  close(): void {
    this.child.stdin?.end();
  }
}
