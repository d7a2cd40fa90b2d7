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
import { isFinal } from './words.ts';

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

function showHeader(): void {
  const { hello } = log;
  setText(byId('product'), hello?.product ?? 'mcp-installer');
  const root = hello?.root === null || hello?.root === '/' ? '' : `below ${hello?.root ?? ''}`;
  const about = hello === null ? [] : [hello.command, root, `run ${hello.run}`, `version ${hello.installer}`];
  setText(byId('about'), about.filter((word) => word !== '').join(' · '));
  byId('dry-run').hidden = hello?.dryRun !== true;
  const { text, kind } = chipOf();
  setText(byId('connection'), text);
  byId('connection').dataset['kind'] = kind;
  setText(byId('banner'), banners[connection.state]);
  byId('banner').hidden = banners[connection.state] === '';
}

const isRunning = (): boolean =>
  player.following && player.isLive && connection.state === 'open' && log.steps.length > 0;

function showElapsed(): void {
  panels.now.showElapsed(clock.elapsed(player.cursor, isRunning()), isRunning());
}

function drawNow(): void {
  const view = viewAt(log.frames, player.cursor);
  showHeader();
  panels.now.show(view);
  panels.chart.show(view);
  panels.plan.show(view);
  panels.facts.show(view);
  panels.events.show(player.cursor, view);
  panels.transport.show();
  showElapsed();
  const root = document.documentElement;
  root.dataset['position'] = String(player.cursor);
  root.dataset['over'] = String(view.state !== null && isFinal(view.state));
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
