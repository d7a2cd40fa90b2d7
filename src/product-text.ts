/** The text of a product file: YAML, of which JSON is a part, with the place of everything in it. */
import type { Document, LineCounter, Node } from 'yaml';
import type { Problem } from './products/service/problems.ts';

type Yaml = typeof import('yaml');

/** Something that is wrong at a place of the file. */
export interface Placed {
  readonly line: number;
  readonly column: number;
  readonly what: string;
}

export const nameOf = (at: Problem['path']): string =>
  at
    .map((each, index) => (typeof each === 'number' ? `[${each}]` : index === 0 ? each : `.${each}`))
    .join('');

/** Finds where in the text a path leads to; where something is missing, what it is missing in. */
class Places {
  private readonly yaml: Yaml;
  private readonly document: Document;
  private readonly lines: LineCounter;

  constructor(yaml: Yaml, document: Document, lines: LineCounter) {
    this.yaml = yaml;
    this.document = document;
    this.lines = lines;
  }

  at(offset: number): { readonly line: number; readonly column: number } {
    const { line, col } = this.lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  of(problem: Problem): Placed {
    const { isMap, isSeq, isScalar } = this.yaml;
    let offset = this.document.contents?.range?.[0] ?? 0;
    let node: unknown = this.document.contents;
    for (const [index, step] of problem.path.entries()) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
        if (pair === undefined) break;
        const last = index === problem.path.length - 1;
        const found = (last ? pair.key : (pair.value ?? pair.key)) as Node;
        offset = found.range?.[0] ?? offset;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(step)];
        offset = (node as Node | undefined)?.range?.[0] ?? offset;
      } else {
        break;
      }
    }
    const words = problem.path.length === 0 ? problem.what : `${nameOf(problem.path)}: ${problem.what}`;
    return { ...this.at(offset), what: words };
  }
}

/** What the library says to programmers; the rest of what it says is for whoever wrote the file. */
const ownWords: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'a second document begins here; a product file is one',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
};

/** What YAML allows and a product file has no use for. */
function shapeProblems(yaml: Yaml, document: Document, places: Places): readonly Placed[] {
  const { contents } = document;
  const problems: Placed[] = [];
  const found = (node: unknown, what: string): void => {
    const offset = (node as Node | null)?.range?.[0] ?? 0;
    problems.push({ ...places.at(offset), what });
  };
  if (!yaml.isMap(contents)) {
    const empty = contents === null || (yaml.isScalar(contents) && contents.value === null);
    found(
      contents,
      `${empty ? 'it is empty' : 'this is not a mapping'}; fields with their values belong here`,
    );
  }
  yaml.visit(document, {
    Pair: (_, { key }) => {
      if (!yaml.isScalar(key) || typeof key.value !== 'string') found(key, 'the name of a field is a text');
    },
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined)
        found(alias, `there is no anchor &${alias.source} before this`);
    },
  });
  return problems;
}

export type Parsed =
  | { readonly ok: true; readonly value: unknown; readonly places: Places }
  | { readonly ok: false; readonly problems: readonly Placed[] };

/** @returns the value of the text, and where in the text each part of it stands; or what is no YAML in it, or too odd */
export function parseText(yaml: Yaml, text: string): Parsed {
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const places = new Places(yaml, document, lines);
  const broken = [...document.errors, ...document.warnings];
  const problems =
    broken.length > 0
      ? broken.map(({ pos, code, message }) => ({ ...places.at(pos[0]), what: ownWords[code] ?? message }))
      : shapeProblems(yaml, document, places);
  if (problems.length > 0) return { ok: false, problems };
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: 100 }), places };
  } catch {
    return { ok: false, problems: [{ line: 1, column: 1, what: 'its aliases stand for too much' }] };
  }
}
