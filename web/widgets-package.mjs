// Packs the widgets for bundlers: an npm package, which the server serves as one file.
import { execFile, exec } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';

const web = dirname(fileURLToPath(import.meta.url));
const source = join(web, 'src/widgets');
const NAME = '@depthwire/widgets';
/** Types for the templates of frameworks, an entry each. */
const templates = ['react', 'svelte', 'vue'];
/** What the declarations of the public face are made of: nothing else is told to those who use it. */
const faces = ['module', 'types', 'events', 'kinds', ...templates.map((name) => `templates/${name}`)];

/** By name: declarations that import each other only, and the framework of a template. */
function declarations() {
  const program = ts.createProgram({
    rootNames: faces.map((name) => join(source, `${name}.ts`)),
    options: {
      ...{ declaration: true, emitDeclarationOnly: true, noResolve: true, strict: true },
      ...{ target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, removeComments: false },
      ...{ moduleResolution: ts.ModuleResolutionKind.Bundler, allowImportingTsExtensions: true },
    },
  });
  return new Map(
    faces.map((name) => {
      let text;
      const file = program.getSourceFile(join(source, `${name}.ts`));
      program.emit(file, (_path, written) => (text = written), undefined, true);
      if (text === undefined) throw new Error(`${name}.ts: its declarations could not be written`);
      return [`${name}.d.ts`, text.replaceAll(/(?<=from '\.[^']*)\.ts(?=')/g, '.js')];
    }),
  );
}

/** @returns the path of what `npm pack` wrote */
async function pack(folder) {
  const npm = process.env.npm_execpath ?? '';
  const options = { cwd: folder, maxBuffer: 2 ** 24 };
  const { stdout } = npm.endsWith('npm-cli.js')
    ? await promisify(execFile)(process.execPath, [npm, 'pack', '--json'], options)
    : await promisify(exec)('npm pack --json', options); // by a shell, for on Windows it is none but a script
  return join(folder, JSON.parse(stdout)[0].filename);
}

/**
 * @param chunks what is run: `index.js` and what it loads
 * @param worker the code of the SharedWorker
 */
export async function packWidgets({ chunks, worker, version, file }) {
  const folder = await mkdtemp(join(tmpdir(), 'depthwire-widgets-'));
  const charts = dirname(createRequire(import.meta.url).resolve('lightweight-charts/package.json'));
  const entry = (name) => ({ types: `./${name}.d.ts`, default: './templates/nothing.js' });
  const manifest = {
    name: NAME,
    version,
    description: 'Live market data as custom elements, from a Depthwire server of your own.',
    license: 'MIT',
    type: 'module',
    sideEffects: ['./worker.js'],
    main: './index.js',
    types: './module.d.ts',
    exports: {
      '.': { types: './module.d.ts', default: './index.js' },
      ...Object.fromEntries(templates.map((name) => [`./${name}`, entry(`templates/${name}`)])),
      './worker': './worker.js',
      './package.json': './package.json',
    },
  };
  try {
    const texts = new Map([
      ['package.json', `${JSON.stringify(manifest, null, 2)}\n`],
      ...chunks.map(({ fileName, code }) => [fileName, `${code}\n`]),
      ['worker.js', `${worker}\n`],
      ['templates/nothing.js', 'export {};\n'],
      ...declarations(),
    ]);
    await mkdir(join(folder, 'templates'));
    for (const [name, text] of texts) await writeFile(join(folder, name), text);
    for (const name of ['README.md', 'NOTICE'])
      await copyFile(join(source, 'package', name), join(folder, name));
    await copyFile(join(web, '../LICENSE'), join(folder, 'LICENSE'));
    await copyFile(join(charts, 'LICENSE'), join(folder, 'LICENSE-lightweight-charts'));
    await copyFile(await pack(folder), file);
  } finally {
    await rm(folder, { recursive: true });
  }
}
