import { DepthwireError, type Clock, type EpochMs, type Timer } from '@depthwire/shared';
import type { HttpCallback, HttpResponse } from './venue.ts';
import type { WireTap } from './wire-tap.ts';

/** Requests waiting; the next one is refused. */
const MAX_QUEUED = 2_000;
/** The same of those that can wait. */
const MAX_LATER = 500;
const TIMEOUT_MS = 10_000;
const MAX_BODY_BYTES = 64 * 2 ** 20;
/** Wait after a 429 or 418 without a Retry-After. */
const DEFAULT_RETRY_AFTER_MS = 60_000;

export interface HttpQueueOptions {
  readonly clock: Clock;
  /** Least time from one request to the next, milliseconds. */
  readonly spacingMs: number;
  readonly fetch?: typeof fetch;
  readonly tap?: WireTap;
}

/** A request that gives way to all others. */
interface Later {
  readonly url: string;
  readonly spacingMs: number;
  readonly signal: AbortSignal;
  readonly done: (result: HttpResponse | DepthwireError) => void;
}

/**
 * GET requests to one venue, one at a time and paced; a venue that asks to wait is not asked
 * again before the time it names. Beside them goes at most one request that can wait.
 */
export class HttpQueue {
  readonly #options: HttpQueueOptions;
  readonly #queue: { url: string; callback: HttpCallback; spacingMs: number }[] = [];
  readonly #abort = new AbortController();
  #busy = false;
  #timer: Timer | null = null;
  #nextAtMs = 0;
  readonly #later: Later[] = [];
  #isLaterBusy = false;
  #laterTimer: Timer | null = null;
  #nextLaterAtMs = 0;
  /** When it was last looked at the clock, which may be set back: pauses are no longer for it. */
  #seenMs = -Infinity;

  constructor(options: HttpQueueOptions) {
    this.#options = options;
  }

  /** @param spacingMs as of the options, for this request */
  get(url: string, callback: HttpCallback, spacingMs = this.#options.spacingMs): void {
    if (this.#queue.length >= MAX_QUEUED) {
      callback(new DepthwireError('venue_http', `${MAX_QUEUED} requests already wait`, { url }));
      return;
    }
    this.#queue.push({ url, callback, spacingMs });
    this.#next();
  }

