import { DepthwireError, type Clock } from '@depthwire/shared';
import { WebSocket } from 'ws';
import { MAX_FRAME_BYTES } from './connection.ts';
import type { HttpQueue } from './http.ts';
import type { Endpoints, HttpResponse, VenueAdapter } from './venue.ts';
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

/**
 * The venue's instrument metadata, as it comes.
 * @throws DepthwireError `venue_http`
 */
export async function fetchMetadata(request: MetadataRequest): Promise<string[]> {
  const { adapter, market, endpoints, symbols, http } = request;
  if (adapter.metadata.via === 'socket') return [await askSocket(request, adapter.metadata)];
  const texts: string[] = [];
  for (const first of adapter.metadata.urls(market, endpoints, symbols)) {
    let url: string | null = first;
    for (let page = 0; url !== null && page < MAX_PAGES; page++) {
      const { body } = await get(http, url);
      texts.push(body);
      url = adapter.metadata.next?.(url, body) ?? null;
    }
  }
  return texts;
}

function get(http: HttpQueue, url: string): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    http.get(url, (result) => {
      if (result instanceof DepthwireError) reject(result);
      else if (result.status === 200) resolve(result);
      else {
        const { status } = result;
        reject(new DepthwireError('venue_http', `GET ${url} answered ${status}`, { url, status }));
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
