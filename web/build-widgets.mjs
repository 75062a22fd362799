// Builds the widgets for pages of other sites: `widgets.js`, a folder of its version whose files never change, and a package
// for bundlers.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { rolldown } from 'rolldown';
import { packWidgets } from './widgets-package.mjs';

const web = dirname(fileURLToPath(import.meta.url));
const source = join(web, 'src/widgets');
const build = join(web, 'build');
const { version } = JSON.parse(await readFile(join(web, 'package.json'), 'utf8'));
const { kinds } = await import('./src/widgets/kinds.ts');

async function bundle(input, { define, ...output } = {}) {
  const made = await rolldown({ input, platform: 'browser', transform: { target: 'es2022', define } });
  const { output: chunks } = await made.generate({ format: 'esm', minify: true, ...output });
  await made.close();
  // In code without comments lines end in style sheets only.
  return chunks.map(({ code, fileName, imports, moduleIds }) => ({
    ...{ fileName, imports, moduleIds },
    code: code.replaceAll(/\s*\n\s*/g, ' ').trim(),
  }));
}

const hashOf = (text, algorithm) => createHash(algorithm).update(text).digest('base64');
const integrityOf = (text) => `sha384-${hashOf(text, 'sha384')}`;

async function write(path, text) {
  await mkdir(dirname(path), { recursive: true });
  const [packed, zipped] = await Promise.all([
    promisify(brotliCompress)(text),
    promisify(gzip)(text, { level: 9 }),
  ]);
  await Promise.all([
    writeFile(path, text),
    writeFile(`${path}.br`, packed),
    writeFile(`${path}.gz`, zipped),
  ]);
}

// Few files: each has its name and its hash in the loader. What several need goes with the first.
const groups = [
  { name: 'client', priority: 3, test: /(client\/(stream-client|subscription)|core\/own-wire)\.ts$/ },
  { name: 'book', priority: 1, test: /(book\/order-book|client\/book-subscription|core\/books)\.ts$/ },
  {
    name: 'drawing',
    priority: 2,
    test: /(core\/(canvas-colours|table)|format\/(scales|steady|size-format))\.ts$/,
  },
  { name: 'widget', priority: 4, test: /(core\/(widget|stream-url)|client\/(rows|emitter))\.ts$/ },
];

const parts = await bundle(
  Object.fromEntries(kinds.map((kind) => [kind, join(source, 'kinds', `${kind}.ts`)])),
  {
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: { groups },
  },
);
const [worker] = await bundle(join(source, 'worker.ts'));
const [embed] = await bundle(join(source, 'embed.ts'));
const byName = new Map(parts.map((part) => [part.fileName, part]));

/** A module and all that it imports, what is imported first. */
function withImports(name, found = []) {
  for (const inner of byName.get(name).imports) if (!found.includes(inner)) withImports(inner, found);
  if (!found.includes(name)) found.push(name);
  return found;
}

const dynamic = (module) =>
  parts.find(({ moduleIds }) => moduleIds.includes(join(source, 'core', module))).fileName;
const kindFiles = kinds.map((kind) => `${kind}.js`);
const wires = { own: withImports(dynamic('own-wire.ts')), shared: withImports(dynamic('shared-wire.ts')) };
/** What several need, after what is a kind's own. */
const sharedFiles = [
  ...new Set([...Object.values(wires), ...kindFiles.map((name) => withImports(name))].flat()),
].filter((name) => !kindFiles.includes(name));
const files = [...kindFiles, ...sharedFiles];
const placesOf = (names) => names.map((name) => files.indexOf(name));
const define = (base, root, isPinned) =>
  Object.fromEntries(
    Object.entries({
      BASE: base,
      ROOT: root,
      SHARED: sharedFiles.map((name) => name.slice(0, -'.js'.length)),
      HASHES: isPinned ? files.map((name) => hashOf(byName.get(name).code, 'sha256')) : [],
      NEEDS: kindFiles.map((name) => placesOf(withImports(name).filter((other) => other !== name))),
      WIRES: Object.fromEntries(Object.entries(wires).map(([name, made]) => [name, placesOf(made)])),
    }).map(([name, value]) => [`DEPTHWIRE_${name}`, JSON.stringify(value)]),
  );
/** @param isPinned whether it is one that a page has by its own hash: then it knows those of all others */
const loader = async (base, root, isPinned) =>
  (await bundle(join(source, 'loader.ts'), { define: define(base, root, isPinned) }))[0].code;

const all = new Map([
  ['widgets.js', await loader('./', '../../', true)],
  ['worker.js', worker.code],
  ['embed.js', embed.code],
  ['embed.css', await readFile(join(source, 'embed.css'), 'utf8')],
  ...parts.map(({ fileName, code }) => [fileName, code]),
]);
const content = createHash('sha256')
  .update(JSON.stringify([...all]))
  .digest('hex')
  .slice(0, 8);
const release = `${version}-${content}`;

await rm(join(build, 'widgets'), { recursive: true, force: true });
for (const [name, code] of all) await write(join(build, 'widgets', release, name), code);
await write(join(build, 'widgets.js'), await loader(`./widgets/${release}/`, '../../', false));
await write(join(build, 'widgets/worker.js'), `import './${release}/worker.js';\n`);
const page = await readFile(join(source, 'embed.html'), 'utf8');
await write(join(build, 'embed.html'), page.replaceAll('%release%', release));
/** What a page of another site loads for one widget of a kind. */
const loadedFor = (kind) => [...new Set(['widgets.js', ...wires.own, ...withImports(`${kind}.js`)])];
const loaded = Object.fromEntries(kinds.map((kind) => [kind, loadedFor(kind)]));
const manifest = {
  version: release,
  files: Object.fromEntries([...all].map(([name, code]) => [name, integrityOf(code)])),
  kinds: loaded,
};
await write(join(build, 'widgets/manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
await packWidgets({
  chunks: await bundle(
    { index: join(source, 'module.ts') },
    { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash:6].js' },
  ),
  worker: worker.code,
  // What comes after a plus may be any digits.
  version: release.replace('-', '+'),
  file: join(build, 'widgets/depthwire-widgets.tgz'),
});

for (const [kind, names] of Object.entries(loaded)) {
  const sizes = await Promise.all(
    names.map(async (name) => (await promisify(gzip)(all.get(name), { level: 9 })).length),
  );
  const size = sizes.reduce((sum, one) => sum + one, 0);
  process.stdout.write(`${kind.padEnd(16)} ${(size / 1000).toFixed(1).padStart(6)} kB gz\n`);
}
