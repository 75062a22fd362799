import type { EpochMs } from '@depthwire/shared';
import { JoinedBook } from '../../core/joined-book.ts';
import { Session, type Protocol } from '../../core/session.ts';
import type { SessionOptions, VenueSession } from '../../core/venue.ts';
import type { AggregateTrade, DepthUpdate, MiniTicker, RawTrade, RequestAnswer } from './messages.ts';
import { concernedBy, parseFrame, parseSnapshot } from './parse.ts';
import { futuresSequencer, spotSequencer } from './sequencer.ts';
import { depthUrl, requestedSymbols, subscribeRequests } from './subscribe.ts';
import { isSpot, type Market } from './symbols.ts';

type Book = JoinedBook<DepthUpdate>;

export function createBinanceSession(options: SessionOptions): VenueSession {
  const { endpoints } = options;
  const market = options.market as Market;
  return new Session<Book>(options, (session): Protocol<Book> => {
    /** `trade` and `aggTrade` tell the same trades: of each symbol, the kind seen first counts. */
    const tradeKinds = new Map<string, 'trade' | 'aggTrade'>();

    function onTrade(
      kind: 'trade' | 'aggTrade',
      trade: RawTrade | AggregateTrade,
      receiveTimeMs: EpochMs,
    ): void {
      const book = session.books.get(trade.s);
      if (!book) return;
      if (!tradeKinds.has(trade.s)) tradeKinds.set(trade.s, kind);
      if (tradeKinds.get(trade.s) !== kind) return;
      if ('X' in trade && trade.X !== undefined && trade.X !== 'MARKET') return;
      book.outlet.trade({
        id: 'a' in trade ? trade.a : trade.t,
        price: trade.p,
        size: trade.q,
        side: trade.m ? 'sell' : 'buy',
        venueTimeMs: trade.T,
        receiveTimeMs,
      });
    }

    function onTicker({ s, c, o, h, l, v, q, E }: MiniTicker, receiveTimeMs: EpochMs): void {
      session.books.get(s)?.outlet.ticker({
        last: c,
        open: o,
        high: h,
        low: l,
        volume: v,
        // COIN-M: q is in the base currency.
        turnover: market === 'coinm' ? undefined : q,
        venueTimeMs: E,
        receiveTimeMs,
      });
    }

    function onAnswer({ id, error }: RequestAnswer): void {
      const asked = id === null ? [] : requestedSymbols(id, [...session.books.keys()]);
      if (error !== null) session.io.log.error({ market, reason: error }, 'the venue refused a subscription');
      for (const symbol of asked) {
        const book = session.books.get(symbol)!;
        if (error === null) book.subscribed();
        else book.refused(error);
      }
    }

    return {
      createBook: (outlet) =>
        new JoinedBook(outlet, session, {
          sequencer: isSpot(market) ? spotSequencer : futuresSequencer,
          snapshotUrl: (symbol) => depthUrl(market, endpoints, symbol),
          parseSnapshot,
          levelsOf: ({ b, a, T, E }) => ({ bids: b, asks: a, venueTimeMs: T ?? E }),
        }),
      subscribe: (symbols) => subscribeRequests(market, symbols),
      concerned: concernedBy,
      onFrame(text, receiveTimeMs) {
        const frame = parseFrame(text);
        switch (frame.kind) {
          case 'depth': {
            const book = session.books.get(frame.depth.s);
            if (!book) return;
            session.stats.bookUpdates += 1;
            book.diff(frame.depth, receiveTimeMs);
            return;
          }
          case 'trade':
          case 'aggTrade':
            onTrade(frame.kind, frame.trade, receiveTimeMs);
            return;
          case 'miniTicker':
            onTicker(frame.ticker, receiveTimeMs);
            return;
          case 'answer':
            onAnswer(frame.answer);
            return;
          case 'shutdown':
            session.io.replaceConnection('the venue is about to end this connection');
            return;
          case 'other':
        }
      },
    };
  });
}
