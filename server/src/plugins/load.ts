import { setTimeout as delay } from 'node:timers/promises';
import { defineVenue, type Feed, type VenueAdapter, type VenueDefinition } from '@depthwire/feeds';
import { DepthwireError } from '@depthwire/shared';
import { feedProblem, isRecord, show, venueProblem } from './check.ts';
import { moduleOf, type PluginModule } from './plugin-module.ts';
import { isPath, resolvePackage, resolvePath, sharePackages, shownUrl } from './resolve.ts';

/** Longest wait for a module that awaits something while it loads. */
const LOAD_LIMIT_MS = 10_000;
const DEFAULT_EXPORT =
  'export default either a factory, (options) => feed, or a venue’s adapter, defineVenue({ … })';

/** Options of a feed as the configuration has them, all but `feed`. */
export type FeedOptions = Readonly<Record<string, unknown>>;

/** What a module that was named as a feed has to offer. */
export type FeedPlugin = { readonly module: PluginModule } & (
  | { readonly kind: 'venue'; readonly adapter: VenueAdapter }
  | {
      readonly kind: 'factory';
      /** @throws DepthwireError `invalid_config` where what the factory returns is no feed; else what the factory throws */
      create(options: FeedOptions): Feed;
    }
);

/**
 * Loads the module that a configuration names as a feed, by path or by package name.
 * @param folder that a path is relative to, and a package is looked for from
 * @throws DepthwireError `unknown_feed` where there is no such module, `invalid_config` where it is not usable
 */
export async function loadPlugin(name: string, folder: string): Promise<FeedPlugin> {
  const url = locate(name, folder);
  sharePackages();
  const module = moduleOf(url);
  const inTime = new AbortController();
  let exports: Record<string, unknown>;
  try {
    const loaded = module.run(() => import(/* @vite-ignore */ url)) as Promise<Record<string, unknown>>;
    // A module that waits for nothing lets the event loop run dry: it is this timer that keeps the process.
    const late = delay(LOAD_LIMIT_MS, null, { signal: inTime.signal });
    late.catch(() => undefined);
    const first = await Promise.race([loaded, late]);
    if (first === null)
      throw new Error(`it was not loaded within ${LOAD_LIMIT_MS / 1000} s: await nothing at its top level`);
    exports = first;
  } catch (error) {
    throw unusable(`${shownUrl(url)} could not be loaded: ${explain(error)}`);
  } finally {
    inTime.abort();
  }
  const { default: exported } = exports;
  if (typeof exported === 'function')
    return factoryPlugin(module, exported as (options: FeedOptions) => unknown);
  if (!isRecord(exported)) {
    const others = Object.keys(exports).filter((key) => key !== 'default');
    const has = others.length > 0 ? ` (it exports ${others.slice(0, 10).join(', ')})` : '';
    throw unusable(`${shownUrl(url)}: its default export is ${show(exported)}${has}: ${DEFAULT_EXPORT}`);
  }
  if ('start' in exported)
    throw unusable(
      `${shownUrl(url)}: its default export is a feed: export the factory, () => feed, because a feed that failed is made anew`,
    );
  const problem = venueProblem(exported);
  if (problem !== null) throw unusable(`${shownUrl(url)}: ${problem}`);
  return { kind: 'venue', module, adapter: defineVenue(exported as unknown as VenueDefinition) };
}

function factoryPlugin(module: PluginModule, factory: (options: FeedOptions) => unknown): FeedPlugin {
  return {
    kind: 'factory',
    module,
    create(options) {
      const feed = factory(structuredClone(options));
      const problem = feedProblem(feed);
      if (problem !== null) throw unusable(problem);
      return feed as Feed;
    },
  };
}

function locate(name: string, folder: string): string {
  try {
    return isPath(name) ? resolvePath(name, folder) : resolvePackage(name, folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isMissing =
      isPath(name) || code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_INVALID_MODULE_SPECIFIER';
    throw isMissing
      ? new DepthwireError(
          'unknown_feed',
          isPath(name) ? message : `no package ${name} was found`,
          { feed: name },
          error,
        )
      : unusable(`the package ${name}: ${message}`, error);
  }
}

/** What Node says, and what to do about it where that is known. */
function explain(error: unknown): string {
  try {
    return explanation(error);
  } catch {
    return 'it threw what cannot be shown';
  }
}

function explanation(error: unknown): string {
  const { code, message = String(error), stack = '' } = (error ?? {}) as NodeJS.ErrnoException;
  switch (code) {
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return 'Node runs no TypeScript from node_modules: publish the package as JavaScript, or link its folder';
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return `${message}: Node strips types and no more, so write no enum, namespace or parameter property`;
    case 'ERR_MODULE_NOT_FOUND':
      return `${message} (an import of a file carries its ending: './emulator.ts')`;
    default: {
      // The first lines of the stack of a syntax error say where it is.
      const place = error instanceof SyntaxError ? (/^(file:\S+|\/\S+):\d+/.exec(stack)?.[0] ?? '') : '';
      return `${(error as Error | null)?.name ?? 'error'}: ${message}${place && ` at ${place}`}`;
    }
  }
}

const unusable = (message: string, cause?: unknown) =>
  new DepthwireError('invalid_config', message, {}, cause);
