import { defineConfig } from 'vitest/config';
import { textModules } from './tests/support/text-modules.ts';

/** Tests on booted Debian hosts: root needed, a host of its own for each test. */
export default defineConfig({
  plugins: [textModules()],
  test: {
    include: ['tests/**/*.host.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // Hosts are light, but each boots a systemd and a Python: more at once than this only makes all of them slower.
    maxWorkers: 3,
    globalSetup: ['tests/support/build.ts', 'tests/hosts/support/global-setup.ts'],
  },
});
