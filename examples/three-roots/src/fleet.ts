/** A machine that installs on three roots in parallel, each by a child actor, and is done with one report. */
import { assign, setup } from 'xstate';
import { fromInstall, toPublicError, type InstallResult, type Request } from 'mcp-installer';

/** One root, and what is asked for there. */
export interface Site {
  readonly root: string;
  readonly request: Partial<Request>;
}

type Name = 'east' | 'west' | 'south';

export interface Line {
  readonly site: Name;
  readonly outcome: string;
  readonly changes: number;
  readonly secrets: readonly string[];
  readonly error: string | null;
}

const ended = (site: Name, { output }: InstallResult): Line => ({
  site,
  outcome: output.outcome,
  changes: output.changed ? (output.plan?.operations.length ?? 0) : 0,
  secrets: output.secrets.map(({ name, origin }) => `${name} ${origin}`),
  error: output.error?.code ?? null,
});

/** Only bad usage and bugs come as errors. */
const failed = (site: Name, error: unknown): Line => ({
  site,
  outcome: 'failed',
  changes: 0,
  secrets: [],
  error: toPublicError(error).code,
});

const parent = setup({
  types: {
    input: {} as Readonly<Record<Name, Site>>,
    context: {} as { readonly sites: Readonly<Record<Name, Site>>; readonly report: readonly Line[] },
    output: {} as readonly Line[],
  },
  actors: { install: fromInstall() },
  actions: {
    report: assign({ report: ({ context }, line: Line) => [...context.report, line] }),
  },
});

const installing = (site: Name) =>
  parent.createStateConfig({
    initial: 'installing',
    states: {
      installing: {
        invoke: {
          id: site,
          src: 'install',
          input: ({ context }) => context.sites[site],
          onDone: {
            target: 'ended',
            actions: { type: 'report', params: ({ event }) => ended(site, event.output) },
          },
          onError: {
            target: 'ended',
            actions: { type: 'report', params: ({ event }) => failed(site, event.error) },
          },
        },
      },
      ended: { type: 'final' },
    },
  });

export const fleet = parent.createMachine({
  id: 'fleet',
  context: ({ input }) => ({ sites: input, report: [] }),
  type: 'parallel',
  states: { east: installing('east'), west: installing('west'), south: installing('south') },
  output: ({ context }) => context.report,
});
