// Which way imports run: shared ← feeds ← server, shared ← web (see ARCHITECTURE.md).
// scripts/imports.test.ts proves that each of these rules catches what it is for.

const TEST = String.raw`\.test\.ts$`;
const source = (folder) => ({ path: `^${folder}/`, pathNot: TEST });

/** Files of `from` may not import these folders. */
const no = (name, from, to, comment) => ({
  name,
  severity: 'error',
  comment,
  from: source(from),
  to: { path: to },
});

/** Files of one layer of shared may import that layer and these, nothing else of shared. */
const layer = (name, ...allowed) => ({
  name: `shared-${name}`,
  severity: 'error',
  comment: 'The layers of shared: model ← book ← protocol ← client, inspect, depth; client ← remote.',
  from: source(`shared/src/${name}`),
  to: { path: '^shared/src/', pathNot: `^shared/src/(${[name, ...allowed].join('|')})/` },
});

module.exports = {
  forbidden: [
    no(
      'shared-imports-no-package',
      'shared',
      '^(feeds|server|web)/',
      'Every home of a book stands on shared.',
    ),
    no('feeds-import-shared-only', 'feeds', '^(server|web)/', 'A feed knows nothing of who consumes it.'),
    no('server-imports-no-web', 'server', '^web/', 'The server serves files, it does not know the app.'),
    no(
      'web-imports-shared-only',
      'web',
      '^(feeds|server)/',
      'A screen knows the protocol and nothing behind it.',
    ),
    {
      name: 'examples-are-strangers',
      severity: 'error',
      comment: 'What a feed of anybody else could not import is no example.',
      from: { path: '^examples/' },
      to: {
        path: '^(shared|feeds|server|web)/',
        pathNot: String.raw`^(shared/src|feeds/src|feeds/src/kit)/index\.ts$`,
      },
    },
    {
      name: 'bare-names-across-packages',
      severity: 'error',
      comment: 'Another package is imported by its name, never by a path into it.',
      from: { path: '^(shared|feeds|server|web)/', pathNot: TEST },
      to: { path: '^(shared|feeds|server|web)/', pathNot: '^$1/', dependencyTypes: ['local'] },
    },

    layer('model'),
    layer('book', 'model'),
    layer('protocol', 'model', 'book'),
    layer('client', 'model', 'book', 'protocol'),
    layer('inspect', 'model', 'book', 'protocol'),
    layer('depth', 'model', 'book', 'protocol'),
    layer('remote', 'model', 'book', 'protocol', 'client'),

    {
      name: 'venues-are-strangers',
      severity: 'error',
      comment: 'A venue is one folder; what two of them share belongs in feeds/src/core.',
      from: { path: '^feeds/src/venues/([^/]+)/', pathNot: TEST },
      to: { path: '^feeds/src/venues/[^/]+/', pathNot: '^feeds/src/venues/$1/' },
    },
    no(
      'feeds-core-names-no-feed',
      'feeds/src/core',
      '^feeds/src/(venues|simulator|registry)',
      'The contract does not depend on those who fulfil it.',
    ),
    no(
      'engine-has-no-sockets',
      'server/src/engine',
      '^server/src/(gateway|http|cli)/|node_modules/(fastify|@fastify|ws)/',
      'The engine computes; the gateway and HTTP talk.',
    ),

    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Type-only imports count: one of them is enough to tie files into a knot.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'Nothing imports this file, and it imports nothing.',
      from: {
        orphan: true,
        pathNot: [TEST, String.raw`\.(d\.ts|config\.[jt]s|json)$`, '^web/(src/routes|static)/'],
      },
      to: {},
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'The imported file does not exist, or its package does not export it.',
      from: {},
      to: { couldNotResolve: true, pathNot: String.raw`^\$(app|env)/` },
    },
    {
      name: 'declared-dependencies',
      severity: 'error',
      comment:
        'A package imports only what its own package.json lists. (Types for templates are for those who have that framework.)',
      from: { pathNot: [TEST, '^(server|shared)/test/', '^web/src/widgets/templates/'] },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-dependencies-in-production',
      severity: 'error',
      comment:
        'What runs on a server is a dependency, or a peer where it is optional. (The web app is bundled: all it needs is there at build time.)',
      from: { path: '^(shared|feeds|server)/src/', pathNot: TEST },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // They import a package as somebody else has installed it.
    exclude: { path: '^examples/widgets/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.svelte', '.mjs', '.cjs', '.d.ts', '.json'],
    },
  },
};
