/**
 * `streams.mjs COUNT EVENTS PORT`: opens COUNT streams at once, waits until each has had EVENTS events, whose numbers must
 * follow one another from 1, prints how many have (`whole N`), and leaves all of them open until its input ends.
 */
import { Agent, request } from 'node:http';
import { signToken } from './token.mjs';

const [count, events, port] = process.argv.slice(2).map(Number);
const token = signToken();

/** Resolves to whether the stream was whole. */
const stream = () =>
  new Promise((resolve) => {
    let [rest, number] = ['', 0];
    request(
      {
        host: '127.0.0.1',
        port,
        path: '/mcp',
        agent: new Agent(),
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'text/event-stream',
          'mcp-test-interval': '250',
        },
      },
      (answer) => {
        answer.on('data', (part) => {
          const parts = (rest + part).split('\n\n');
          rest = parts.pop();
          for (const text of parts) {
            number += 1;
            if (JSON.parse(text.split('data: ')[1]).params.number !== number) resolve(false);
            if (number === events) resolve(true);
          }
        });
        answer.on('close', () => resolve(false));
      },
    )
      .on('error', () => resolve(false))
      .end();
  });

const whole = await Promise.all(Array.from({ length: count }, stream));
process.stdout.write(`whole ${whole.filter(Boolean).length}\n`);
process.stdin.resume().on('end', () => process.exit());
