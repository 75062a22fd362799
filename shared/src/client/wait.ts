import { DepthwireError } from '../model/errors.ts';
import type { Hello } from '../protocol/messages.ts';
import type { DepthwireClient } from './client.ts';
import type { Subscription } from './subscription.ts';

/** The part of the standard's AbortSignal that is used here: this package has the types of no platform. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface WaitOptions {
  /** Ends the wait: with its reason, or for `changes` without an error. */
  readonly signal?: AbortSignalLike;
}

/**
 * The greeting, once the connection is open; at once where it is. Losing it meanwhile is no error: the client tries again.
 * @throws DepthwireError `client_closed`, or why the client gave up
 */
export function whenOpen(client: DepthwireClient, { signal }: WaitOptions = {}): Promise<Hello> {
  let last: DepthwireError | null = null;
  return settle(signal, (resolve, reject) => {
    const look = () => {
      if (client.hello) resolve(client.hello);
      else if (client.state === 'closed') reject(last ?? closed('the client'));
    };
    const stops = [
      client.on('state', (state) => {
        if (state === 'open') look();
        // The error that tells why follows the state.
        else if (state === 'closed') void Promise.resolve().then(look);
      }),
      client.on('error', (error) => (last = error)),
    ];
    look();
    return stops;
  });
}

/**
 * The same subscription once it has data; at once where it has. Whether a book is live, its `state` says.
 * @throws DepthwireError why the server refuses it for good; `client_closed` where the subscription was closed
 */
export function whenReady<S extends Subscription>(subscription: S, { signal }: WaitOptions = {}): Promise<S> {
  return settle(signal, (resolve, reject) => {
    const look = () => {
      if (subscription.isClosed) reject(closed(subscription.instrumentId));
      else if (subscription.hasData) resolve(subscription);
      else if (subscription.refusal && !subscription.refusal.retry) reject(subscription.refusal);
    };
    const stops = (['change', 'error', 'close'] as const).map((name) => subscription.on(name, look));
    look();
    return stops;
  });
}

/**
 * Each change of a subscription, for `for await`. Whoever takes longer than there is between two changes gets one for
 * all that came meanwhile: nothing queues up. Ends when the signal does or the subscription was closed; leaving the
 * loop does not close the subscription.
 * @throws DepthwireError why the server refuses it for good
 */
export async function* changes<S extends Subscription>(
  subscription: S,
  { signal }: WaitOptions = {},
): AsyncGenerator<S, void, void> {
  let isDue = subscription.hasData;
  let wake = () => {};
  const stops = (['change', 'error', 'close'] as const).map((name) =>
    subscription.on(name, () => {
      if (name === 'change') isDue = true;
      wake();
    }),
  );
  const abort = () => wake();
  signal?.addEventListener('abort', abort);
  try {
    for (;;) {
      if (signal?.aborted || subscription.isClosed) return;
      if (isDue) {
        isDue = false;
        yield subscription;
      } else if (subscription.refusal && !subscription.refusal.retry) {
        throw subscription.refusal;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    for (const stop of stops) stop();
    signal?.removeEventListener('abort', abort);
  }
}

/** A promise that takes off what `begin` listens to, and ends with the signal. */
function settle<T>(
  signal: AbortSignalLike | undefined,
  begin: (resolve: (value: T) => void, reject: (reason: unknown) => void) => (() => void)[],
): Promise<T> {
  let stops: (() => void)[] = [];
  const abort = () => end();
  let end = () => {};
  return new Promise<T>((resolve, reject) => {
    end = () => reject(signal?.reason as Error);
    if (signal?.aborted) end();
    else {
      signal?.addEventListener('abort', abort);
      stops = begin(resolve, reject);
    }
  }).finally(() => {
    for (const stop of stops) stop();
    signal?.removeEventListener('abort', abort);
  });
}

function closed(what: string): DepthwireError {
  return new DepthwireError('client_closed', `${what} was closed`);
}
