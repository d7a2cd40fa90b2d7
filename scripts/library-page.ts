/** The library's public names, from its source through TypeScript: the reference page, and the list that a test keeps. */
import path from 'node:path';
import ts from 'typescript';

/** Name under which a program imports it → its source. */
const entryPoints = {
  'mcp-installer': 'src/index.ts',
  'mcp-installer/machine': 'src/machine.ts',
  'mcp-installer/testing': 'src/testing.ts',
} as const;

interface PublicName {
  readonly name: string;
  readonly kind: 'function' | 'value' | 'class' | 'type';
  /** Its docstring as plain text; empty where it has none. */
  readonly doc: string;
  /** Of a function its parameters and result; of a type that is short what it is. */
  readonly signature: string | null;
  /** Of a type that programs write or read by hand its own fields. */
  readonly members: readonly { readonly name: string; readonly type: string; readonly doc: string }[];
}

export interface EntryPoint {
  readonly entry: string;
  /** First paragraph of the file's own comment. */
  readonly doc: string;
  readonly names: readonly PublicName[];
}

/** `{@link X}` as code, lines joined, tags as sentences. */
function docOf(symbol: ts.Symbol, checker: ts.TypeChecker): string {
  const text = (parts: readonly ts.SymbolDisplayPart[] | undefined): string =>
    (parts ?? [])
      .map(({ text: part, kind }) => (kind === 'linkName' ? `\`${part}\`` : kind === 'link' ? '' : part))
      .join('')
      .replaceAll(/\s+/gu, ' ')
      .trim();
  const tags = symbol.getJsDocTags(checker).map(({ name, text: parts }) => {
    const words = text(parts);
    const [, parameter = '', rest = ''] = /^(\w+) (.*)$/su.exec(words) ?? [];
    if (name === 'param') return `\`${parameter}\`: ${rest}.`;
    return `${name === 'returns' ? 'Returns' : 'Throws'} ${words}.`;
  });
  const main = text(symbol.getDocumentationComment(checker));
  return [main, ...tags.map((tag) => tag.replace(/\.\.$/u, '.'))].filter((part) => part !== '').join(' ');
}

/** As it is written: what types are made of stands where they are listed. */
function signatureOf(call: ts.Signature, checker: ts.TypeChecker): string {
  const declaration = call.getDeclaration() as ts.SignatureDeclaration | undefined;
  if (declaration?.type === undefined) return checker.signatureToString(call);
  const parameters = declaration.parameters.map((parameter) => parameter.getText());
  return `(${parameters.join(', ')}): ${declaration.type.getText()}`;
}

/** Types whose fields a program writes or reads by hand. */
const listed = [
  'Asked',
  'InstallOptions',
  'InstallResult',
  'Request',
  'Rotation',
  'RotationProof',
  'Status',
  'StatusOptions',
];

function membersOf(symbol: ts.Symbol, checker: ts.TypeChecker): PublicName['members'] {
  return [...(symbol.members?.values() ?? [])].flatMap((member) => {
    const declaration = member.valueDeclaration;
    if (declaration === undefined || !ts.isPropertySignature(declaration)) return [];
    const optional = declaration.questionToken === undefined ? '' : '?';
    const type = (declaration.type?.getText() ?? '').replaceAll(/\s+/gu, ' ');
    return [{ name: `${member.name}${optional}`, type, doc: docOf(member, checker) }];
  });
}

function publicName(exported: ts.Symbol, checker: ts.TypeChecker): PublicName {
  const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
  const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
  const members = listed.includes(exported.name) ? membersOf(symbol, checker) : [];
  const base = { name: exported.name, doc: docOf(symbol, checker), members };
  if ((symbol.flags & ts.SymbolFlags.Value) === 0) return { ...base, kind: 'type', signature: null };
  if ((symbol.flags & ts.SymbolFlags.Class) !== 0) return { ...base, kind: 'class', signature: null };
  const [call] = checker.getTypeOfSymbol(symbol).getCallSignatures();
  if (call === undefined) return { ...base, kind: 'value', signature: null };
  return { ...base, kind: 'function', signature: signatureOf(call, checker) };
}

/** All public names, by entry point and name; values before types. */
export function publicNames(root: string): readonly EntryPoint[] {
  const file = path.join(root, 'tsconfig.build.json');
  const { config } = ts.readConfigFile(file, (name) => ts.sys.readFile(name)) as { config: unknown };
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(fileNames, options);
  const checker = program.getTypeChecker();
  return Object.entries(entryPoints).map(([entry, name]) => {
    const source = program.getSourceFile(path.join(root, name));
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    if (source === undefined || module === undefined) throw new Error(`${name} is no module`);
    const names = checker.getExportsOfModule(module).map((exported) => publicName(exported, checker));
    const [, comment = ''] = /^\/\*\*(.*?)\*\//su.exec(source.text) ?? [];
    const doc = comment.replaceAll(/\s*\n \* ?/gu, ' ').trim();
    const order = (one: PublicName): string => `${one.kind === 'type' ? 1 : 0} ${one.name.toLowerCase()}`;
    return { entry, doc, names: names.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)) };
  });
}

/** One line a name, for a test that keeps them. */
export const listOf = (points: readonly EntryPoint[]): string =>
  points.flatMap(({ entry, names }) => names.map(({ name, kind }) => `${entry} ${kind} ${name}\n`)).join('');

/** docs/reference/library.md, without its head. */
export function libraryPage(root: string): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const points = publicNames(root);
  const [whole, ...others] = points;
  const elsewhere = new Set(others.flatMap(({ names }) => names.map(({ name }) => name)));
  const section = ({ entry, doc, names }: EntryPoint): string => {
    const shown = entry === whole?.entry ? names.filter(({ name }) => !elsewhere.has(name)) : names;
    const values = shown.filter(({ kind }) => kind !== 'type');
    const types = shown.filter(({ kind }) => kind === 'type');
    const calls = values.map(({ name, kind, signature, doc: words }) => {
      const code = signature === null ? '' : `\n\n\`\`\`text\n${name}${signature}\n\`\`\``;
      return `### ${name}\n\n${kind === 'function' ? '' : `A ${kind}. `}${words}${code}\n`;
    });
    const fields = types
      .filter(({ members }) => members.length > 0)
      .map(({ name, members }) => {
        const lines = members.map(
          (field) => `| \`${field.name}\` | \`${cell(field.type)}\` | ${cell(field.doc)} |\n`,
        );
        return `\n#### ${name}\n\n| field | type | what |\n| --- | --- | --- |\n${lines.join('')}`;
      });
    const rows = types.map(({ name, doc: words }) => `| \`${name}\` | ${cell(words)} |\n`).join('');
    return `## \`${entry}\`\n\n${doc}\n\n${calls.join('\n')}\n### Types\n\n| type | what |\n| --- | --- |\n${rows}${fields.join('')}`;
  };
  const intro =
    'The public names of the package, by what they are imported from, with their docstrings. What `mcp-installer/machine` and the hosts of `mcp-installer/testing` export stands there; `mcp-installer` exports the former and the memory host as well. How to use them: [embed](../how-to/embed.md).';
  return `# Library\n\n${intro}\n\n${points.map(section).join('\n')}`;
}
