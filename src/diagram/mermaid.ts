/** The machine as a mermaid state diagram. */
import { chart } from './chart.ts';
import { entered, ranges, taken, verdict, type RunPath } from './path.ts';

/** @param path is marked: steps are numbered in brackets, states that it entered stand out */
export function toMermaid(path?: RunPath): string {
  const { states, initial, arrows } = chart();
  const steps = (from: string, to: string): string => {
    const numbers = path === undefined ? [] : taken(path, from, to);
    return numbers.length === 0 ? '' : ` (${ranges(numbers)})`;
  };
  const marks =
    path === undefined
      ? []
      : [
          // In a note of one line a colon would end it.
          `  note right of ${path.at}`,
          `    Run ${path.run}, ${verdict(path)}`,
          '  end note',
          '  classDef taken stroke-width:3px,stroke:#0969da',
          '  classDef last stroke-width:5px,stroke:#0969da',
          `  class ${states
            .filter(({ name }) => entered(path, name).length > 0)
            .map(({ name }) => name)
            .join(',')} taken`,
          `  class ${path.at} last`,
        ];
  return [
    'stateDiagram-v2',
    '  direction TB',
    `  [*] --> ${initial}`,
    ...arrows.map(
      ({ from, to, labels }) =>
        `  ${from} --> ${to}: ${labels.map(({ text }) => text).join(', ')}${steps(from, to)}`,
    ),
    ...states.filter((state) => state.final).map((state) => `  ${state.name} --> [*]`),
    ...marks,
    '',
  ].join('\n');
}
