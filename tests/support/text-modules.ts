/** `import code from './x.py'` and `import page from './x.html?text'` for vitest, as the build does it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { textOf } from '../../scripts/text-modules.mjs';

// Not a file name to vite, which would make a module of a style sheet by itself.
const prefix = '\0text:';
const suffix = '?text';

export const textModules = () => ({
  name: 'text-modules',
  enforce: 'pre' as const,
  resolveId(source: string, importer: string | undefined): string | null {
    if (importer === undefined || !source.endsWith(suffix)) return null;
    const file = path.resolve(path.dirname(importer), source.slice(0, -suffix.length));
    return `${prefix}${file}#`;
  },
  async load(id: string): Promise<string | null> {
    if (id.startsWith(prefix)) {
      const text = await textOf(id.slice(prefix.length, -1));
      return `export default ${JSON.stringify(text)};`;
    }
    const [file = ''] = id.split('?');
    return file.endsWith('.py') ? `export default ${JSON.stringify(readFileSync(file, 'utf8'))};` : null;
  },
});
