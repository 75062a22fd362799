import { DepthwireError, type Clock } from '@depthwire/shared';
import { WebSocket } from 'ws';
import { MAX_FRAME_BYTES } from './connection.ts';
import type { HttpQueue } from './http.ts';
import type { Endpoints, MetadataList, VenueAdapter } from './venue.ts';
import type { SocketTap, WireTap } from './wire-tap.ts';

const SOCKET_TIMEOUT_MS = 15_000;
/** Pages of one list; a venue that names another one for ever is not followed. */
const MAX_PAGES = 50;

export interface MetadataRequest {
  readonly adapter: VenueAdapter;
  readonly market: string;
  readonly endpoints: Endpoints;
  readonly symbols: readonly string[];
  readonly http: HttpQueue;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly tap?: WireTap;
}

/** Answers as they came. */
export interface MetadataAnswers {
  readonly texts: readonly string[];
  /** Whether a list that can be done without was not to be had. */
  readonly isPartial: boolean;
}

/**
 * The venue's instrument metadata, as it comes.
 * @throws DepthwireError `venue_http`
 */
export async function fetchMetadata(request: MetadataRequest): Promise<MetadataAnswers> {
  const { adapter, market, endpoints, symbols, http } = request;
  if (adapter.metadata.via === 'socket')
    return { texts: [await askSocket(request, adapter.metadata)], isPartial: false };
  const texts: string[] = [];
  let isPartial = false;
  for (const entry of adapter.metadata.urls(market, endpoints, symbols)) {
    const list: MetadataList = typeof entry === 'string' ? { url: entry } : entry;
    const first = await getFirst(http, list);
    if (first === null) isPartial = true;
    let answer = first;
    for (let page = 1; answer !== null; page++) {
      texts.push(answer.body);
      const next: string | null = adapter.metadata.next?.(answer.url, answer.body) ?? null;
      answer = next === null || page >= MAX_PAGES ? null : await get(http, next);
    }
  }
  return { texts, isPartial };
}

interface Answer {
  readonly url: string;
  readonly body: string;
}

/** @returns null where the list can be done without, and is not to be had */
async function getFirst(
  http: HttpQueue,
  { url, otherwise = [], isOptional = false }: MetadataList,
): Promise<Answer | null> {
  let refusal: DepthwireError | null = null;
  for (const choice of [url, ...otherwise]) {
    try {
      return await get(http, choice);
    } catch (error) {
      if (!(error instanceof DepthwireError) || !isRefusal(error)) throw error;
      refusal ??= error;
    }
  }
  if (isOptional) return null;
  throw refusal!;
}

/** Whether the venue has answered, and did not ask to wait: another URL may be one that it knows. */
function isRefusal({ details: { status } }: DepthwireError): boolean {
  return typeof status === 'number' && status !== 429 && status !== 418;
}

function get(http: HttpQueue, url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    http.get(url, (result) => {
      if (result instanceof DepthwireError) reject(result);
      else if (result.status === 200) resolve({ url, body: result.body });
      else {
        const { status, retryAfterMs } = result;
        const details = { url, status, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
        reject(new DepthwireError('venue_http', `GET ${url} answered ${status}`, details));
      }
    });
  });
}

function askSocket(
  { adapter, market, endpoints, clock, signal, tap }: MetadataRequest,
  { request, isAnswer }: Extract<VenueAdapter['metadata'], { via: 'socket' }>,
): Promise<string> {
  const url = adapter.socketUrl(market, endpoints);
  const socket = new WebSocket(url, { maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  return new Promise<string>((resolve, reject) => {
    const fail = (reason: string) =>
      reject(new DepthwireError('venue_http', `${url}: no instrument metadata: ${reason}`, { url }));
    const timer = clock.at(clock.now() + SOCKET_TIMEOUT_MS, () => fail('no answer in time'));
    signal.addEventListener('abort', () => fail('the feed was stopped'), { once: true });
    let socketTap: SocketTap | undefined;
    socket.on('open', () => {
      socketTap = tap?.opened(url, clock.now());
      socketTap?.sent(request, clock.now());
      socket.send(request);
    });
    socket.on('message', (data) => {
      const text = (data as Buffer).toString('utf8');
      socketTap?.received(text, clock.now());
      try {
        if (!isAnswer(text)) return;
      } catch (error) {
        timer.cancel();
        reject(error as Error);
        return;
      }
      timer.cancel();
      resolve(text);
    });
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => socketTap?.closed());
    socket.on('close', (code) => fail(`closed with code ${code}`));
  }).finally(() => socket.terminate());
}