  /**
   * As `get`, for what can wait: it begins only while nothing else is asked or waits to be. Those who ask again
   * when they have their answer take turns. The tap does not hear of them: a recording is of what was live.
   * @param spacingMs least time until the next request of this kind; the others keep to their own
   * @throws DepthwireError `venue_http`, also once the signal is aborted or the queue is closed
   */
  async getLater(url: string, signal: AbortSignal, spacingMs = 0): Promise<HttpResponse> {
    if (this.#later.length >= MAX_LATER)
      throw new DepthwireError('venue_http', `${MAX_LATER} requests that can wait already do`, { url });
    const ended = AbortSignal.any([signal, this.#abort.signal]);
    const { promise, resolve } = Promise.withResolvers<HttpResponse | DepthwireError>();
    const request: Later = { url, spacingMs, signal: ended, done: resolve };
    const drop = () => {
      const place = this.#later.indexOf(request);
      if (place >= 0) this.#later.splice(place, 1);
      resolve(new DepthwireError('venue_http', `GET ${url}: nobody waits for it any more`, { url }));
    };
    if (ended.aborted) {
      drop();
    } else {
      ended.addEventListener('abort', drop, { once: true });
      this.#later.push(request);
      this.#nextLater();
    }
    const result = await promise;
    ended.removeEventListener('abort', drop);
    if (result instanceof DepthwireError) throw result;
    return result;
  }

  /** Drops what waits; no callback runs afterwards. */
  close(): void {
    this.#queue.length = 0;
    this.#timer?.cancel();
    this.#laterTimer?.cancel();
    this.#abort.abort();
  }

  #next(): void {
    if (this.#busy || this.#queue.length === 0) return;
    this.#busy = true;
    this.#arm();
  }

  #arm(): void {
    const { clock } = this.#options;
    this.#timer = clock.at(Math.max(this.#nowMs(), this.#nextAtMs), () => {
      const now = this.#nowMs();
      if (this.#nextAtMs > now) {
        this.#arm(); // one that can wait was told to wait meanwhile
        return;
      }
      const request = this.#queue.shift();
      if (!request) {
        this.#busy = false;
        return;
      }
      void this.#send(request.url, this.#abort.signal).then((result) => {
        this.#busy = false;
        if (this.#abort.signal.aborted) return;
        this.#space(result, request.spacingMs);
        if (!(result instanceof DepthwireError) && result.status === 200)
          this.#options.tap?.answered(request.url, result.body, result.receiveTimeMs);
        request.callback(result);
        this.#next();
        this.#nextLater();
      });
    });
  }

  #nextLater(): void {
    if (this.#isLaterBusy || this.#busy || this.#later.length === 0 || this.#abort.signal.aborted) return;
    const { clock, spacingMs } = this.#options;
    this.#laterTimer?.cancel();
    const now = this.#nowMs();
    const dueMs = Math.max(this.#nextAtMs, this.#nextLaterAtMs);
    if (dueMs > now) {
      this.#laterTimer = clock.at(dueMs, () => this.#nextLater());
      return;
    }
    const request = this.#later.shift()!;
    this.#isLaterBusy = true;
    this.#nextAtMs = this.#nowMs() + spacingMs;
    void this.#send(request.url, request.signal).then((result) => {
      this.#isLaterBusy = false;
      this.#space(result, 0);
      this.#nextLaterAtMs = this.#nowMs() + Math.max(spacingMs, request.spacingMs);
      request.done(result);
      this.#nextLater();
    });
  }

  #nowMs(): number {
    const now = this.#options.clock.now();
    const setBackMs = Math.max(0, this.#seenMs - now);
    this.#seenMs = now;
    this.#nextAtMs -= setBackMs;
    this.#nextLaterAtMs -= setBackMs;
    return now;
  }

  #space(result: HttpResponse | DepthwireError, spacingMs: number): void {
    const waitMs = result instanceof DepthwireError ? 0 : penaltyMs(result);
    const now = this.#nowMs();
    this.#nextAtMs = Math.max(this.#nextAtMs, now + Math.max(spacingMs, waitMs));
  }

  async #send(url: string, stopped: AbortSignal): Promise<HttpResponse | DepthwireError> {
    const { clock } = this.#options;
    const late = new AbortController();
    const timer = clock.at(clock.now() + TIMEOUT_MS, () =>
      late.abort(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`)),
    );
    try {
      const signal = AbortSignal.any([stopped, late.signal]);
      const response = await (this.#options.fetch ?? fetch)(url, { signal, redirect: 'error' });
      const body = await readText(response);
      return {
        status: response.status,
        body,
        retryAfterMs: retryAfterMs(response.headers.get('retry-after'), clock.now()),
        receiveTimeMs: clock.now(),
      };
    } catch (error) {
      if (error instanceof DepthwireError) return error;
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      return new DepthwireError(
        'venue_http',
        `GET ${url} failed: ${(error as Error).message}${cause}`,
        { url },
        error,
      );
    } finally {
      timer.cancel();
    }
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).byteLength;
    if (bytes > MAX_BODY_BYTES) {
      throw new DepthwireError(
        'venue_http',
        `answer of ${response.url} is larger than ${MAX_BODY_BYTES} bytes`,
      );
    }
    text += decoder.decode(chunk as Uint8Array, { stream: true });
  }
  return text + decoder.decode();
}

/** 429 asks to slow down, 418 says the address is banned for having gone on. */
export function penaltyMs({ status, retryAfterMs }: Pick<HttpResponse, 'status' | 'retryAfterMs'>): number {
  if (status !== 429 && status !== 418) return 0;
  return retryAfterMs ?? DEFAULT_RETRY_AFTER_MS;
}

/** `Retry-After` as seconds or as a date (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | null | undefined, nowMs: EpochMs): number | null {
  if (header == null) return null;
  const seconds = Number(header);
  const waitMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null;
}
