import { defineConfig } from 'vitest/config';
import { textModules } from './tests/support/text-modules.ts';

/** Tests that need nothing but this machine's user; those on real hosts are in vitest.hosts.config.ts. */
export default defineConfig({
  plugins: [textModules()],
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/**/*.host.test.ts', 'node_modules/**'],
    // Generous, since nothing here waits for time to pass: only a test that hangs runs into it.
    testTimeout: 600_000,
    hookTimeout: 120_000,
    globalSetup: ['tests/support/build.ts'],
  },
});
