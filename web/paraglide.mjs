// How the messages in messages/*.json become functions: see CONTRIBUTING.md, "Words and languages".
// `npm run sync` and vitest run this file, which does nothing where nothing changed; vite takes the options.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const inWeb = (/** @type {string} */ name) => path.join(import.meta.dirname, name);

/** @type {import('@inlang/paraglide-js').CompilerOptions} */
export const options = {
  project: inWeb('project.inlang'),
  outdir: inWeb('src/lib/paraglide'),
  // Which language it is the page says itself: state/language.svelte.ts.
  strategy: ['globalVariable', 'baseLocale'],
  outputStructure: 'locale-modules',
  isServer: 'false',
  cleanOutdir: false,
  emitGitIgnore: false,
  emitPrettierIgnore: false,
  emitReadme: false,
};

/** A hash over all that the output follows from; package.json has the compiler's version. */
function inputsHash() {
  const messages = fs.readdirSync(inWeb('messages')).map((name) => `messages/${name}`);
  const hash = createHash('sha256');
  for (const name of ['package.json', 'paraglide.mjs', 'project.inlang/settings.json', ...messages.sort()])
    hash.update(`${name}\0`).update(fs.readFileSync(inWeb(name)));
  return hash.digest('hex');
}

/** Writes only what differs: others may be reading what is there. */
/** @type {typeof fs.promises.writeFile} */
async function writeFile(file, content, more) {
  const before = await fs.promises.readFile(String(file), 'utf8').catch(() => null);
  if (before !== content) await fs.promises.writeFile(file, content, more);
}

if (process.argv[1] === import.meta.filename) {
  const stamp = path.join(options.outdir, '.inputs');
  const inputs = inputsHash();
  if (!fs.existsSync(stamp) || fs.readFileSync(stamp, 'utf8') !== inputs) {
    const { compile } = await import('@inlang/paraglide-js');
    const careful = { ...fs, promises: { ...fs.promises, writeFile } };
    await compile({ ...options, fs: /** @type {typeof fs} */ (careful) });
    fs.writeFileSync(stamp, inputs);
  }
  process.exit(); // what the compiler opened would keep the process for half a minute
}
