import { defineConfig } from 'vitest/config';
import { textModules } from './tests/support/text-modules.ts';

/** Tests that need nothing but this machine's user; those on real hosts are in vitest.hosts.config.ts. */
export default defineConfig({
  plugins: [textModules()],
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/**/*.host.test.ts', 'node_modules/**'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    globalSetup: ['tests/support/build.ts'],
  },
});
