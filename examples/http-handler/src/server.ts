/**
 * HTTP over an installation: one request starts it, others watch and cancel it.
 *
 * A client that goes away does not end an installation: it is the host's business, not the connection's. Whoever wants it
 * ended says so, and then the host is put back.
 */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import Fastify, { type FastifyInstance } from 'fastify';
import { createActor, type Actor } from 'xstate';
import {
  fromInstall,
  type InstallLogic,
  type InstallOptions,
  type Request,
  type RunEvent,
} from 'mcp-installer';

interface Job {
  readonly actor: Actor<InstallLogic>;
  /** All that it has told: whoever comes later sees it from the beginning. */
  readonly told: RunEvent[];
}

const isActive = ({ actor }: Job): boolean => actor.getSnapshot().status === 'active';

/** Every event from the first one on, one JSON object a line, until the installation has ended. */
async function* linesOf(job: Job): AsyncGenerator<string> {
  let next = 0;
  while (true) {
    for (; next < job.told.length; next += 1) yield `${JSON.stringify(job.told[next])}\n`;
    if (!isActive(job)) break;
    await new Promise<void>((resolve) => {
      const heard = job.actor.on('*', () => done());
      const ended = job.actor.subscribe({ complete: () => done(), error: () => done() });
      const done = (): void => {
        heard.unsubscribe();
        ended.unsubscribe();
        resolve();
      };
    });
  }
  const { output, error } = job.actor.getSnapshot();
  const outcome = output?.output.outcome ?? 'failed';
  const failure = output?.output.error ?? (error === undefined ? null : error);
  yield `${JSON.stringify({ type: 'ended', outcome, error: failure })}\n`;
}

/** @param options of every installation: root, host, product, secrets. Requests only say what is asked for. */
export function createServer(options: InstallOptions): FastifyInstance {
  // Else closing would wait, over a minute, for connections that clients keep for a next request.
  const server = Fastify({ forceCloseConnections: true });
  const install = fromInstall(options);
  const jobs = new Map<string, Job>();
  const jobOf = (request: { params: unknown }): Job | undefined =>
    jobs.get((request.params as { id: string }).id);

  server.post('/installations', (request, reply) => {
    const id = randomUUID();
    const actor = createActor(install, { input: { request: request.body as Partial<Request> } });
    const job: Job = { actor, told: [] };
    actor.on('*', (event) => job.told.push(event));
    // Bad usage is told as the end of the stream.
    actor.subscribe({ error: () => undefined });
    jobs.set(id, job);
    actor.start();
    return reply.code(201).header('location', `/installations/${id}`).send({ id });
  });

  server.get('/installations/:id', (request, reply) => {
    const job = jobOf(request);
    if (job === undefined) return reply.code(404).send();
    return reply.type('application/x-ndjson').send(Readable.from(linesOf(job)));
  });

  server.delete('/installations/:id', (request, reply) => {
    const job = jobOf(request);
    if (job === undefined) return reply.code(404).send();
    if (!isActive(job)) return reply.code(409).send();
    job.actor.send({ type: 'install.cancel' });
    return reply.code(202).send();
  });

  // A server that is closed waits for what is under way, so that nothing is left half done.
  server.addHook('onClose', async () => {
    for (const { actor } of jobs.values()) actor.stop();
    await install.settled();
  });
  return server;
}
