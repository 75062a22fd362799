import { runAs, type Culprit } from '../engine/blame.ts';
import type { WatchedModule } from '../engine/feed-source.ts';

/** A module that was plugged in. What it does apart from its feeds, such as a timer at its top level, is told to them. */
export class PluginModule implements Culprit, WatchedModule {
  readonly #watchers: ((error: unknown) => void)[] = [];
  /** The first error of the time before anybody watched. */
  #early: { error: unknown } | null = null;

  /** Runs a piece of its code, and all that comes of it later, in its name. */
  run<T>(task: () => T): T {
    return runAs(this, task);
  }

  watch(onError: (error: unknown) => void): void {
    this.#watchers.push(onError);
    if (this.#early) onError(this.#early.error);
  }

  onUncaught(error: unknown): void {
    if (this.#watchers.length === 0) this.#early ??= { error };
    for (const onError of this.#watchers) onError(error);
  }
}

const byUrl = new Map<string, PluginModule>();

/** One for each URL: Node loads a module once, however many feeds name it. */
export function moduleOf(url: string): PluginModule {
  let module = byUrl.get(url);
  if (!module) byUrl.set(url, (module = new PluginModule()));
  return module;
}
