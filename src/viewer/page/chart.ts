/** The statechart: which state is lit, which ways were taken. */
import { byId } from './dom.ts';
import type { View } from './view.ts';
import { toneOf } from './words.ts';

const calm = matchMedia('(prefers-reduced-motion: reduce)');

export class ChartPanel {
  private readonly frame = byId('chart');
  private readonly states = [...document.querySelectorAll('[data-state]')];
  private readonly arrows = [...document.querySelectorAll('.arrow[data-from]')];
  /** The first state of the picture: what stands before it lies below. */
  private readonly firstState = this.frame.querySelector('.state');
  private shown: string | null = null;

  constructor() {
    const fit = byId('fit');
    fit.addEventListener('click', () => {
      const whole = this.frame.classList.toggle('whole');
      fit.setAttribute('aria-pressed', String(whole));
      if (!whole) this.reveal(this.shown);
    });
  }

  show({ state, visited, taken }: View): void {
    for (const element of this.states) {
      const name = element.getAttribute('data-state') ?? '';
      element.classList.toggle('now', name === state);
      element.classList.toggle('been', visited.has(name));
      if (name === state) element.setAttribute('aria-current', 'step');
      else element.removeAttribute('aria-current');
      element.setAttribute('data-tone', toneOf(name));
    }
    for (const arrow of this.arrows) {
      const isThis = (way: { readonly from: string; readonly to: string }): boolean =>
        way.from === arrow.getAttribute('data-from') && way.to === arrow.getAttribute('data-to');
      const isTaken = taken.some(isThis);
      // Above the others: many ways share a lane.
      if (isTaken && !arrow.classList.contains('taken')) this.firstState?.before(arrow);
      arrow.classList.toggle('taken', isTaken);
      arrow.classList.toggle('last', taken.slice(-1).some(isThis));
    }
    if (state !== this.shown) this.reveal(state);
    this.shown = state;
  }

  /** Scrolls the picture inside its frame, never the page. */
  private reveal(state: string | null): void {
    const { frame } = this;
    const lit = this.states.find((element) => element.getAttribute('data-state') === state);
    if (lit === undefined || !frame.contains(lit)) return;
    const [box, around] = [lit.getBoundingClientRect(), frame.getBoundingClientRect()];
    frame.scrollBy({
      left: box.left + box.width / 2 - (around.left + around.width / 2),
      top: box.top + box.height / 2 - (around.top + around.height / 2),
      behavior: calm.matches ? 'instant' : 'smooth',
    });
  }
}
