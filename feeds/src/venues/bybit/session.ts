import { every, type EpochMs, type Timer } from '@depthwire/shared';
import { Session, type Protocol } from '../../core/session.ts';
import { StreamBook } from '../../core/stream-book.ts';
import type { SessionOptions, VenueSession } from '../../core/venue.ts';
import type { BookMessage, Refusal, Statistics, TickerMessage, Trade } from './messages.ts';
import { concernedBy, parseFrame } from './parse.ts';
import { follows, isBehind } from './sequencer.ts';
import { PING, PING_PERIOD_MS, resubscribeRequests, subscribeRequests } from './subscribe.ts';

export function createBybitSession(options: SessionOptions): VenueSession {
  const { market } = options;
  return new Session<StreamBook>(options, (session): Protocol<StreamBook> => {
    const { io, stats } = session;
    /** The last message that each book holds; its depth is the one that is followed. */
    const last = new Map<string, BookMessage>();
    /** As told last: a delta names only what has changed. */
    const statistics = new Map<string, Statistics>();
    let pings: Timer | null = null;

    function onBook(message: BookMessage, receiveTimeMs: EpochMs): void {
      const { symbol, depth, isSnapshot, u } = message;
      const book = session.books.get(symbol);
      const before = last.get(symbol);
      // A recording may hold topics of several depths: the deepest one counts.
      const isOther = before !== undefined && before.depth !== depth && (!isSnapshot || depth < before.depth);
      if (!book || isOther) return;
      stats.bookUpdates += 1;
      if (isSnapshot) {
        const isLate = before?.depth === depth && isBehind(before, message);
        if (book.isFollowing && isLate) return;
        if (book.snapshot(levelsOf(message, receiveTimeMs))) last.set(symbol, message);
        return;
      }
      if (!before || !book.isFollowing) return;
      switch (follows(before, message)) {
        case 'next':
          if (book.delta(levelsOf(message, receiveTimeMs))) last.set(symbol, message);
          book.link();
          return;
        case 'gap':
          book.gap(`gap: expected u ${before.u + 1}, got ${u}`);
          return;
        case 'old':
      }
    }

    function onTrade({ s, i, T, p, v, S, BT }: Trade, receiveTimeMs: EpochMs): void {
      if (BT === true) return;
      session.books.get(s)?.outlet.trade({
        id: i,
        price: p,
        size: v,
        side: S === 'Buy' ? 'buy' : 'sell',
        venueTimeMs: T,
        receiveTimeMs,
      });
    }

    function onTicker({ symbol, isSnapshot, ts, ...message }: TickerMessage, receiveTimeMs: EpochMs): void {
      const known = isSnapshot ? {} : statistics.get(symbol);
      const hasNews = Object.keys(message.statistics).length > 0;
      if (!known || !hasNews) return;
      const now = { ...known, ...message.statistics };
      statistics.set(symbol, now);
      session.books.get(symbol)?.outlet.ticker({
        last: now.lastPrice,
        open: now.prevPrice24h,
        high: now.highPrice24h,
        low: now.lowPrice24h,
        volume: now.volume24h,
        // Inverse contracts are of one US dollar each; their turnover is in the base coin.
        turnover: market === 'inverse' ? now.volume24h : now.turnover24h,
        venueTimeMs: ts,
        receiveTimeMs,
      });
    }

    function onRefusal({ reason, requestId }: Refusal): void {
      const symbol = requestId ?? /orderbook\.\d+\.([^\s,\]]+)/.exec(reason)?.[1];
      io.log.error({ market, symbol, reason }, 'the venue refused a request');
      if (symbol !== undefined) session.books.get(symbol)?.refused(reason);
    }

    return {
      createBook: (outlet) => new StreamBook(outlet, session, resubscribeRequests),
      subscribe: subscribeRequests,
      concerned: concernedBy,
      opened(isSubscribed) {
        last.clear();
        statistics.clear();
        pings?.cancel();
        pings = isSubscribed ? null : every(io.clock, PING_PERIOD_MS, () => io.send(PING));
      },
      closed: () => pings?.cancel(),
      onFrame(text, receiveTimeMs) {
        const frame = parseFrame(text);
        switch (frame.kind) {
          case 'book':
            onBook(frame.book, receiveTimeMs);
            return;
          case 'trades':
            for (const trade of frame.trades) onTrade(trade, receiveTimeMs);
            return;
          case 'ticker':
            onTicker(frame.ticker, receiveTimeMs);
            return;
          case 'refusal':
            onRefusal(frame.refusal);
            return;
          case 'other':
        }
      },
    };
  });
}

function levelsOf({ b, a, ts }: BookMessage, receiveTimeMs: EpochMs) {
  return { bids: b, asks: a, venueTimeMs: ts, receiveTimeMs };
}
