/** The controls: where in the run the page stands. They never touch the run. */
import { byId, elementOf, setText } from './dom.ts';
import type { FrameLog } from './log.ts';
import { speeds, type Player } from './player.ts';

/** Elements that do something of their own with these keys. */
const ownKeys = 'input, select, textarea, [contenteditable]';
const ownSpace = 'button, summary, a, input, select, textarea';

export class Transport {
  private readonly range = elementOf('position', HTMLInputElement);
  private readonly speed = elementOf('speed', HTMLSelectElement);
  private readonly log: FrameLog;
  private readonly player: Player;

  constructor(log: FrameLog, player: Player) {
    this.log = log;
    this.player = player;
    for (const speed of speeds) this.speed.append(new Option(`${speed}×`, String(speed)));
    const press = (id: string, act: () => void): void => byId(id).addEventListener('click', act);
    press('first', () => player.goTo(0));
    press('back', () => player.back());
    press('toggle', () => player.toggle());
    press('forward', () => player.forward());
    press('last', () => player.toLast());
    press('follow', () => player.toLast());
    this.range.addEventListener('input', () => player.goTo(Number(this.range.value)));
    this.speed.addEventListener('change', () => player.setSpeed(Number(this.speed.value)));
    document.addEventListener('keydown', (event) => this.onKey(event));
  }

  show(): void {
    const { player, log, range } = this;
    const { step, following, isLive, playing } = player;
    const last = Math.max(0, log.steps.length - 1);
    range.max = String(last);
    range.value = String(Math.max(0, step));
    range.setAttribute('aria-valuetext', `Step ${Math.max(0, step)} of ${last}`);
    range.disabled = log.steps.length === 0;
    const moving = playing || (following && isLive);
    const toggle = byId('toggle');
    toggle.dataset['does'] = moving ? 'pause' : 'play';
    toggle.setAttribute('aria-label', moving ? 'Pause' : 'Play');
    toggle.title = `${moving ? 'Pause the page; the run goes on' : 'Play'} (space)`;
    for (const id of ['first', 'back']) elementOf(id, HTMLButtonElement).disabled = step <= 0;
    for (const id of ['forward', 'last'])
      elementOf(id, HTMLButtonElement).disabled = player.cursor >= log.last;
    const follow = elementOf('follow', HTMLButtonElement);
    follow.hidden = !isLive;
    follow.setAttribute('aria-pressed', String(following));
    const waiting = log.steps.length - 1 - step;
    setText(byId('where'), `${Math.max(0, step)} / ${last}`);
    setText(byId('behind'), !following && isLive && waiting > 0 ? `${waiting} newer` : '');
    document.documentElement.dataset['moving'] = String(moving);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const target = event.target instanceof Element ? event.target : null;
    const act = this.actionOf(event.key, target);
    if (act === null) return;
    event.preventDefault();
    act();
  }

  private actionOf(key: string, target: Element | null): (() => void) | null {
    const { player } = this;
    const inField = target?.closest(ownKeys) != null;
    const scrolls = target?.matches('.scrolls') === true;
    switch (key) {
      case ' ':
        return target?.closest(ownSpace) == null ? () => player.toggle() : null;
      case 'ArrowLeft':
        return inField || scrolls ? null : () => player.back();
      case 'ArrowRight':
        return inField || scrolls ? null : () => player.forward();
      case 'Home':
        return inField ? null : () => player.goTo(0);
      case 'End':
        return inField ? null : () => player.toLast();
      default:
        return null;
    }
  }
}
