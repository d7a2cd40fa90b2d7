/** For vitest: tests that run the command line get the one of `in-process.ts`. */
import { fileURLToPath } from 'node:url';

const inProcess = fileURLToPath(new URL('in-process.ts', import.meta.url));

export const commandLineInProcess = () => ({
  name: 'command-line-in-process',
  enforce: 'pre',
  resolveId: (source, importer = '') =>
    /\/tests\/(?!mutation\/)/u.test(importer) && /(?:support|\.)\/installer\.ts$/u.test(source)
      ? inProcess
      : null,
  // Stryker asks for threads, in which neither the umask nor signals can be set.
  configureVitest: ({ project }) => {
    project.config.pool = 'forks';
  },
});
