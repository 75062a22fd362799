import { DepthwireError, type EpochMs, type Timer } from '@depthwire/shared';
import { JoinedBook } from '../../core/joined-book.ts';
import { Session, type Protocol } from '../../core/session.ts';
import type { SessionOptions, VenueSession } from '../../core/venue.ts';
import { BookAudit } from './audit.ts';
import type { DiffOrderBook, Frame, LiveTrade } from './messages.ts';
import { concernedBy, diffSymbol, parseFrame, parseSnapshot, parseTickers } from './parse.ts';
import { diffSequencer, isLate } from './sequencer.ts';
import {
  HEARTBEAT_MS,
  heartbeatRequest,
  orderBookUrl,
  subscribeDiffs,
  subscribeRequests,
  tickersUrl,
} from './subscribe.ts';

/** Wait for the venue to confirm a subscription; the requests of many symbols are paced. */
const CONFIRM_MS = 60_000;
const TICKER_PERIOD_MS = 60_000;

type Book = JoinedBook<DiffOrderBook>;

export function createBitstampSession(options: SessionOptions): VenueSession {
  const { market, endpoints } = options;
  return new Session<Book>(options, (session): Protocol<Book> => {
    const { io } = session;
    /** Microtimestamp of the newest diff of this connection. */
    const newest = new Map<string, number>();
    const audits = new Map<string, BookAudit>();
    /** Books whose subscription the venue has not confirmed yet. */
    const unconfirmed = new Set<string>();
    const timers = new Set<Timer>();
    /** The last error that the venue did not say the channel of. */
    let lastError: string | null = null;

    function repeat(periodMs: number, task: () => void): void {
      const timer = io.clock.at(io.clock.now() + periodMs, () => {
        timers.delete(timer);
        repeat(periodMs, task);
        task();
      });
      timers.add(timer);
    }

    function askTickers(): void {
      io.get(tickersUrl(endpoints), (result) => {
        if (result instanceof DepthwireError || result.status !== 200) return; // there will be others
        try {
          for (const { symbol, last, high, low, open24, volume, vwap, timeMs } of parseTickers(result.body)) {
            session.books.get(symbol)?.outlet.ticker({
              last,
              open: open24,
              high,
              low,
              volume,
              turnover: Number(volume) * Number(vwap),
              venueTimeMs: timeMs,
              receiveTimeMs: result.receiveTimeMs,
            });
          }
        } catch (error) {
          if (!(error instanceof DepthwireError)) throw error;
          io.log.warn({ market, code: error.code, reason: error.message }, 'unusable tickers');
        }
      });
    }

    function onDiff(diff: DiffOrderBook, receiveTimeMs: EpochMs): void {
      const { symbol, microtimestamp } = diff;
      const book = session.books.get(symbol);
      if (!book) return;
      session.stats.bookUpdates += 1;
      unconfirmed.delete(symbol);
      const previous = newest.get(symbol);
      if (previous !== undefined && isLate(diff, previous)) {
        book.gap(`an update of ${microtimestamp} came after that of ${previous}`);
        return;
      }
      if (previous === microtimestamp) return;
      newest.set(symbol, microtimestamp);
      const audit = audits.get(symbol)!;
      audit.before(diff);
      book.diff(diff, receiveTimeMs);
      audit.after(diff);
    }

    function onTrade(
      { symbol, id, price, amount, side, microtimestamp }: LiveTrade,
      receiveTimeMs: EpochMs,
    ): void {
      session.books.get(symbol)?.outlet.trade({
        id,
        price,
        size: amount,
        side,
        venueTimeMs: microtimestamp === null ? null : Math.floor(microtimestamp / 1000),
        receiveTimeMs,
      });
    }

    function onSubscribed(channel: string): void {
      const symbol = diffSymbol(channel);
      const book = symbol === null ? undefined : session.books.get(symbol);
      if (!book) return;
      unconfirmed.delete(symbol!);
      book.subscribed();
    }

    function onError({ channel, message }: Extract<Frame, { kind: 'error' }>): void {
      io.log.error({ market, channel, reason: message }, 'the venue refused a request');
      const symbol = diffSymbol(channel);
      if (symbol === null) lastError = message;
      else session.books.get(symbol)?.refused(message);
    }

    /** What was not confirmed is asked for again: errors do not say what they are of. */
    function confirm(): void {
      for (const symbol of unconfirmed) {
        session.books.get(symbol)!.refused(lastError ?? 'it was not confirmed');
        io.send(subscribeDiffs(symbol));
      }
    }

    return {
      outlet: { keepsBook: true },
      createBook: (outlet) =>
        new JoinedBook(outlet, session, {
          sequencer: diffSequencer,
          snapshotUrl: (symbol) => orderBookUrl(endpoints, symbol),
          parseSnapshot,
          levelsOf: ({ bids, asks, microtimestamp }) => ({
            bids,
            asks,
            venueTimeMs: Math.floor(microtimestamp / 1000),
          }),
        }),
      subscribe: subscribeRequests,
      concerned: concernedBy,
      opened(isSubscribed) {
        newest.clear();
        lastError = null;
        for (const [i, [symbol, book]] of [...session.books].entries()) {
          const url = orderBookUrl(endpoints, symbol);
          if (!audits.has(symbol)) audits.set(symbol, new BookAudit(book, io, url, i / session.books.size));
          audits.get(symbol)!.opened(isSubscribed);
          if (!isSubscribed) unconfirmed.add(symbol);
        }
        if (isSubscribed) return; // a recording: nobody is there to answer
        repeat(HEARTBEAT_MS, () => io.send(heartbeatRequest));
        repeat(CONFIRM_MS, confirm);
        repeat(TICKER_PERIOD_MS, askTickers);
        askTickers();
      },
      closed() {
        for (const timer of timers) timer.cancel();
        timers.clear();
        unconfirmed.clear();
        for (const audit of audits.values()) audit.closed();
      },
      onFrame(text, receiveTimeMs) {
        const frame = parseFrame(text);
        switch (frame.kind) {
          case 'diff':
            onDiff(frame.diff, receiveTimeMs);
            return;
          case 'trade':
            onTrade(frame.trade, receiveTimeMs);
            return;
          case 'subscribed':
            onSubscribed(frame.channel);
            return;
          case 'error':
            onError(frame);
            return;
          case 'reconnect':
            io.replaceConnection('the venue asks to reconnect');
            return;
          case 'heartbeat':
          case 'other':
        }
      },
    };
  });
}
