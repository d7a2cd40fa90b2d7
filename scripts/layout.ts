/** Lays out the picture of the machine with ELK: positions of the boxes, corners of the arrows, places of the labels. */
import ElkConstructor, { type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import { boxOf, labelBox } from '../src/diagram/box.ts';
import { chart, type Arrow } from '../src/diagram/chart.ts';
import type { Layout, Rectangle } from '../src/diagram/layout.ts';

const engine = new (ElkConstructor as unknown as typeof ElkConstructor.default)();

const start = 'start';

const options: Record<string, string> = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.padding': '[top=16,left=16,bottom=16,right=16]',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '14',
  'elk.spacing.edgeEdge': '10',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.labelNode': '6',
  'elk.layered.spacing.nodeNodeBetweenLayers': '30',
  'elk.layered.spacing.edgeNodeBetweenLayers': '12',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.thoroughness': '200',
  'elk.layered.mergeEdges': 'true',
};

const weight: Record<Arrow['kind'], string> = { spine: '20', way: '3', end: '1' };

export async function computeLayout(): Promise<Layout> {
  const { states, arrows, initial } = chart();
  const children: ElkNode[] = states.map((state) => {
    const { width, height } = boxOf(state);
    return { id: state.name, width, height };
  });
  const edges: ElkExtendedEdge[] = arrows.map((arrow) => ({
    id: `${arrow.from} ${arrow.to}`,
    sources: [arrow.from],
    targets: [arrow.to],
    labels: [{ text: arrow.labels.join('\n'), ...labelBox(arrow.labels) }],
    layoutOptions: {
      'elk.layered.priority.straightness': weight[arrow.kind],
      'elk.layered.priority.shortness': weight[arrow.kind],
      'elk.layered.priority.direction': weight[arrow.kind],
    },
  }));
  const graph: ElkNode = await engine.layout({
    id: 'root',
    layoutOptions: options,
    children: [{ id: start, width: 10, height: 10 }, ...children],
    edges: [{ id: start, sources: [start], targets: [initial] }, ...edges],
  });
  const rectangle = ({ x = 0, y = 0, width = 0, height = 0 }: Partial<Rectangle>): Rectangle => ({
    x: Math.round(x),
    y: Math.round(y),
    width: Math.round(width),
    height: Math.round(height),
  });
  const points = (id: string): number[][] => {
    const [section] = graph.edges!.find((edge) => edge.id === id)!.sections!;
    return [section!.startPoint, ...(section!.bendPoints ?? []), section!.endPoint].map(({ x, y }) => [
      Math.round(x),
      Math.round(y),
    ]);
  };
  return {
    width: Math.ceil(graph.width!),
    height: Math.ceil(graph.height!),
    states: Object.fromEntries(
      states.map(({ name }) => [name, rectangle(graph.children!.find(({ id }) => id === name)!)]),
    ),
    arrows: arrows.map(({ from, to }) => ({
      from,
      to,
      points: points(`${from} ${to}`),
      label: rectangle(graph.edges!.find(({ id }) => id === `${from} ${to}`)!.labels![0]!),
    })),
    start: points(start),
  };
}
