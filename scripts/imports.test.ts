import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import manifestOfRoot from '../package.json' with { type: 'json' };

// `npm run imports` on a copy of the house in miniature, in which each wrong import stands once.

const root = path.resolve(import.meta.dirname, '..');

/** The miniature with nothing wrong in it: file to content. */
const house = {
  'shared/package.json': manifest('shared', {}),
  'shared/src/index.ts': `export * from './client/client.ts';`,
  'shared/src/model/units.ts': `export const tick = 1;`,
  'shared/src/book/order-book.ts': `import '../model/units.ts';`,
  'shared/src/protocol/codec.ts': `import '../book/order-book.ts';`,
  'shared/src/client/client.ts': `import '../protocol/codec.ts';`,
  'feeds/package.json': manifest('feeds', { '@depthwire/shared': '0.1.0' }),
  'feeds/src/index.ts': `import './registry.ts'; export * from '@depthwire/shared';`,
  'feeds/src/registry.ts': `import './venues/one/index.ts'; import './venues/two/index.ts';`,
  'feeds/src/core/feed.ts': `import '@depthwire/shared';`,
  'feeds/src/venues/one/index.ts': `import '../../core/feed.ts';`,
  'feeds/src/venues/two/index.ts': `import '../../core/feed.ts';`,
  'server/package.json': manifest(
    'server',
    { '@depthwire/feeds': '0.1.0', fastify: '1.0.0' },
    { vitest: '1.0.0' },
  ),
  'server/bin/depthwire.js': `import '../src/http/app.ts';`,
  'server/src/engine/market.ts': `import '@depthwire/feeds';`,
  'server/src/gateway/hub.ts': `import '../engine/market.ts'; import type { TestAPI } from 'vitest';`,
  'server/src/http/app.ts': `import 'fastify';`,
  'server/src/http/routes.ts': `import type { App } from './app.ts'; export type Routes = App;`,
  'server/src/engine/market.test.ts': `import '../gateway/hub.ts'; import 'vitest';`,
  'web/package.json': manifest('web', { '@depthwire/shared': '0.1.0', svelte: '1.0.0' }),
  'web/src/lib/ticker.ts': `export const ticker = 1;`,
  'web/src/routes/page.svelte': `<script lang="ts">import '@depthwire/shared'; import '../lib/ticker.ts';</script>`,
  'examples/feed.ts': `import '@depthwire/feeds';`,
  'node_modules/fastify/package.json': manifest('fastify', {}),
  'node_modules/fastify/src/index.ts': ``,
  'node_modules/undeclared/package.json': manifest('undeclared', {}),
  'node_modules/undeclared/src/index.ts': ``,
  'node_modules/vitest/package.json': manifest('vitest', {}),
  'node_modules/vitest/src/index.ts': `export type TestAPI = never;`,
};

/** A wrong import, and the rule that must say so. */
const mistakes: [rule: string, file: string, content: string][] = [
  ['shared-imports-no-package', 'shared/src/model/a.ts', `import '@depthwire/feeds';`],
  ['feeds-import-shared-only', 'feeds/src/core/a.ts', `import '../../../server/src/engine/market.ts';`],
  ['server-imports-no-web', 'server/src/http/a.ts', `import '../../../web/src/lib/ticker.ts';`],
  ['web-imports-shared-only', 'web/src/lib/a.ts', `import '@depthwire/feeds';`],
  ['web-imports-shared-only', 'web/src/routes/a.svelte', `<script>import '@depthwire/feeds';</script>`],
  ['examples-are-strangers', 'examples/a.ts', `import '../server/src/engine/market.ts';`],
  ['bare-names-across-packages', 'feeds/src/core/b.ts', `import '../../../shared/src/index.ts';`],
  ['resolvable', 'feeds/src/core/c.ts', `import '@depthwire/shared/src/model/units.ts';`],
  ['shared-model', 'shared/src/model/b.ts', `import '../book/order-book.ts';`],
  ['shared-book', 'shared/src/book/a.ts', `import '../protocol/codec.ts';`],
  ['shared-protocol', 'shared/src/protocol/a.ts', `import '../client/client.ts';`],
  ['shared-client', 'shared/src/client/a.ts', `import '../index.ts';`],
  ['shared-inspect', 'shared/src/inspect/a.ts', `import '../client/client.ts';`],
  ['shared-depth', 'shared/src/depth/a.ts', `import '../client/client.ts';`],
  ['venues-are-strangers', 'feeds/src/venues/one/a.ts', `import '../two/index.ts';`],
  ['feeds-core-names-no-feed', 'feeds/src/core/d.ts', `import '../venues/one/index.ts';`],
  ['engine-has-no-sockets', 'server/src/engine/a.ts', `import '../gateway/hub.ts';`],
  ['engine-has-no-sockets', 'server/src/engine/b.ts', `import 'fastify';`],
  [
    'no-cycles',
    'server/src/http/app.ts',
    `import 'fastify'; import type { Routes } from './routes.ts'; export type App = Routes;`,
  ],
  ['no-orphans', 'feeds/src/core/e.ts', ``],
  ['declared-dependencies', 'server/src/http/e.ts', `import 'undeclared';`],
  ['no-dev-dependencies-in-production', 'server/src/http/f.ts', `import 'vitest';`],
];

let folder: string;
beforeAll(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'depthwire-imports-'))));
afterAll(() => rmSync(folder, { recursive: true }));

test('a house without a wrong import passes', () => {
  build('right', house);
  expect(violations('right')).toEqual([]);
});

test('each wrong import is found by the rule that forbids it', () => {
  build('wrong', { ...house, ...Object.fromEntries(mistakes.map(([, file, content]) => [file, content])) });
  const expected = mistakes.map(([rule, file]) => `${rule}: ${file}`);
  expect(violations('wrong')).toEqual(expect.arrayContaining(expected));
});

function manifest(name: string, dependencies: object, devDependencies = {}) {
  const scoped = ['shared', 'feeds', 'server', 'web'].includes(name) ? `@depthwire/${name}` : name;
  return JSON.stringify({ name: scoped, exports: './src/index.ts', dependencies, devDependencies });
}

function build(name: string, files: Record<string, string>) {
  const write = (file: string, content: string) => {
    const target = path.join(folder, name, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, content);
  };
  for (const [file, content] of Object.entries(files)) write(file, content);
  mkdirSync(path.join(folder, name, 'node_modules/@depthwire'));
  for (const dependency of ['shared', 'feeds', 'server', 'web']) {
    symlinkSync(
      path.join('../..', dependency),
      path.join(folder, name, 'node_modules/@depthwire', dependency),
    );
  }
  copyFileSync(
    path.join(root, '.dependency-cruiser.cjs'),
    path.join(folder, name, '.dependency-cruiser.cjs'),
  );
  symlinkSync(path.join(root, 'node_modules/svelte'), path.join(folder, name, 'node_modules/svelte'));
}

/** What `npm run imports` finds there, as `rule: file`. */
function violations(name: string): string[] {
  const cwd = path.join(folder, name);
  const [, ...args] = manifestOfRoot.scripts.imports.split(' ');
  const cli = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [cli, ...args, '--output-type', 'json'], {
    cwd,
    encoding: 'utf8',
  });
  if (!stdout) throw new Error(stderr);
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: { rule: { name: string }; from: string }[] };
  };
  return summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`);
}
