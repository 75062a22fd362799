import type { EpochMs } from '@depthwire/shared';
import { Session, type Protocol } from '../../core/session.ts';
import { StreamBook } from '../../core/stream-book.ts';
import type { SessionOptions, VenueSession } from '../../core/venue.ts';
import type { BookEvent, Frame, TickerMessage, TradeMessage } from './messages.ts';
import { concernedBy, parseFrame, remainsOf, timeMs } from './parse.ts';
import { ConnectionSequence, type Verdict } from './sequencer.ts';
import { resubscribeRequests, subscribeRequests } from './subscribe.ts';

export function createCoinbaseSession(options: SessionOptions): VenueSession {
  return new Session<StreamBook>(options, (session): Protocol<StreamBook> => {
    const sequence = new ConnectionSequence();

    /** @returns whether the message is to be taken */
    function isNew(number: number): boolean {
      const verdict = sequence.take(number);
      switch (verdict.kind) {
        case 'old':
          return false;
        case 'next':
          if (verdict.proves) for (const book of session.books.values()) book.prove();
          return true;
        case 'gap':
          onGap(verdict);
          return true;
      }
    }

    function onGap({ reason, products }: Extract<Verdict, { kind: 'gap' }>): void {
      session.stats.gaps += 1;
      if (products === null) {
        // One new connection is fewer requests than every book's subscription anew.
        session.io.reconnect(reason);
        session.loseAll(reason);
        return;
      }
      for (const product of products) session.books.get(product)?.resync(reason);
      for (const book of session.books.values()) book.prove();
    }

    function onBook(
      { isSnapshot, productId, bids, asks }: BookEvent,
      venueTimeMs: number | null,
      receiveTimeMs: EpochMs,
    ) {
      const book = session.books.get(productId);
      if (!book) return;
      session.stats.bookUpdates += 1;
      const update = { bids, asks, venueTimeMs, receiveTimeMs };
      if (isSnapshot) book.snapshot(update);
      else if (book.isFollowing) {
        book.link();
        book.delta(update);
      }
    }

    function onTrade(
      { productId, tradeId, price, size, time, side }: TradeMessage,
      receiveTimeMs: EpochMs,
    ): void {
      session.books.get(productId)?.outlet.trade({
        id: tradeId,
        price,
        size,
        // The documents do not say whose side it is. In a recording of 2026-08 trades at the best ask are
        // SELL and trades at the best bid BUY, all of them: the maker's. Not verified on a live connection.
        side: side === 'BUY' ? 'sell' : 'buy',
        venueTimeMs: timeMs(time),
        receiveTimeMs,
      });
    }

    function onTicker(ticker: TickerMessage, venueTimeMs: number | null, receiveTimeMs: EpochMs): void {
      const { productId, price, volume, low, high, percentChange } = ticker;
      const ratio = 1 + Number(percentChange) / 100;
      session.books.get(productId)?.outlet.ticker({
        last: price,
        // A statistic, brought to the nearest tick like the others.
        open: percentChange !== '' && ratio > 0 ? Number(price) / ratio : undefined,
        low,
        high,
        volume,
        venueTimeMs,
        receiveTimeMs,
      });
    }

    /** An error names neither request nor channel: it may be of any book that waits. */
    function onError(message: string): void {
      session.io.log.error({ reason: message }, 'the venue reports an error');
      const waiting = [...session.books].filter(([, book]) => !book.isFollowing);
      const named = waiting.filter(([product]) => message.includes(product));
      for (const [, book] of named.length > 0 ? named : waiting) book.refused(message);
    }

    function take({ body, timeMs: venueTimeMs }: Frame, receiveTimeMs: EpochMs): void {
      switch (body.kind) {
        case 'book':
          for (const event of body.events) onBook(event, venueTimeMs, receiveTimeMs);
          return;
        case 'trades':
          // A snapshot tells trades of before the subscription. They are no new volume, and there is no
          // telling which of them were counted on an earlier connection: none is told.
          if (!body.isSnapshot) for (const trade of oldestFirst(body.trades)) onTrade(trade, receiveTimeMs);
          return;
        case 'tickers':
          for (const ticker of body.tickers) onTicker(ticker, venueTimeMs, receiveTimeMs);
          return;
        case 'error':
          onError(body.message);
          return;
        case 'other':
      }
    }

    return {
      createBook: (outlet) => new StreamBook(outlet, session, resubscribeRequests),
      subscribe: subscribeRequests,
      concerned: concernedBy,
      opened: () => sequence.reset(),
      onFrame(text, receiveTimeMs) {
        let frame: Frame;
        try {
          frame = parseFrame(text);
        } catch (error) {
          sequence.unreadable(remainsOf(text));
          throw error;
        }
        if (frame.sequence === null || isNew(frame.sequence)) take(frame, receiveTimeMs);
      },
    };
  });
}

/** The venue lists the newest first; ids are whole numbers as text. */
function oldestFirst(trades: readonly TradeMessage[]): TradeMessage[] {
  return [...trades].sort(({ tradeId: a }, { tradeId: b }) => a.length - b.length || (a < b ? -1 : 1));
}
