/**
 * A product from a file, without programming: YAML or JSON (which YAML reads too), with the service's own files beside it.
 * Every problem is told with its line and column.
 */
import { constants, fstatSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { close } from './descriptor.ts';
import { errnoOf } from './errno.ts';
import { InstallerError } from './errors.ts';
import { nameOf, parseText, type Placed } from './product-text.ts';
import type { Product } from './products/product.ts';
import type { ProductFile, ServiceDefinition } from './products/service/definition.ts';
import type { Problem } from './products/service/problems.ts';

const maxBytes = 16 * 1024 * 1024;

/** One slip of the indentation makes hundreds of problems; the first tell it. */
const maxTold = 20;

/** Bytes of a regular file, or why there are none: half a sentence. */
function readRegular(file: string): Buffer | string {
  try {
    // A pipe without a writer must not be waited for.
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = fstatSync(fd);
      if (!status.isFile()) return 'it is not a regular file';
      if (status.size > maxBytes) return 'it is larger than 16 MiB';
      return readFileSync(fd);
    } finally {
      close(fd);
    }
  } catch (error) {
    return `it cannot be read (${errnoOf(error)})`;
  }
}

function textOf(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function failure(file: string, problems: readonly Placed[]): InstallerError {
  const lines = problems
    .toSorted((one, other) => one.line - other.line || one.column - other.column)
    .map(({ line, column, what }) => `  ${file}:${line}:${column}: ${what}`);
  const count = lines.length === 1 ? 'a problem' : `${lines.length} problems`;
  if (lines.length > maxTold) lines.splice(maxTold, Infinity, `  and ${lines.length - maxTold} more`);
  return new InstallerError('E_PRODUCT_INVALID', { what: `${file} has ${count}:\n${lines.join('\n')}` });
}

/** The files that a product file names, by their names; what cannot be read is a problem. */
class Beside {
  readonly problems: Problem[] = [];
  private readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  bytes(name: string, at: Problem['path']): Buffer {
    const bytes = readRegular(path.join(this.directory, name));
    if (typeof bytes !== 'string') return bytes;
    this.problems.push({ path: at, what: `${name}: ${bytes}` });
    return Buffer.alloc(0);
  }

  text(name: string, at: Problem['path']): string {
    const text = textOf(this.bytes(name, at));
    if (text === null) this.problems.push({ path: at, what: `${name}: it is not UTF-8` });
    return text ?? '';
  }
}

function definitionOf(described: ProductFile, beside: Beside): ServiceDefinition {
  const { unit, socket, nginx, files, ...rest } = described;
  // What an editor needs is no part of the service.
  delete rest.$schema;
  const site = nginx === undefined ? '' : beside.text(nginx.site, ['nginx', 'site']);
  return {
    ...rest,
    unit: beside.text(unit, ['unit']),
    ...(socket === undefined ? {} : { socket: beside.text(socket, ['socket']) }),
    ...(nginx === undefined ? {} : { nginx: { ...nginx, site } }),
    files: (files ?? []).map(({ from, ...file }, index) => ({
      ...file,
      content: beside.bytes(from, ['files', index, 'from']),
    })),
  };
}

/** A problem of a file's content stands, in the product file, where that file is named. */
function asInFile(problem: Problem, described: ProductFile): Problem {
  const { path: at, what } = problem;
  const named: Readonly<Record<string, string | undefined>> = {
    unit: described.unit,
    socket: described.socket,
    'nginx.site': described.nginx?.site,
  };
  const [first, index, last] = at;
  if (first === 'files' && last === 'content') {
    const from = described.files?.[Number(index)]?.from ?? '';
    return { path: [...at.slice(0, -1), 'from'], what: `${from}: ${what}` };
  }
  const name = named[nameOf(at)];
  return name === undefined ? problem : { path: at, what: `${name}: ${what}` };
}

/**
 * @param file path of a product file; docs/reference/product.md says what stands in it
 * @throws InstallerError E_PRODUCT_INVALID with every problem, each with its line and column: first what is wrong with
 *   single fields, and once they are right what fields and files have to do with each other
 */
export async function readProductFile(file: string): Promise<Product> {
  const bytes = readRegular(file);
  if (typeof bytes === 'string')
    throw new InstallerError('E_PRODUCT_INVALID', {
      what: `The product file ${file} cannot be used: ${bytes}.`,
      remedy: 'Give a YAML or JSON file that exists and can be read.',
    });
  const text = textOf(bytes);
  if (text === null) throw failure(file, [{ line: 1, column: 1, what: 'it is not UTF-8' }]);
  const [yaml, { productFileSchema }, { readAs }, { serviceOf }] = await Promise.all([
    import('yaml'),
    import('./products/service/definition.ts'),
    import('./products/service/problems.ts'),
    import('./products/service/index.ts'),
  ]);
  const written = parseText(yaml, text);
  if (!written.ok) throw failure(file, written.problems);
  const { places, value } = written;
  const described = readAs(productFileSchema, value);
  if (!described.ok)
    throw failure(
      file,
      described.problems.map((problem) => places.of(problem)),
    );
  const beside = new Beside(path.dirname(file));
  const definition = definitionOf(described.value, beside);
  const made = beside.problems.length > 0 ? null : serviceOf(definition);
  if (made?.ok === true) return made.product;
  const problems = made === null ? beside.problems : made.problems;
  throw failure(
    file,
    problems.map((problem) => places.of(asInFile(problem, described.value))),
  );
}
