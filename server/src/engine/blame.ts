import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

/** Other people's code, that is told of the errors that nobody caught. */
export interface Culprit {
  onUncaught(error: unknown): void;
}

/** Whose code is running, in whatever callback: an error that nobody caught is told by it whom it came from. */
const running = new AsyncLocalStorage<Culprit | undefined>();

/** Made while nobody's code runs; going back to it costs a tenth of a `run` in nobody's name, for each event. */
const server = new AsyncResource('depthwire-server');

/** Runs a task, and all that comes of it later, in somebody's name. */
export function runAs<T>(culprit: Culprit, task: () => T): T {
  return running.run(culprit, task);
}

/** Runs a task in nobody's name but the server's own. */
export function runAsServer<T>(task: (argument: T) => void, argument: T): void {
  server.runInAsyncScope(task, undefined, argument);
}

/**
 * Takes an error that nobody caught for the failure of whose callback it was thrown in.
 * @returns false where that was nobody but the server itself
 */
export function blameFeed(error: unknown): boolean {
  const culprit = running.getStore();
  culprit?.onUncaught(error);
  return culprit !== undefined;
}
