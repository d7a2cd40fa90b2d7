/** The machine as text: mermaid for people, JSON for tools (loads in Stately Studio's import). */
import { installerMachine } from './installer.ts';

export interface Transition {
  readonly from: string;
  readonly event: string;
  readonly to: string;
  /** Which of several ways of the same event this is; empty where there is but one. */
  readonly note: string;
}

export interface StateSummary {
  readonly name: string;
  readonly description: string;
  readonly final: boolean;
  readonly actor: string | null;
}

export function stateSummaries(): StateSummary[] {
  return Object.values(installerMachine.states).map((state) => ({
    name: state.key,
    description: state.description ?? '',
    final: state.type === 'final',
    actor: state.invoke[0]?.id ?? null,
  }));
}

/** `done` and `error` instead of the long names of xstate, which hold the actor's id that the state shows anyway. */
function shortEvent(eventType: string): string {
  if (eventType.startsWith('xstate.done.actor.')) return 'done';
  if (eventType.startsWith('xstate.error.actor.')) return 'error';
  return eventType;
}

export function transitions(): Transition[] {
  return Object.values(installerMachine.states).flatMap((state) =>
    [...state.transitions.values()].flat().map((way) => ({
      from: state.key,
      event: shortEvent(way.eventType),
      to: way.target?.[0]?.key ?? state.key,
      note: guardName(way.guard),
    })),
  );
}

/** Guards of this machine are names, or names with parameters. */
function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  if (guard !== null && typeof guard === 'object' && 'type' in guard) return String(guard.type);
  return '';
}

/** A mermaid state diagram; parallel ways between the same two states are one arrow. */
export function toMermaid(): string {
  const arrows = new Map<string, Set<string>>();
  for (const { from, event, to } of transitions()) {
    const arrow = `${from} --> ${to}`;
    arrows.set(arrow, (arrows.get(arrow) ?? new Set()).add(event));
  }
  const summaries = stateSummaries();
  return [
    'stateDiagram-v2',
    '  direction TB',
    `  [*] --> ${summaries[0]!.name}`,
    ...[...arrows].map(([arrow, events]) => `  ${arrow}: ${[...events].join(', ')}`),
    ...summaries.filter((state) => state.final).map((state) => `  ${state.name} --> [*]`),
    '',
  ].join('\n');
}

/** The machine's configuration as plain JSON: loads in Stately Studio's import and in `createMachine`. */
export function toJson(): string {
  return `${JSON.stringify(installerMachine.config, null, 2)}\n`;
}
