import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import svelte from 'eslint-plugin-svelte';
import { defineConfig, globalIgnores } from 'eslint/config';
import globals from 'globals';
import ts from 'typescript-eslint';

const TIMELESS = 'Time and chance are injected: take a clock, a scheduler or a seeded generator.';

export default defineConfig(
  globalIgnores([
    '**/node_modules/',
    '**/build/',
    '**/dist/',
    '**/.svelte-kit/',
    'web/src/lib/paraglide/',
    'test-results/',
    'data/',
  ]),
  js.configs.recommended,
  ts.configs.strict,
  svelte.configs.recommended,
  prettier,
  svelte.configs.prettier,

  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'object-shorthand': 'error',
      'prefer-template': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-non-null-assertion': 'off', // typed arrays and checked indices would drown in checks
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  // Few programs, each for many files: every one of them reads and checks for itself all that it imports.
  ...Object.entries({
    'tsconfig.lint.json': ['{shared,feeds,server,bench,e2e,scripts,examples}/**/*.ts'],
    'web/tsconfig.json': ['web/src/**/*.ts'],
    'web/src/service-worker/tsconfig.json': ['web/src/service-worker/**/*.ts'],
  }).map(([project, files]) => ({
    files,
    languageOptions: { parserOptions: { project, tsconfigRootDir: import.meta.dirname } },
  })),
  {
    // The rules that need types, for what runs unattended.
    files: ['{shared,feeds,server,bench,e2e,scripts,examples}/**/*.ts', 'web/src/**/*.ts'],
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', name: ['describe', 'test'], package: 'node:test' }] },
      ],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { globals: globals.browser, parserOptions: { parser: ts.parser } },
    rules: {
      'svelte/prefer-svelte-reactivity': 'off', // plain maps are deliberate: a market changes too often to track each entry
      'svelte/no-navigation-without-resolve': 'off', // the app is served from the root
    },
  },
  {
    files: ['{feeds,server,scripts,e2e,examples,bench}/**', '*.{js,ts}', '**/vite.config.*', '**/*.mjs'],
    languageOptions: { globals: globals.node },
  },
  { files: ['web/**'], languageOptions: { globals: globals.browser } },
  { files: ['**/*.cjs'], languageOptions: { globals: globals.node, sourceType: 'commonjs' } },
  {
    // TypeScript knows what is defined, and knows it better.
    files: ['**/*.{ts,svelte}'],
    rules: { 'no-undef': 'off' },
  },
  {
    // A recording replays to the same frames only if nothing here reads the clock by itself.
    files: ['shared/src/**', 'feeds/src/**', 'server/src/{engine,gateway}/**'],
    ignores: ['shared/src/client/platform.ts', 'feeds/src/core/system.ts', '**/*.test.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['performance', 'setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
          name,
          message: TIMELESS,
        })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: TIMELESS },
        { object: 'Math', property: 'random', message: TIMELESS },
        { object: 'process', property: 'hrtime', message: TIMELESS },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: TIMELESS },
        {
          selector:
            "MemberExpression[object.name='globalThis'][property.name=/^(performance|set(Timeout|Interval))$/]",
          message: TIMELESS,
        },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: ['node:perf_hooks', 'node:timers', 'node:timers/promises'].map((name) => ({
            name,
            message: TIMELESS,
          })),
        },
      ],
    },
  },
  {
    // Programs that talk to a terminal.
    files: ['scripts/**', 'server/{bin,test}/**', 'server/src/cli/**', 'examples/**'],
    rules: { 'no-console': 'off' },
  },
);
