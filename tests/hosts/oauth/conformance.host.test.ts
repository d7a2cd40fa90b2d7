/** The official conformance suite, with the service as it is installed: on a domain, with TLS. */
import { describe, expect, test } from 'vitest';
import { suites, type Suite } from '../support/base.ts';
import { createHost, type Host } from '../support/host.ts';
import { signAccessToken } from '../support/oauth.ts';
import { secretsInFile } from '../support/observe.ts';
import {
  conformance,
  differences,
  direct,
  pressAllow,
  startBearer,
  startEverythingServer,
  summary,
  throughService,
  type Difference,
} from './support/conformance.ts';
import { installWithTls, mcpUrl } from './support/site.ts';

const { origin } = new URL(mcpUrl);

async function prepare(suite: Suite, name: string): Promise<Host> {
  const host = await createHost({ suite, name });
  await installWithTls(host);
  return host;
}

/**
 * What is right to differ with the service in between; all else is the same, to the last detail that the suite tells.
 */
function rightDifferences(revision: string): readonly Difference[] {
  const rebinding = 'dns-rebinding-protection.0.details.body';
  return [
    // A request of a foreign web page is refused either way (403): the MCP server finds its Host foreign, the service
    // its Origin, and it does so before the MCP server hears of the request.
    [`${rebinding}.jsonrpc`, '2.0', undefined],
    [`${rebinding}.error`, { code: -32000, message: 'Invalid Host: evil.example.com' }, 'invalid_origin'],
    [`${rebinding}.id`, null, undefined],
    [`${rebinding}.error_description`, undefined, 'requests from that web page are not accepted'],
    // This scenario alone shows headers. One is nginx's name; the other is a request to whatever is in between, nginx
    // here, not to buffer, which is not meant for clients.
    ...(revision === '2025-11-25'
      ? [1, 7].flatMap((index): readonly Difference[] => [
          [`server-sse-polling.${index}.details.headers.x-accel-buffering`, 'no', undefined],
          [
            `server-sse-polling.${index}.details.headers.server`,
            undefined,
            expect.stringMatching(/^nginx\b/u),
          ],
        ])
      : []),
  ];
}

describe.each(suites)('%s', (suite) => {
  test('authorization: every check passes, but for what the service leaves out: clients that register themselves', async () => {
    await using host = await prepare(suite, 'authorization');
    const { CLIENT_ID, CLIENT_SECRET } = secretsInFile(host);
    const client = ['--client-id', CLIENT_ID, '--client-secret', CLIENT_SECRET, '--resource', mcpUrl];
    const results = await conformance(host, ['authorization', '--url', origin, ...client], (running) =>
      pressAllow(host, running),
    );
    const told = [...results].map(([scenario, checks]) => [
      scenario,
      checks.map(({ id, status, errorMessage }) => ({ id, status, errorMessage })),
    ]);
    expect(Object.fromEntries(told)).toEqual({
      'authorization-server-metadata-endpoint': [
        { id: 'authorization-server-metadata', status: 'SUCCESS' },
        {
          // Nobody can register: a code is worth nothing without the secret of the one client.
          id: 'authorization-server-metadata-cimd',
          status: 'WARNING',
          errorMessage:
            'Authorization server metadata does not include "client_id_metadata_document_supported"',
        },
      ],
      'authorization-code-grant': [{ id: 'authorization-code-grant', status: 'SUCCESS' }],
    });
  });

  test.each(['2025-11-25', '2026-07-28'])(
    'server, %s: through the service the suite finds what it finds at the MCP server itself',
    async (revision) => {
      await using host = await prepare(suite, `server-${revision}`);
      const run = (url: string) => conformance(host, ['server', '--url', url, '--requirements', revision]);
      await startEverythingServer(host);
      const without = await run(direct);
      // All of them pass but for an extension that the SDK does not have: its errors have to get through as well.
      await expect(`${summary(without).join('\n')}\n`).toMatchFileSnapshot(
        `conformance.${revision}.golden.txt`,
      );

      await startEverythingServer(host);
      await startBearer(host, signAccessToken(host, { origin }));
      const through = await run(throughService);
      expect(differences(without, through)).toEqual(rightDifferences(revision));
    },
  );
});
