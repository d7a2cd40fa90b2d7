/**
 * The inspector's server: on 127.0.0.1 only, for whoever has the capability in its address, and never waited for.
 *
 * It keeps no process alive by itself, and what it is asked cannot end the program.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { newCapability } from './access.ts';
import type { Answers } from './answers.ts';
import type { Frame } from './frames.ts';
import type { Log } from './log.ts';

export interface ServerOptions {
  /** 0: any that is free. */
  readonly port: number;
  readonly frames: Log<Frame>;
  /** Address of the Stately inspector's page. */
  readonly stately: URL;
  /** Hears what went wrong in answering; whoever asked is told no more than that it did. */
  readonly onProblem: (error: unknown) => void;
  /** Milliseconds in which a connection has to show the capability, 10 000 without this. */
  readonly patience?: number;
}

export interface InspectorServer {
  readonly port: number;
  /** Ends with the capability and a slash. */
  readonly url: string;
  /** From now on it keeps the process alive. */
  keep(): void;
  /** What was handed over is on its way; whoever has not taken the rest does not get it. */
  close(): Promise<void>;
}

const address = '127.0.0.1';

/** Pages and their streams; far more than one person opens. */
const maxConnections = 100;

/** Listens, or tells why it cannot. */
function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** @throws system errors (EADDRINUSE, EACCES …) where it cannot listen */
export async function openServer({
  port,
  frames,
  stately,
  onProblem,
  patience = 10_000,
}: ServerOptions): Promise<InspectorServer> {
  const capability = newCapability();
  const sockets = new Set<Socket>();
  let answers: Promise<Answers> | null = null;
  const load = async (): Promise<Answers> =>
    (await import('./answers.ts')).createAnswers({ capability, frames, stately, onProblem, patience });

  const server = createServer((socket) => {
    socket.unref();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    (answers ??= load()).then(
      (ready) => ready.take(socket),
      (error: unknown) => {
        onProblem(error);
        socket.destroy();
      },
    );
  });
  server.maxConnections = maxConnections;
  const taken = await listen(server, port);
  server.on('error', onProblem);
  server.unref();
  return {
    port: taken,
    url: `http://${address}:${taken}/${capability}/`,
    keep: () => void server.ref(),
    close: async () => {
      server.close();
      await (await answers)?.finish();
      for (const socket of sockets) socket.end();
      // Written, that is in the system's hands, or not taken at all.
      await new Promise((resolve) => setImmediate(resolve));
      for (const socket of sockets) socket.destroy();
    },
  };
}
