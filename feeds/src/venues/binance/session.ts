import type { EpochMs, Timer } from '@depthwire/shared';
import { JoinedBook } from '../../core/joined-book.ts';
import { Session, type Protocol } from '../../core/session.ts';
import type { SessionOptions, VenueSession } from '../../core/venue.ts';
import type { AggregateTrade, DepthUpdate, MiniTicker, RawTrade, RequestAnswer } from './messages.ts';
import { concernedBy, parseFrame, parseSnapshot } from './parse.ts';
import { scanDepth } from './scan.ts';
import { futuresSequencer, spotSequencer } from './sequencer.ts';
import { depthUrl, requestedSymbols, requestIds, snapshotSize, subscribeRequest } from './subscribe.ts';
import { isSpot, type Market } from './symbols.ts';

/** Wait for the answer to a subscription; the requests of many symbols are paced. */
const ANSWER_WAIT_MS = 30_000;
/** Wait before a subscription that was refused is asked for again. */
const REFUSED_WAIT_MS = 60_000;

type Book = JoinedBook<DepthUpdate>;

export function createBinanceSession(options: SessionOptions): VenueSession {
  const { endpoints } = options;
  const market = options.market as Market;
  const { levels, spacingMs } = snapshotSize(market, options.instruments.length);
  return new Session<Book>(options, (session): Protocol<Book> => {
    /** `trade` and `aggTrade` tell the same trades: of each symbol, the kind seen first counts. */
    const tradeKinds = new Map<string, 'trade' | 'aggTrade'>();

    const symbols = () => [...session.books.keys()];
    const gridOf = (symbol: string) => session.books.get(symbol)?.outlet.instrument;
    /** Of each subscription that the venue has not accepted yet: when it is asked for again. */
    const unanswered = new Map<number, Timer>();
    /** The last refusal that did not name its request. */
    let lastError: string | null = null;
    /** In a recording the answers are to another's requests. */
    let isRecorded = false;

    function awaitAnswer(id: number, waitMs: number): void {
      if (isRecorded) return;
      const { clock } = session.io;
      unanswered.get(id)?.cancel();
      unanswered.set(
        id,
        clock.at(clock.now() + waitMs, () => askAgain(id)),
      );
    }

    function askAgain(id: number): void {
      unanswered.delete(id);
      const waiting = requestedSymbols(id, symbols()).filter(
        (symbol) => !session.books.get(symbol)!.isSubscribed,
      );
      if (waiting.length === 0) return; // the streams flow, whatever became of the answer
      for (const symbol of waiting) session.books.get(symbol)!.refused(lastError ?? 'it was not answered');
      session.io.send(subscribeRequest(market, symbols(), id));
      awaitAnswer(id, REFUSED_WAIT_MS);
    }

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

    function onDepth(depth: DepthUpdate, receiveTimeMs: EpochMs): void {
      const book = session.books.get(depth.s);
      if (!book) return;
      session.stats.bookUpdates += 1;
      book.diff(depth, receiveTimeMs);
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
      if (error !== null) {
        session.io.log.error({ market, id, reason: error }, 'the venue refused a subscription');
        lastError = error;
      }
      if (id === null || isRecorded) return; // in a recording another has counted
      const asked = requestedSymbols(id, symbols()).map((symbol) => session.books.get(symbol)!);
      if (error === null) {
        unanswered.get(id)?.cancel();
        unanswered.delete(id);
        for (const book of asked) book.subscribed();
      } else {
        for (const book of asked) book.refused(error);
        if (asked.length > 0) awaitAnswer(id, REFUSED_WAIT_MS);
      }
    }

    return {
      createBook: (outlet) =>
        new JoinedBook(outlet, session, {
          sequencer: isSpot(market) ? spotSequencer : futuresSequencer,
          snapshotUrl: (symbol) => depthUrl(market, endpoints, symbol, levels),
          snapshotSpacingMs: spacingMs,
          parseSnapshot,
          levelsOf: ({ b, a, T, E }) => ({ bids: b, asks: a, venueTimeMs: T ?? E }),
          flatOf: ({ flat }) => flat,
        }),
      opened(isSubscribed) {
        isRecorded = isSubscribed;
        lastError = null;
      },
      closed() {
        for (const timer of unanswered.values()) timer.cancel();
        unanswered.clear();
      },
      subscribe(all) {
        const ids = requestIds(all);
        for (const id of ids) awaitAnswer(id, ANSWER_WAIT_MS);
        return ids.map((id) => subscribeRequest(market, all, id));
      },
      concerned: concernedBy,
      onFrame(text, receiveTimeMs) {
        const scanned = scanDepth(text, gridOf);
        if (scanned) {
          onDepth(scanned, receiveTimeMs);
          return;
        }
        const frame = parseFrame(text);
        switch (frame.kind) {
          case 'depth':
            onDepth(frame.depth, receiveTimeMs);
            return;
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
