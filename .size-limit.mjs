import { existsSync, readFileSync } from 'node:fs';

const widgets = 'web/build/widgets';
const manifest = `${widgets}/manifest.json`;

/** What a page loads for one widget of a kind, as the build tells; before it has, size-limit says what is missing. */
function loadedFor(kind) {
  if (!existsSync(manifest)) return [manifest];
  const { version, kinds } = JSON.parse(readFileSync(manifest, 'utf8'));
  return kinds[kind].map((name) => `${widgets}/${version}/${name}`);
}

/** The loader that a page has by its hash: it knows those of all other files. */
function pinnedLoader() {
  if (!existsSync(manifest)) return manifest;
  return `${widgets}/${JSON.parse(readFileSync(manifest, 'utf8')).version}/widgets.js`;
}

export default [
  {
    name: 'dashboard, all scripts',
    path: 'web/build/_app/immutable/**/*.js',
    limit: '490 kB',
    gzip: true,
  },
  {
    name: 'client SDK, as an embedding page bundles it',
    path: 'shared/build/size/client.js',
    limit: '15 kB',
    gzip: true,
  },
  {
    name: 'book replica and codec alone',
    path: 'shared/build/size/replica.js',
    limit: '8.5 kB',
    gzip: true,
  },
  {
    name: 'all of the SDK in one module',
    path: 'shared/build/depthwire.js',
    limit: '18.5 kB',
    gzip: true,
  },
  {
    name: 'widgets: what a page loads at once',
    path: 'web/build/widgets.js',
    limit: '3 kB',
    gzip: true,
  },
  {
    name: 'widgets: the same, held against its hash',
    path: pinnedLoader(),
    limit: '3 kB',
    gzip: true,
  },
  {
    name: 'widgets: a ticker in all',
    path: loadedFor('ticker'),
    limit: '25 kB',
    gzip: true,
  },
];
