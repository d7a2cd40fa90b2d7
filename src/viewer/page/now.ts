/** What is happening, in which state, is it good or bad, and for how long. */
import { byId, elementOf, h, setText } from './dom.ts';
import type { View } from './view.ts';
import { duration, spaced, toneOf } from './words.ts';

const made = new Set(['changed', 'unchanged', 'predicted']);

export class NowPanel {
  private readonly panel = byId('now');
  private readonly elapsed = byId('elapsed');
  private readonly progress = elementOf('progress', HTMLProgressElement);
  private readonly descriptions = new Map(
    [...document.querySelectorAll<HTMLElement>('#states [data-state]')].map((item) => [
      item.dataset['state'] ?? '',
      item.querySelector('.description')?.textContent ?? '',
    ]),
  );

  show(view: View): void {
    const { state, step, activity, ended } = view;
    const tone = state === null ? 'working' : toneOf(state);
    this.panel.dataset['tone'] = tone;
    setText(byId('state'), state === null ? 'Waiting for the run' : spaced(state));
    setText(byId('doing'), activity ?? this.descriptions.get(state ?? '') ?? '');
    setText(byId('outcome'), ended === null ? '' : this.outcome(view));
    // The states that decide on it are called like it.
    const mode = view.context.mode ?? '';
    setText(byId('mode'), view.visited.has(mode) ? spaced(mode) : '–');
    setText(byId('step'), step === null ? '–' : String(step.n));
    this.showProgress(view);
    this.showError(view);
    document.title = `${state === null ? '' : `${spaced(state)} – `}${view.hello?.product ?? 'mcp-installer'}`;
    setText(byId('announcement'), this.announcement(view));
  }

  showElapsed(milliseconds: number, running: boolean): void {
    setText(this.elapsed, duration(milliseconds));
    this.elapsed.classList.toggle('running', running);
  }

  private outcome({ ended, hello }: View): string {
    if (ended === null) return '';
    const changed = !ended.changed
      ? 'the host is as it was'
      : hello?.dryRun === true
        ? 'there would be changes'
        : 'the host was changed';
    return `Exit code ${ended.exitCode}, ${changed}`;
  }

  private counts({ operations }: View): string {
    const done = operations.filter((progress) => made.has(progress)).length;
    return `${done} of ${operations.length}`;
  }

  private showProgress(view: View): void {
    const { operations } = view;
    this.progress.hidden = operations.length === 0;
    setText(byId('counts'), operations.length === 0 ? '–' : this.counts(view));
    if (operations.length === 0) return;
    this.progress.max = operations.length;
    this.progress.value = operations.filter((progress) => made.has(progress)).length;
  }

  private showError({ context }: View): void {
    const box = byId('error');
    const error = context.error ?? null;
    box.hidden = error === null;
    const key = error === null ? '' : JSON.stringify(error);
    if (box.dataset['shown'] === key) return;
    box.dataset['shown'] = key;
    box.replaceChildren();
    if (error === null) return;
    box.append(
      h('p', { class: 'what' }, error.message),
      h('p', { class: 'remedy' }, error.remedy),
      h('code', {}, error.code),
    );
  }

  /** For those who hear the page: the state, how far it is, what went wrong. */
  private announcement(view: View): string {
    const { state, context, operations } = view;
    if (state === null) return '';
    const progress =
      state === 'writing' && operations.length > 0 ? `, ${this.counts(view)} changes made` : '';
    const error = context.error ?? null;
    return `${spaced(state)}${progress}.${error === null ? '' : ` ${error.message} ${error.remedy}`}`;
  }
}
