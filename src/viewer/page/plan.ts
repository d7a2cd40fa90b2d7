/** The plan with how far each change is, and what is known beside it: secrets, notes, settings. */
import { describeChange, describeReloads } from '../../render/words.ts';
import { reloadsOf, removalsOf } from '../../machines/guards.ts';
import type { Operation, Plan } from '../../machines/types.ts';
import { byId, h, reveal, setText } from './dom.ts';
import { tree } from './json.ts';
import type { Progress, View } from './view.ts';
import { originWords, progressWords } from './words.ts';

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `Write unit /etc/…`, as a dry run words it. */
export const operationWords = (operation: Operation): string =>
  capital(describeChange({ ...operation, detail: [...operation.detail] }).infinitive);

const reloadWords = (reloads: Plan['reloads']): string[] =>
  describeReloads(
    reloads.map((reload) => ({ ...reload, because: [...reload.because], owedBy: [...reload.owedBy] })),
  ).map(({ infinitive }) => capital(infinitive));

const planItem = (text: string): HTMLElement =>
  h(
    'li',
    {},
    h('span', { class: 'mark', 'aria-hidden': 'true' }),
    h('span', { class: 'text' }, text),
    h('span', { class: 'progress-word' }),
  );

function setProgress(item: Element | undefined, progress: Progress): void {
  if (!(item instanceof HTMLElement) || item.dataset['progress'] === progress) return;
  item.dataset['progress'] = progress;
  setText(item.querySelector<HTMLElement>('.progress-word')!, progressWords[progress]);
}

/** Where the run is, or came to a stop. */
const where: ReadonlySet<string | null> = new Set(['underWay', 'failed', 'stopped']);

export class PlanPanel {
  private readonly list = byId('plan-list');
  private plan: Plan | null = null;
  private reloads = 0;
  private current: Element | undefined;

  show(view: View): void {
    const { plan } = view;
    byId('plan-empty').hidden = plan !== null;
    setText(byId('plan-hash'), plan?.hash ?? '');
    if (plan !== this.plan) this.build(plan);
    if (plan === null) return;
    const items = this.list.children;
    const { length } = plan.operations;
    view.operations.forEach((progress, at) => setProgress(items[at], progress));
    for (let at = 0; at < this.reloads; at += 1) setProgress(items[length + at], view.reloading);
    setProgress(items[length + this.reloads], view.verifying);
    for (let at = length + this.reloads + 1; at < items.length; at += 1) setProgress(items[at], view.purging);
    const current = [...items].find((item) => where.has(item.getAttribute('data-progress')));
    for (const item of items)
      if (item === current) item.setAttribute('aria-current', 'step');
      else item.removeAttribute('aria-current');
    if (current !== this.current) reveal(this.list, current);
    this.current = current;
  }

  private build(plan: Plan | null): void {
    this.plan = plan;
    if (plan === null) {
      this.list.replaceChildren();
      return;
    }
    const reloads = reloadWords(reloadsOf(plan));
    const removals = reloadWords(removalsOf(plan));
    this.reloads = reloads.length;
    const texts = [...plan.operations.map(operationWords), ...reloads, 'Ask the service itself', ...removals];
    this.list.replaceChildren(...texts.map(planItem));
  }
}

/** Made anew only where what it shows has changed. */
class Shown {
  private key = '';

  update(value: object, make: () => void): void {
    const key = JSON.stringify(value);
    if (key === this.key) return;
    this.key = key;
    make();
  }
}

export class FactsPanel {
  private readonly secrets = new Shown();
  private readonly notes = new Shown();
  private readonly settings = new Shown();
  private readonly context = new Shown();

  show({ context, plan, notes }: View): void {
    const secrets = context.secrets ?? [];
    this.secrets.update(secrets, () => {
      byId('secrets').hidden = secrets.length === 0;
      const rows = secrets.map(({ name, origin, fingerprint }) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, name),
          h('td', { 'data-origin': origin }, originWords[origin]),
          h('td', {}, h('code', {}, fingerprint)),
        ),
      );
      byId('secrets-rows').replaceChildren(...rows);
    });
    this.notes.update(notes, () => {
      byId('notes').hidden = notes.length === 0;
      const items = notes.map(({ level, text, code }) =>
        h(
          'li',
          { 'data-level': level },
          h('span', { class: 'level' }, level === 'warning' ? 'Warning' : 'Note'),
          h('span', { class: 'text' }, text),
          h('code', {}, code),
        ),
      );
      byId('notes-list').replaceChildren(...items);
    });
    const settings = Object.entries(plan?.settings ?? {});
    this.settings.update(settings, () => {
      byId('settings').hidden = settings.length === 0;
      const rows = settings.flatMap(([key, value]) => [
        h('dt', {}, key),
        h('dd', {}, value === '' ? '–' : value),
      ]);
      byId('settings-list').replaceChildren(...rows);
    });
    this.context.update(context, () => {
      byId('context-tree').replaceChildren(tree(context));
    });
  }
}
