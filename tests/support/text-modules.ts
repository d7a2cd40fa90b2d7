/** `import code from './x.py'` for vitest, as the build does it. */
import { readFileSync } from 'node:fs';

export const textModules = () => ({
  name: 'text-modules',
  enforce: 'pre' as const,
  load(id: string): string | null {
    const [file = ''] = id.split('?');
    return file.endsWith('.py') ? `export default ${JSON.stringify(readFileSync(file, 'utf8'))};` : null;
  },
});
