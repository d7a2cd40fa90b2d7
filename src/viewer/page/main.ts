/** The page: frames come in, the log grows, the player says where it stands, the panels show how things were there. */
import { ChartPanel } from './chart.ts';
import { Clock } from './clock.ts';
import { Connection, type ConnectionState } from './connection.ts';
import { byId, setText } from './dom.ts';
import { EventsPanel } from './events.ts';
import { FrameLog } from './log.ts';
import { NowPanel } from './now.ts';
import { FactsPanel, PlanPanel } from './plan.ts';
import { Player } from './player.ts';
import { themeButton } from './theme.ts';
import { Transport } from './transport.ts';
import { viewAt } from './view.ts';

const log = new FrameLog();
const clock = new Clock(log);
const player = new Player(log, () => draw());
const connection = new Connection(log, (grown) => {
  if (grown) {
    clock.arrived();
    player.arrived();
  } else draw();
});
const panels = {
  now: new NowPanel(),
  chart: new ChartPanel(),
  plan: new PlanPanel(),
  facts: new FactsPanel(),
  events: new EventsPanel(log, (step) => player.goTo(step)),
  transport: new Transport(log, player),
};

const banners: Readonly<Record<ConnectionState, string>> = {
  connecting: '',
  open: '',
  lost: 'Connection lost, trying again. The run does not depend on this page.',
  gone: 'The server has gone. All that it sent stays here, and can still be stepped through.',
  foreign: 'The server is of another version than this page. Reload the page.',
};

function chipOf(): { readonly text: string; readonly kind: string } {
  if (log.hello?.source === 'replay') return { text: 'Recorded run', kind: 'recorded' };
  if (log.hasEnded) return { text: 'Ended', kind: 'recorded' };
  if (connection.state === 'open') return { text: 'Live', kind: 'live' };
  return { text: connection.state === 'connecting' ? 'Connecting' : 'Not connected', kind: 'lost' };
}

/** @param failed what of the run could not be shown */
function showHeader(failed: readonly string[]): void {
  const { hello } = log;
  setText(byId('product'), hello?.product ?? 'mcp-installer');
  const root = hello?.root === null || hello?.root === '/' ? '' : `below ${hello?.root ?? ''}`;
  const about = hello === null ? [] : [hello.command, root, `run ${hello.run}`, `version ${hello.installer}`];
  setText(byId('about'), about.filter((word) => word !== '').join(' · '));
  byId('dry-run').hidden = hello?.dryRun !== true;
  const { text, kind } = chipOf();
  setText(byId('connection'), text);
  byId('connection').dataset['kind'] = kind;
  const problem = failed.length === 0 ? '' : `This run holds what cannot be shown: ${failed.join(', ')}.`;
  const banner = [problem, banners[connection.state]].filter((text) => text !== '').join(' ');
  setText(byId('banner'), banner);
  byId('banner').hidden = banner === '';
}

const isRunning = (): boolean =>
  player.following && player.isLive && connection.state === 'open' && log.steps.length > 0;

function showElapsed(): void {
  panels.now.showElapsed(clock.elapsed(player.cursor, isRunning()), isRunning());
}

/** A run that somebody sent may hold anything: what cannot be shown is named, and the rest stands. */
function drawNow(): void {
  const { cursor } = player;
  const failed: string[] = [];
  const attempt = (what: string, show: () => void): void => {
    try {
      show();
    } catch {
      failed.push(what);
    }
  };
  attempt('the events', () => panels.events.show(cursor));
  attempt('how the run stood', () => {
    const view = viewAt(log.frames, cursor);
    attempt('the state', () => panels.now.show(view));
    attempt('the statechart', () => panels.chart.show(view));
    attempt('the plan', () => panels.plan.show(view));
    attempt('secrets, notes and settings', () => panels.facts.show(view));
  });
  panels.transport.show();
  showHeader(failed);
  showElapsed();
  document.documentElement.dataset['position'] = String(cursor);
}

/** Many frames that come at once are one picture. */
let due = false;
function draw(): void {
  if (due) return;
  due = true;
  setTimeout(() => {
    due = false;
    drawNow();
  });
}

themeButton();
byId('everything').addEventListener('change', (event) => {
  const all = event.target instanceof HTMLInputElement && event.target.checked;
  byId('events-list').classList.toggle('all', all);
});
const calm = matchMedia('(prefers-reduced-motion: reduce)');
setInterval(
  () => {
    if (isRunning()) showElapsed();
  },
  calm.matches ? 1000 : 100,
);
drawNow();
connection.open();
