import type { EpochMs } from '@depthwire/shared';
import { Session, type Protocol } from '../../core/session.ts';
import { StreamBook } from '../../core/stream-book.ts';
import type { SessionOptions, VenueSession } from '../../core/venue.ts';
import type { Answer, BookMessage, Ticker, Trade } from './messages.ts';
import { bookOf, concernedBy, parseFrame } from './parse.ts';
import { ChangeSequence } from './sequencer.ts';
import {
  heartbeatRequest,
  subscribeBook,
  subscribeRequests,
  testRequest,
  unsubscribeBook,
} from './subscribe.ts';
import { isCombination, isInverse } from './symbols.ts';

export function createDeribitSession(options: SessionOptions): VenueSession {
  return new Session<StreamBook>(options, (session): Protocol<StreamBook> => {
    let lastRequestId = 0;
    const nextId = () => (lastRequestId += 1);
    /** Symbols whose book each request asked for. */
    const asked = new Map<number, readonly string[]>();
    /** Of each book that follows its changes. */
    const sequences = new Map<string, ChangeSequence>();
    /** In a recording the answers are to another's requests. */
    let isRecorded = false;

    function resubscribe(symbol: string): string[] {
      const unsubscribe = unsubscribeBook(nextId(), symbol);
      const id = nextId();
      asked.set(id, [symbol]);
      return [unsubscribe, subscribeBook(id, symbol)];
    }

    function onBook(message: BookMessage, receiveTimeMs: EpochMs): void {
      const book = session.books.get(message.instrument);
      if (!book) return;
      session.stats.bookUpdates += 1;
      const { instrument, changeId, prevChangeId, timestamp, bids, asks } = message;
      const update = { bids, asks, venueTimeMs: timestamp, receiveTimeMs };
      const isSnapshot = message.type === 'snapshot';
      if (!book.isFollowing) {
        if (isSnapshot && book.snapshot(update)) sequences.set(instrument, new ChangeSequence(changeId));
        return;
      }
      const sequence = sequences.get(instrument)!;
      const { last } = sequence;
      const order = sequence.take(message);
      if (order === 'old') return;
      if (order === 'gap') {
        book.gap(`sequence gap: prev_change_id ${prevChangeId} after change_id ${last}`);
        return;
      }
      if (isSnapshot) book.snapshot(update);
      else {
        book.link();
        book.delta(update);
      }
    }

    function onTrade(
      { instrument, id, price, amount, direction, timestamp }: Trade,
      receiveTimeMs: EpochMs,
    ): void {
      const outlet = session.books.get(instrument)?.outlet;
      outlet?.trade({ id, price, size: amount, side: direction, venueTimeMs: timestamp, receiveTimeMs });
    }

    function onTicker(ticker: Ticker, receiveTimeMs: EpochMs): void {
      const outlet = session.books.get(ticker.instrument)?.outlet;
      if (!outlet) return;
      const { last, low, high, changePercent, volume, volumeUsd, volumeNotional, timestamp } = ticker;
      // `volume` is always in the base currency, and no size of inverse futures.
      const inDollars = isInverse(outlet.instrument);
      outlet.ticker({
        last,
        // The venue gives the change alone, in per cent with four digits: the open is its nearest tick.
        open:
          last === undefined || changePercent === undefined ? undefined : last / (1 + changePercent / 100),
        high,
        low,
        volume: inDollars ? volumeUsd : volume,
        turnover: inDollars ? volumeUsd : volumeNotional,
        venueTimeMs: timestamp,
        receiveTimeMs,
      });
    }

    function onAnswer({ id, channels, error }: Answer): void {
      if (isRecorded) return;
      if (error !== null) session.io.log.error({ reason: error }, 'the venue refused a request');
      const symbols = id === null ? undefined : asked.get(id);
      if (!symbols) return;
      asked.delete(id!);
      // A channel that cannot be had is left out of the answer, without an error.
      const accepted = new Set(channels?.map(bookOf));
      for (const symbol of symbols) {
        if (!accepted.has(symbol)) session.books.get(symbol)?.refused(error ?? 'no such channel');
      }
    }

    return {
      outlet: { isSigned: ({ symbol }) => isCombination(symbol) },
      createBook: (outlet) => new StreamBook(outlet, session, resubscribe),
      opened(isSubscribed) {
        isRecorded = isSubscribed;
        asked.clear();
        sequences.clear();
      },
      subscribe(symbols) {
        const requests = subscribeRequests(symbols, nextId);
        for (const request of requests) asked.set(request.id, request.symbols);
        return [heartbeatRequest(nextId()), ...requests.map(({ text }) => text)];
      },
      concerned: concernedBy,
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
          case 'heartbeat':
            if (frame.wantsAnswer) session.io.send(testRequest(nextId()));
            return;
          case 'answer':
            onAnswer(frame.answer);
            return;
          case 'other':
        }
      },
    };
  });
}
