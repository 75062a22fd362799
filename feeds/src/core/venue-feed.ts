import { DepthwireError } from '@depthwire/shared';
import { VenueConnection } from './connection.ts';
import type { Feed, FeedContext } from './feed.ts';
import { HttpQueue } from './http.ts';
import { systemRandom } from './system.ts';
import type { Endpoints, HttpResponse, VenueAdapter, VenueSession } from './venue.ts';

export interface VenueFeedOptions {
  /** Default: `VENUE-MARKET`. */
  readonly id?: string;
  readonly market: string;
  /** Venue symbols or `BASE-QUOTE`; at least one. */
  readonly symbols: readonly string[];
  /** Default: the venue's own; set them to reach an emulator or a proxy. */
  readonly endpoints?: Partial<Endpoints>;
  /** Least time between two REST requests, milliseconds. Default: the venue's. */
  readonly httpSpacingMs?: number;
  readonly random?: () => number;
}

/** The live feed of a venue: metadata, one connection, one session. */
export function createVenueFeed(adapter: VenueAdapter, options: VenueFeedOptions): Feed {
  const { market, symbols } = options;
  const id = options.id ?? `${adapter.venue}-${market}`;
  if (symbols.length === 0)
    throw new DepthwireError('invalid_config', `feed ${id}: name at least one symbol`);
  if (symbols.length > adapter.maxSymbols) {
    throw new DepthwireError(
      'invalid_config',
      `feed ${id}: ${symbols.length} symbols, but a connection carries ${adapter.maxSymbols}: split the feed`,
    );
  }
  const base = adapter.markets[market];
  if (!base) throw new DepthwireError('unknown_venue', `${adapter.venue} has no market ${market}`);
  const endpoints: Endpoints = {
    ws: options.endpoints?.ws ?? base.ws,
    rest: options.endpoints?.rest ?? base.rest,
  };

  let connection: VenueConnection | null = null;
  let session: VenueSession | null = null;
  let http: HttpQueue | null = null;
  const stopped = Promise.withResolvers<null>();

  return {
    id,
    async start(context: FeedContext) {
      const { clock, log } = context;
      const queue = new HttpQueue({ clock, spacingMs: options.httpSpacingMs ?? adapter.httpSpacingMs });
      http = queue;
      const metadata = await Promise.race([
        getOnce(queue, adapter.metadataUrl(market, endpoints)),
        stopped.promise,
      ]);
      if (metadata === null) return;
      const { instruments, refused } = adapter.parseMetadata(market, metadata.body, symbols);
      if (refused.size > 0) throw refusal([...refused.values()]);
      for (const instrument of instruments) context.emit({ type: 'instrument', instrument });
      const live = adapter.createSession({
        market,
        endpoints,
        instruments,
        io: {
          clock,
          log,
          emit: context.emit,
          send: (text) => connection?.send(text),
          get: (url, callback) => queue.get(url, callback),
        },
      });
      session = live;
      connection = new VenueConnection({
        url: adapter.socketUrl(endpoints),
        clock,
        log,
        random: options.random ?? systemRandom,
        silenceMs: adapter.silenceMs,
        onOpen: () => live.onOpen(),
        onText: (text, receiveTimeMs) => live.onFrame(text, receiveTimeMs),
        onClose: (reason) => live.onClose(reason),
      });
      connection.open();
    },
    resync: (instrument, reason) => session?.resync(instrument, reason),
    stop() {
      stopped.resolve(null);
      connection?.close();
      session?.dispose();
      http?.close();
      return Promise.resolve();
    },
  };
}

/** One error for all symbols that cannot be had. */
function refusal(errors: readonly DepthwireError[]): DepthwireError {
  const [first] = errors;
  return new DepthwireError(
    first!.code,
    errors.map(({ message }) => message).join('; '),
    first!.details,
    first,
  );
}

function getOnce(http: HttpQueue, url: string): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    http.get(url, (result) => {
      if (result instanceof DepthwireError) reject(result);
      else if (result.status === 200) resolve(result);
      else
        reject(
          new DepthwireError('venue_http', `GET ${url} answered ${result.status}`, {
            url,
            status: result.status,
          }),
        );
    });
  });
}
