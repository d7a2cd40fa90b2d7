/** What things are called on the page, and whether they are good news. */
import type { Outcome, SecretReport } from '../../machines/types.ts';
import type { Progress } from './view.ts';

export type Tone = 'working' | 'good' | 'warn' | 'bad';

const tones: Readonly<Record<Outcome, Tone>> = {
  installed: 'good',
  unchanged: 'good',
  refused: 'bad',
  busy: 'warn',
  declined: 'warn',
  interrupted: 'warn',
  rolledBack: 'bad',
  failed: 'bad',
};

export const isFinal = (state: string): boolean => Object.hasOwn(tones, state);

export function toneOf(state: string): Tone {
  if (state === 'rollingBack') return 'warn';
  return isFinal(state) ? tones[state as Outcome] : 'working';
}

/** `forceRotate` → `Force rotate`. */
export function spaced(name: string): string {
  const text = name.replace(/\p{Lu}/gu, (letter) => ` ${letter.toLowerCase()}`).trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const progressWords: Readonly<Record<Progress, string>> = {
  waiting: 'to do',
  underWay: 'under way',
  changed: 'done',
  unchanged: 'as it was',
  predicted: 'would be made',
  deferred: 'at the next boot',
  failed: 'failed',
  stopped: 'interrupted',
  putBack: 'put back',
  notMade: 'not made',
};

export const originWords: Readonly<Record<SecretReport['origin'], string>> = {
  generated: 'generated',
  preserved: 'preserved',
  rotated: 'rotated',
  healed: 'healed: it was missing',
  supplied: 'supplied',
  removed: 'removed',
  deferred: 'made at the first boot',
};

/** `3.2 s`, `1 min 05 s`, `1 h 02 min`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
}
