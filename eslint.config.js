import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What a floor may not import, with the reason as the message. */
const forbid = (files, patterns, ignores = []) => ({
  files,
  ignores,
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});

const pure = 'src/machines and src/diagram are pure: no I/O, no clock, no randomness, no process.';
const downwards =
  'Imports go downwards only: cli, commands, install, effects and journal and render, machines and products.';

export default defineConfig(
  // Examples are somebody else's programs: each has its own dependencies, and is type-checked with them by the tests.
  { ignores: ['dist/', 'reports/', '.stryker-tmp/', 'node_modules/', 'tools/', 'examples/'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Found values are non-null by a rule that the type cannot know; each such place is a lookup beside its check.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'error',
      '@typescript-eslint/dot-notation': 'off',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'error',
    },
  },
  { files: ['**/*.js', '**/*.mjs'], extends: [tseslint.configs.disableTypeChecked] },
  forbid(
    ['src/machines/**', 'src/diagram/**'],
    [
      { group: ['node:*', 'execa', 'dotenv', 'commander', 'diff', '@clack/*', 'valibot'], message: pure },
      {
        group: [
          '../effects/*',
          '../effects/**',
          '../journal/*',
          '../render/*',
          '../commands/*',
          '../products/*',
        ],
        message: downwards,
      },
    ],
  ),
  {
    files: ['src/machines/**', 'src/diagram/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...[
          'process',
          'Date',
          'Buffer',
          'setTimeout',
          'setInterval',
          'setImmediate',
          'performance',
          'crypto',
          'fetch',
          'console',
        ].map((name) => ({ name, message: pure })),
      ],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: pure }],
      'no-restricted-syntax': ['error', { selector: 'ImportExpression', message: pure }],
    },
  },
  forbid(
    ['src/products/**'],
    [
      {
        group: ['**/effects/**', '**/journal/**', '**/render/**', '**/commands/**', '**/install.ts'],
        message: downwards,
      },
    ],
  ),
  forbid(
    ['src/journal/**'],
    [
      {
        group: ['**/machines/**', '**/effects/**', '**/render/**', '**/commands/**', '**/install.ts'],
        message: downwards,
      },
    ],
  ),
  forbid(
    ['src/effects/**'],
    [{ group: ['**/journal/**', '**/render/**', '**/commands/**', '**/install.ts'], message: downwards }],
  ),
  forbid(
    ['src/render/**'],
    [{ group: ['**/journal/**', '**/effects/**', '**/commands/**', '**/install.ts'], message: downwards }],
  ),
);
