import { every, type EpochMs, type Timer } from '@depthwire/shared';
import { Session, type Protocol } from '../../core/session.ts';
import { StreamBook } from '../../core/stream-book.ts';
import type { SessionOptions, VenueSession } from '../../core/venue.ts';
import { bookDepths, type BookChannel, type BookData, type Frame, type Refusal } from './messages.ts';
import { concernedBy, parseFrame } from './parse.ts';
import { follows, isBehind } from './sequencer.ts';
import { PING_PERIOD_MS, resubscribeRequests, subscribeRequests } from './subscribe.ts';

type BookFrame = Extract<Frame, { kind: 'book' }>;

/** The channel that an instrument's book is taken from, and the last message that it holds. */
interface Followed {
  readonly channel: BookChannel;
  readonly last: BookData;
}

export function createOkxSession(options: SessionOptions): VenueSession {
  return new Session<StreamBook>(options, (session): Protocol<StreamBook> => {
    const { io, stats } = session;
    const followed = new Map<string, Followed>();
    let pings: Timer | null = null;

    function onBook({ channel, instId, isWhole, data }: BookFrame, receiveTimeMs: EpochMs): void {
      const book = session.books.get(instId);
      const known = followed.get(instId);
      // A recording may hold several channels of one book: the deepest one counts.
      const isOther =
        known !== undefined &&
        known.channel !== channel &&
        (!isWhole || bookDepths[channel] <= bookDepths[known.channel]);
      if (!book || isOther) return;
      for (const message of data) {
        stats.bookUpdates += 1;
        if (isWhole) onWhole(book, instId, channel, message, receiveTimeMs);
        else onUpdate(book, instId, channel, message, receiveTimeMs);
      }
    }

    function onWhole(
      book: StreamBook,
      instId: string,
      channel: BookChannel,
      message: BookData,
      receiveTimeMs: EpochMs,
    ): void {
      const known = followed.get(instId);
      if (book.isFollowing && known?.channel === channel && isBehind(known.last, message)) return;
      if (book.snapshot(levelsOf(message, receiveTimeMs))) followed.set(instId, { channel, last: message });
    }

    function onUpdate(
      book: StreamBook,
      instId: string,
      channel: BookChannel,
      message: BookData,
      receiveTimeMs: EpochMs,
    ): void {
      const last = followed.get(instId)?.last;
      if (!last || !book.isFollowing) return;
      switch (follows(last, message)) {
        case 'next':
          if (book.delta(levelsOf(message, receiveTimeMs))) followed.set(instId, { channel, last: message });
          book.link();
          return;
        case 'gap':
          book.gap(`gap: expected prevSeqId ${last.seqId}, got ${message.prevSeqId}`);
          return;
        case 'old':
      }
    }

    function onRefusal({ reason, channel, instId }: Refusal): void {
      io.log.error({ channel, instId, reason }, 'the venue refused a request');
      if (instId !== null && channel === 'books') session.books.get(instId)?.refused(reason);
    }

    return {
      createBook: (outlet) => new StreamBook(outlet, session, resubscribeRequests),
      subscribe: subscribeRequests,
      concerned: concernedBy,
      opened(isSubscribed) {
        followed.clear();
        pings?.cancel();
        pings = isSubscribed ? null : every(io.clock, PING_PERIOD_MS, () => io.send('ping'));
      },
      closed: () => pings?.cancel(),
      onFrame(text, receiveTimeMs) {
        const frame = parseFrame(text);
        switch (frame.kind) {
          case 'book':
            onBook(frame, receiveTimeMs);
            return;
          case 'trades': {
            const outlet = session.books.get(frame.instId)?.outlet;
            for (const { tradeId, px, sz, side, ts } of frame.data)
              outlet?.trade({
                id: tradeId,
                price: px,
                size: sz,
                side,
                venueTimeMs: Number(ts),
                receiveTimeMs,
              });
            return;
          }
          case 'tickers': {
            const outlet = session.books.get(frame.instId)?.outlet;
            for (const { last, open24h, high24h, low24h, vol24h, volCcy24h, ts } of frame.data)
              outlet?.ticker({
                last,
                open: open24h,
                high: high24h,
                low: low24h,
                volume: vol24h,
                turnover: outlet.instrument.kind === 'spot' ? volCcy24h : undefined,
                venueTimeMs: Number(ts),
                receiveTimeMs,
              });
            return;
          }
          case 'refusal':
            onRefusal(frame.refusal);
            return;
          case 'ending':
            io.replaceConnection(`the venue is about to end this connection: ${frame.reason}`);
            return;
          case 'other':
        }
      },
    };
  });
}

function levelsOf({ bids, asks, ts }: BookData, receiveTimeMs: EpochMs) {
  return { bids, asks, venueTimeMs: Number(ts), receiveTimeMs };
}
