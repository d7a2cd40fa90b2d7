/** What happened, in order, with its time and its data; a click on an event goes to it. */
import type { Frame, StepFrame, ToldFrame } from '../../inspector/frames.ts';
import type { Plan } from '../../machines/types.ts';
import { byId, h, reveal } from './dom.ts';
import { expandable, tree } from './json.ts';
import type { FrameLog } from './log.ts';
import { operationWords } from './plan.ts';
import { duration, toneOf } from './words.ts';

/** What the run tells that the machine's own events tell as well. */
const repeated: ReadonlySet<string> = new Set([
  'run',
  'state',
  'mode',
  'secret',
  'plan',
  'operation',
  'reloaded',
  'verified',
  'undone',
]);

const wordOf = (value: unknown): string => {
  if (value === null || typeof value !== 'object') return '';
  const { kind, outcome, code } = value as Readonly<Record<string, unknown>>;
  return [code, kind, outcome].find((word) => typeof word === 'string') ?? '';
};

function toldWords({ event }: ToldFrame): string {
  switch (event.type) {
    case 'activity':
    case 'note':
      return event.text;
    case 'error':
      return event.message;
    case 'state':
      return event.state;
    case 'operation':
      return `${event.index + 1} of ${event.total}: ${event.outcome}`;
    case 'diff':
      return event.path;
    case 'secret':
      return `${event.name}: ${event.origin}`;
    default:
      return '';
  }
}

interface Row {
  readonly title: string;
  readonly text: string;
  readonly data: object;
}

export class EventsPanel {
  private readonly list = byId('events-list');
  private readonly log: FrameLog;
  private readonly goTo: (step: number) => void;
  private plan: Plan | null = null;
  private next = 0;
  private shown = -1;

  constructor(log: FrameLog, goTo: (step: number) => void) {
    this.log = log;
    this.goTo = goTo;
  }

  /** Rows for what has come since the last time, then what of all that has happened by now. */
  show(cursor: number): void {
    while (this.list.children.length < this.log.frames.length) this.append(this.list.children.length);
    const current = this.log.stepAt(cursor);
    const at = this.log.steps[current] ?? -1;
    [...this.list.children].forEach((row, position) => {
      row.classList.toggle('later', position > cursor);
      if (position === at) row.setAttribute('aria-current', 'step');
      else row.removeAttribute('aria-current');
    });
    if (at !== this.shown) reveal(this.list, this.list.children[at]);
    this.shown = at;
  }

  private append(position: number): void {
    const frame = this.log.frames[position]!;
    const { title, text, data } = this.rowOrRaw(frame);
    const isTold = frame.kind === 'told';
    const kind = isTold && repeated.has(frame.event.type) ? 'told repeated' : frame.kind;
    const time = duration(this.log.timeOf(position) - this.log.timeOf(0));
    const jump = h(
      'button',
      { type: 'button', class: 'jump' },
      h('span', { class: 'time' }, `+${time}`),
      h('span', { class: 'title' }, title),
      h('span', { class: 'text' }, text),
    );
    if (frame.kind === 'step') {
      const { from, state } = frame;
      const way = from === null || from === state ? state : `${from} → ${state}`;
      jump.append(h('span', { class: 'way', 'data-tone': toneOf(state) }, way));
    }
    const step = Math.max(0, this.log.stepAt(position));
    jump.addEventListener('click', () => this.goTo(step));
    this.list.append(
      h(
        'li',
        { class: kind, 'data-position': String(position) },
        jump,
        expandable(['data'], () => tree(data)),
      ),
    );
  }

  /** A run that somebody sent may hold anything; it can be looked at all the same. */
  private rowOrRaw(frame: Frame): Row {
    try {
      return this.rowOf(frame);
    } catch {
      return { title: frame.kind, text: '', data: frame };
    }
  }

  private rowOf(frame: Frame): Row {
    switch (frame.kind) {
      case 'hello':
        return { title: 'run', text: `${frame.command}, ${frame.run}`, data: frame };
      case 'step':
        return this.stepRow(frame);
      case 'told':
        return { title: frame.event.type, text: toldWords(frame), data: frame.event };
      case 'ended':
        return { title: 'end', text: `${frame.outcome}, exit code ${frame.exitCode}`, data: frame };
    }
  }

  private stepRow({ event, context }: StepFrame): Row {
    const actor = /^xstate\.(done|error)\.actor\.(.+)$/u.exec(event.type);
    const [, how, name] = actor ?? [];
    const operation = name === 'write' ? this.plan?.operations[this.next] : undefined;
    this.plan = context.plan ?? this.plan;
    this.next = context.next ?? this.next;
    const word = wordOf(how === 'error' ? event.error : event.output) || (event.signal ?? '');
    return {
      title: name === undefined ? event.type : how === 'error' ? `${name} failed` : name,
      text: operation === undefined ? word : `${operationWords(operation)}: ${word}`,
      data: { event, context },
    };
  }
}
