/** Lays out the picture of the machine: ELK the boxes and the ways between them, lanes beside them the many ways to an end. */
import ElkConstructor, { type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import { labelBox } from '../src/diagram/box.ts';
import { chart, type Arrow, type Chart } from '../src/diagram/chart.ts';
import type { ArrowLayout, Layout, Rectangle } from '../src/diagram/layout.ts';
import { column, exitsOf, layLanes, loop, roomOf, sizeOf, type Picture } from './lanes.ts';

// Its types are those of a CommonJS module, which it is not where it is bundled.
const engine = new (ElkConstructor as unknown as typeof ElkConstructor.default)();

const start = 'start';

const options: Record<string, string> = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.padding': '[top=16,left=16,bottom=16,right=16]',
  'elk.spacing.nodeNode': '24',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '18',
  'elk.layered.spacing.edgeNodeBetweenLayers': '12',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
  'elk.layered.mergeEdges': 'true',
  'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.thoroughness': '100',
  'elk.layered.edgeLabels.sideSelection': 'ALWAYS_DOWN',
  // Of the first dozen the one with the narrowest picture, and no line through a label.
  'elk.randomSeed': '12',
  // Where the states of one row stand from left to right is told by `order`.
  'elk.layered.crossingMinimization.semiInteractive': 'true',
};

/** From right to left: what ELK lays out is mirrored afterwards, since it puts `confirming` right of the spine. */
const order = [
  'rollingBack',
  'forceRotate',
  'purging',
  'installed',
  'existing',
  'unchanged',
  'fresh',
  'confirming',
  'declined',
];

/** Of all ways the spine is kept straight; `existing` stands in the middle of it. */
const straightness = ({ from, kind }: Arrow): string =>
  from === 'existing' ? '1000' : kind === 'spine' ? '100' : '1';

/** What ELK sees of a state: its box, and around it the room for ways that it does not lay out. */
function node(state: Chart['states'][number]): ElkNode {
  const { width, height } = sizeOf(state);
  const { left, right, below } = roomOf(state.name);
  const port = (name: string, side: string, y: number) => ({
    id: `${state.name}.${name}`,
    x: right + width / 2,
    y,
    layoutOptions: { 'elk.port.side': side },
  });
  return {
    id: state.name,
    width: right + width + left,
    height: height + below,
    ports: [port('in', 'NORTH', 0), port('out', 'SOUTH', height + below)],
    layoutOptions: {
      'elk.portConstraints': 'FIXED_POS',
      'elk.position': `(${order.indexOf(state.name) * 100},0)`,
    },
  };
}

const isBack = ({ from, to }: Arrow): boolean => {
  const names = chart().states.map(({ name }) => name);
  return names.indexOf(to) < names.indexOf(from);
};

function edge(arrow: Arrow): ElkExtendedEdge {
  return {
    id: `${arrow.from} ${arrow.to}`,
    sources: [`${arrow.from}.out`],
    targets: [`${arrow.to}.in`],
    labels: [
      {
        // ELK leaves out labels without text.
        text: arrow.from,
        ...labelBox(arrow),
        layoutOptions: {
          // Near the state that the way leaves; a way back up leaves where the ways down are labelled already.
          'elk.layered.edgeLabels.centerLabelPlacementStrategy': isBack(arrow) ? 'HEAD_LAYER' : 'TAIL_LAYER',
        },
      },
    ],
    layoutOptions: {
      'elk.layered.priority.straightness': straightness(arrow),
      'elk.layered.priority.shortness': straightness(arrow),
    },
  };
}

function mirrored(graph: ElkNode) {
  const width = Math.round(graph.width!);
  return {
    rectangle: (box: Partial<Rectangle>): Rectangle => {
      const [x, y, w, h] = [box.x, box.y, box.width, box.height].map((value = 0) => Math.round(value));
      return { x: width - x! - w!, y: y!, width: w!, height: h! };
    },
    points: (id: string): number[][] => {
      const { sections } = graph.edges!.find((each) => each.id === id)!;
      const { startPoint, bendPoints = [], endPoint } = sections![0]!;
      return [startPoint, ...bendPoints, endPoint].map(({ x, y }) => [width - Math.round(x), Math.round(y)]);
    },
  };
}

export async function computeLayout(): Promise<Layout> {
  const drawn = chart();
  const inside = drawn.states.filter(({ name }) => !column.includes(name));
  const laid = drawn.arrows.filter(
    ({ from, to, kind }) => (kind === 'spine' || kind === 'way') && from !== to,
  );
  // Of the ways that undo one is shown to ELK, so that it knows where that state belongs; it is drawn on a lane.
  const hint = drawn.arrows.filter(({ kind }) => kind === 'undo').slice(-1);
  const graph: ElkNode = await engine.layout({
    id: 'root',
    layoutOptions: options,
    children: [
      { id: start, width: 10, height: 10, layoutOptions: { 'elk.position': '(300,0)' } },
      ...inside.map(node),
    ],
    edges: [
      { id: start, sources: [start], targets: [`${drawn.initial}.in`] },
      ...[...laid, ...hint].map(edge),
    ],
  });
  const { rectangle, points } = mirrored(graph);
  const states = Object.fromEntries(
    inside.map((state) => {
      const { x, y } = rectangle(graph.children!.find(({ id }) => id === state.name)!);
      return [state.name, { x: x + roomOf(state.name).left, y, ...sizeOf(state) }];
    }),
  );
  const arrows = laid.map(({ from, to }): ArrowLayout => {
    const [[x = 0] = [], ...rest] = points(`${from} ${to}`);
    const { y, height } = states[from]!;
    return {
      from,
      to,
      points: [[x, y + height], ...rest],
      label: rectangle(graph.edges!.find(({ id }) => id === `${from} ${to}`)!.labels![0]!),
    };
  });
  const loops = drawn.arrows
    .filter(({ from, to }) => from === to)
    .map((arrow) => loop(arrow, states[arrow.from]!));
  const picture: Picture = { states, arrows: [...arrows, ...loops], start: points(start) };
  return layLanes(drawn, picture, exitsOf(drawn));
}
