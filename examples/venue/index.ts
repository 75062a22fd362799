// The adapter of the venue `example`: its protocol, without sockets. The emulator beside this file speaks
// the other half. To make it the adapter of a real venue, go through it from top to bottom.
import {
  checkIntegers,
  checkLevels,
  checkTexts,
  defineVenue,
  isRecord,
  malformed,
  parseJson,
  Session,
  StreamBook,
  type Metadata,
  type Protocol,
  type SessionOptions,
  type VenueSession,
} from '@depthwire/feeds';
import { DepthwireError, scaleOf, type EpochMs, type Instrument } from '@depthwire/shared';

/** GET /symbols: `[{"symbol":"BTC-USD","base":"BTC","quote":"USD","tick":"0.01","lot":"0.001","status":"trading"}]` */
function parseMetadata(_market: string, texts: readonly string[], symbols: readonly string[]): Metadata {
  const listed = parseJson(texts.at(-1)!);
  if (!Array.isArray(listed)) throw malformed('/symbols', 'an array', listed);
  const wanted = new Set(symbols.map((symbol) => symbol.toUpperCase()));
  const instruments: Instrument[] = [];
  for (const entry of listed as unknown[]) {
    if (!isRecord(entry)) throw malformed('/symbols', 'objects', entry);
    checkTexts(entry, ['symbol', 'base', 'quote', 'tick', 'lot', 'status']);
    const { symbol, base, quote, tick, lot, status } = entry as Record<string, string>;
    if (!wanted.delete(symbol!)) continue;
    instruments.push({
      id: `example:${base}-${quote}`,
      venue: 'example',
      symbol: symbol!,
      base: base!,
      quote: quote!,
      kind: 'spot',
      name: `${base} / ${quote}`,
      tick: scaleOf(tick!),
      lot: scaleOf(lot!),
      status: status === 'trading' ? 'trading' : 'halted',
      origin: 'live',
      staleAfterMs: 60_000,
    });
  }
  const unknown = [...wanted].map(
    (symbol) => [symbol, new DepthwireError('unknown_symbol', `example lists no ${symbol}`)] as const,
  );
  return { instruments, refused: new Map(unknown) };
}

const subscribe = (symbols: readonly string[]) => [JSON.stringify({ op: 'subscribe', symbols })];

function createSession(options: SessionOptions): VenueSession {
  return new Session<StreamBook>(options, (session): Protocol<StreamBook> => {
    /** The last `seq` of each symbol on this connection. */
    const lastSeqs = new Map<string, number>();

    /**
     * `{"type":"snapshot","symbol":"BTC-USD","seq":7,"time":1760000000000,"bids":[["9.99","5"]],"asks":[]}`,
     * `{"type":"update","symbol":"BTC-USD","prev":7,"seq":9,"time":1760000000100,"bids":[["9.99","0"]],"asks":[]}`
     */
    function onBook(book: StreamBook, frame: Record<string, unknown>, receiveTimeMs: EpochMs): void {
      checkIntegers(frame, ['seq', 'time']);
      const { symbol, seq, time } = frame as { symbol: string; seq: number; time: number };
      const bids = checkLevels(frame.bids, 'bids');
      const asks = checkLevels(frame.asks, 'asks');
      const levels = { bids, asks, venueTimeMs: time, receiveTimeMs };
      session.stats.bookUpdates += 1;
      if (frame.type === 'snapshot') {
        lastSeqs.set(symbol, seq);
        book.snapshot(levels);
        return;
      }
      if (!book.isFollowing) return; // the snapshot that was asked for is not here yet
      checkIntegers(frame, ['prev']);
      const last = lastSeqs.get(symbol)!;
      if (seq === last) return; // the same once more; an older one is a gap like any other
      if (frame.prev !== last) {
        book.gap(`sequence gap: ${String(frame.prev)} does not follow ${last}`);
        return;
      }
      lastSeqs.set(symbol, seq);
      book.link();
      book.delta(levels);
    }

    /** `{"type":"trade","symbol":"BTC-USD","id":7,"price":"9.99","size":"0.5","side":"buy","time":1760000000000}` */
    function onTrade(book: StreamBook, frame: Record<string, unknown>, receiveTimeMs: EpochMs): void {
      checkTexts(frame, ['price', 'size', 'side']);
      checkIntegers(frame, ['id', 'time']);
      const { id, price, size, side, time } = frame as Record<'price' | 'size' | 'side', string> &
        Record<'id' | 'time', number>;
      if (side !== 'buy' && side !== 'sell') throw malformed('side', 'buy or sell', side);
      book.outlet.trade({ id, price, size, side, venueTimeMs: time, receiveTimeMs });
    }

    return {
      createBook: (outlet) => new StreamBook(outlet, session, (symbol) => subscribe([symbol])),
      subscribe,
      // What one connection counted means nothing on the next.
      opened: () => lastSeqs.clear(),
      onFrame(text, receiveTimeMs) {
        const frame = parseJson(text);
        if (!isRecord(frame)) throw malformed('frame', 'an object', frame);
        const { type, symbol } = frame;
        if (type !== 'snapshot' && type !== 'update' && type !== 'trade') return; // heartbeats
        const book = session.books.get(String(symbol));
        if (!book) return;
        if (type === 'trade') onTrade(book, frame, receiveTimeMs);
        else onBook(book, frame, receiveTimeMs);
      },
      // Of a frame that was cut off the symbol may still be there to read.
      concerned(text) {
        const symbol = /"symbol":"([^"]+)"/.exec(text)?.[1];
        return symbol === undefined ? null : [symbol];
      },
    };
  });
}

export default defineVenue({
  venue: 'example',
  markets: { spot: { ws: 'ws://127.0.0.1:9700', rest: 'http://127.0.0.1:9700' } },
  limits: {
    symbolsPerConnection: 100,
    sendSpacingMs: 0,
    httpSpacingMs: 250,
    // A heartbeat comes every 5 s.
    silenceMs: 15_000,
    maxAgeMs: null,
  },
  metadata: { via: 'http', urls: (_market, { rest }) => [`${rest}/symbols`] },
  parseMetadata,
  socketUrl: (_market, { ws }) => `${ws}/stream`,
  createSession,
});
