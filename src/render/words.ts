/** The words for changes, in one place: what a dry run predicts and what a run reports are the same lines. */
import type { RunEvent } from '../run-events.ts';

type PlanEvent = Extract<RunEvent, { type: 'plan' }>;
type Change = PlanEvent['operations'][number];
type ReloadStep = PlanEvent['reloads'][number];

export interface ChangeLine {
  /** `create directory /etc/x/`: follows "Would". */
  readonly infinitive: string;
  /** `Created directory /etc/x/`. */
  readonly past: string;
}

const line = (verb: string, past: string, rest: string): ChangeLine => ({
  infinitive: `${verb} ${rest}`,
  past: `${past} ${rest}`,
});

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

const detailOf = (change: Change): string => {
  const words = [
    ...(change.kind === 'writeFile' ? change.detail : []),
    ...(change.because === null ? [] : [change.because]),
  ];
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
};

export function describeChange(change: Change): ChangeLine {
  const { path, role, detail } = change;
  const more = detailOf(change);
  switch (change.kind) {
    case 'installPackages':
      return line('install', 'Installed', `packages ${detail.join(' ')}`);
    case 'makeDirectory':
      return line('create', 'Created', `directory ${path}/`);
    case 'narrowMode':
      return line('set', 'Set', `mode ${detail[0] ?? ''} on ${path}${more}`);
    case 'makeLink':
      return line('link', 'Linked', `${path} to ${detail[0] ?? ''}`);
    case 'removeFile':
    case 'removeLeftover':
      return line('remove', 'Removed', `${role} ${path}${role === 'directory' ? '/' : ''}`);
    case 'writeFile':
      return role === 'service'
        ? line('copy', 'Copied', `${nameOf(path)} to ${directoryOf(path)}${more}`)
        : line('write', 'Wrote', `${role} ${path}${more}`);
  }
}

const pasts: Readonly<Record<ReloadStep['how'], string>> = {
  start: 'started',
  restart: 'restarted',
  reload: 'reloaded',
  stop: 'stopped',
  remove: 'removed',
};

const reloadWords = ({ what, how, unit }: ReloadStep): ChangeLine => {
  if (what === 'removeState') return line(how, pasts[how], `state ${unit}`);
  if (what === 'reloadManager') return line('reload', 'reloaded', 'systemd');
  const name = what === 'reloadWeb' ? unit.replace(/\.service$/u, '') : unit;
  return line(how, pasts[how], name);
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** All of systemd's steps are one line, nginx is another, what is removed a third: as a person would do them. */
export function describeReloads(reloads: readonly ReloadStep[]): ChangeLine[] {
  const groups = [
    reloads.filter(({ what }) => what !== 'reloadWeb' && what !== 'removeState'),
    reloads.filter(({ what }) => what === 'reloadWeb'),
    reloads.filter(({ what }) => what === 'removeState'),
  ];
  return groups
    .filter((group) => group.length > 0)
    .map((group) => {
      const owedBy = [...new Set(group.flatMap((step) => step.owedBy))];
      const owed = owedBy.length === 0 ? '' : ` (owed by run ${owedBy.join(', ')})`;
      const words = group.map(reloadWords);
      return {
        infinitive: `${words.map(({ infinitive }) => infinitive).join(' and ')}${owed}`,
        past: `${capital(words.map(({ past }) => past).join(' and '))}${owed}`,
      };
    });
}

export const describePlan = (plan: Pick<PlanEvent, 'operations' | 'reloads'>): ChangeLine[] => [
  ...plan.operations.map(describeChange),
  ...describeReloads(plan.reloads),
];

export const countChanges = (count: number): string => `${count} ${count === 1 ? 'change' : 'changes'}`;
