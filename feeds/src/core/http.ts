import { DepthwireError, type Clock, type EpochMs, type Timer } from '@depthwire/shared';
import type { HttpCallback, HttpResponse } from './venue.ts';
import type { WireTap } from './wire-tap.ts';

/** Requests waiting; the next one is refused. */
const MAX_QUEUED = 2_000;
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

/**
 * GET requests to one venue, one at a time and paced; a venue that asks to wait is not asked
 * again before the time it names.
 */
export class HttpQueue {
  readonly #options: HttpQueueOptions;
  readonly #queue: { url: string; callback: HttpCallback; spacingMs: number }[] = [];
  readonly #abort = new AbortController();
  #busy = false;
  #timer: Timer | null = null;
  #nextAtMs = 0;

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

  /** Drops what waits; no callback runs afterwards. */
  close(): void {
    this.#queue.length = 0;
    this.#timer?.cancel();
    this.#abort.abort();
  }

  #next(): void {
    if (this.#busy || this.#queue.length === 0) return;
    this.#busy = true;
    const { clock } = this.#options;
    this.#timer = clock.at(Math.max(clock.now(), this.#nextAtMs), () => {
      const request = this.#queue.shift();
      if (!request) {
        this.#busy = false;
        return;
      }
      void this.#send(request.url).then((result) => {
        this.#busy = false;
        if (this.#abort.signal.aborted) return;
        if (!(result instanceof DepthwireError) && result.status === 200)
          this.#options.tap?.answered(request.url, result.body, result.receiveTimeMs);
        const waitMs = result instanceof DepthwireError ? 0 : penaltyMs(result);
        this.#nextAtMs = clock.now() + Math.max(request.spacingMs, waitMs);
        request.callback(result);
        this.#next();
      });
    });
  }

  async #send(url: string): Promise<HttpResponse | DepthwireError> {
    const { clock } = this.#options;
    const late = new AbortController();
    const timer = clock.at(clock.now() + TIMEOUT_MS, () =>
      late.abort(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`)),
    );
    try {
      const signal = AbortSignal.any([this.#abort.signal, late.signal]);
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
