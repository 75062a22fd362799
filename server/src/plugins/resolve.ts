import { statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Where a folder's module is looked for. */
const INDEX_FILES = ['index.ts', 'index.js', 'index.mjs'];
/** What a module that is plugged in has from this very process, wherever it lies. */
const OWN_PACKAGE = /^@depthwire\/(shared|feeds)(\/|$)/;
const OWN_FOLDER = new URL('./', import.meta.url).href;

/** `./my-feed.ts`, `../feeds/mine`, `/srv/feeds/mine.ts`, `C:\feeds\mine.ts`. */
export function isPath(name: string): boolean {
  return /^\.{0,2}[/\\]/.test(name) || isAbsolute(name) || /^[a-z]:[/\\]/i.test(name);
}

/**
 * Where the file or folder of this name is, as a URL.
 * @throws Error that says where it was looked for
 */
export function resolvePath(name: string, folder: string): string {
  const path = resolve(folder, name);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile()) return pathToFileURL(path).href;
  if (!stat?.isDirectory())
    throw new Error(`there is no ${path}; a path is taken from the folder of the configuration file`);
  const index = INDEX_FILES.map((file) => join(path, file)).find((file) =>
    statSync(file, { throwIfNoEntry: false })?.isFile(),
  );
  if (index === undefined) throw new Error(`the folder ${path} has none of ${INDEX_FILES.join(', ')}`);
  return pathToFileURL(index).href;
}

/**
 * Where the package of this name is, as a URL: looked for from the folder, and then from here.
 * @throws Error
 */
export function resolvePackage(name: string, folder: string): string {
  const from = pathToFileURL(join(folder, 'depthwire.yaml')).href;
  try {
    return resolveFrom(name, from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return resolveFrom(name, OWN_FOLDER);
  }
}

/** As an `import` in that module would find it. */
function resolveFrom(name: string, parentURL: string): string {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, specifier === name ? { ...context, parentURL } : context),
  });
  try {
    return import.meta.resolve(name);
  } finally {
    hooks.deregister();
  }
}

let isSharing = false;

/**
 * From here on modules outside this checkout get `@depthwire/feeds` and `@depthwire/shared` from it,
 * without being installed; and never another copy, whose errors and books would be strangers here.
 */
export function sharePackages(): void {
  if (isSharing) return;
  isSharing = true;
  registerHooks({
    resolve(specifier, context, next) {
      return OWN_PACKAGE.test(specifier)
        ? next(specifier, { ...context, parentURL: OWN_FOLDER })
        : next(specifier, context);
    },
  });
}

/** For messages: a path where it is one. */
export function shownUrl(url: string): string {
  return url.startsWith('file:') ? fileURLToPath(url) : url;
}
