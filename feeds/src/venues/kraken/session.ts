import { DepthwireError, decimalsOf, type EpochMs, type Instrument, type Timer } from '@depthwire/shared';
import type { BookCheck } from '../../core/instrument-outlet.ts';
import type { PriceLevel } from '../../core/levels.ts';
import { Session, type Protocol } from '../../core/session.ts';
import { StreamBook } from '../../core/stream-book.ts';
import type { SessionOptions, VenueSession } from '../../core/venue.ts';
import { krakenChecksum, precisionOf, type Precision } from './checksum.ts';
import { DepthGuess } from './depth-guess.ts';
import type { Ack, BookEntry, Frame, Pair, TickerEntry, TradeEntry } from './messages.ts';
import { concernedBy, isBookText, parseFrame, timeMs } from './parse.ts';
import { isBefore } from './sequencer.ts';
import { BOOK_DEPTH, PING, PING_AFTER_MS, resubscribeRequests, subscribeRequests } from './subscribe.ts';
import { toInstrument } from './symbols.ts';

export function createKrakenSession(options: SessionOptions): VenueSession {
  return new Session<StreamBook>(options, (session): Protocol<StreamBook> => {
    /** As the venue listed them last; what it said on an earlier connection still counts. */
    const told = new Map<string, Pair>();
    /** The most digits seen of each symbol on this connection, for recordings without metadata. */
    const seen = new Map<string, Precision>();
    /** Depths that the venue acknowledged on this connection. */
    const depths = new Map<string, number>();
    /** Of recordings: depths that no acknowledgement told. */
    const guesses = new Map<string, DepthGuess>();
    /** Time of each book's last update. */
    const updated = new Map<string, string | null>();
    let isRecorded = false;
    let heardAtMs = 0;
    let pingTimer: Timer | null = null;

    /** Without an acknowledgement that tells it, the depth is the one asked for; whose that was a recording does not tell. */
    function depthFor({ symbol, bids, asks }: BookEntry): number {
      const told = depths.get(symbol) ?? (isRecorded ? null : BOOK_DEPTH);
      if (told !== null) return told;
      const guess = new DepthGuess(bids.length, asks.length, guesses.get(symbol)?.depth);
      guesses.set(symbol, guess);
      return guess.depth;
    }

    /** @returns whether the book is whole by what the update shows of its depth */
    function checkDepth(book: StreamBook, entry: BookEntry): boolean {
      const guess = guesses.get(entry.symbol);
      if (!guess) return true;
      const { outlet } = book;
      const isLost = guess.take(outlet.book!, entry, outlet.instrument);
      outlet.depth = guess.depth;
      if (isLost) book.resync('an update shows that the book is deeper than its snapshot told');
      return !isLost;
    }

    function onBook(entry: BookEntry, isSnapshot: boolean, receiveTimeMs: EpochMs): void {
      const { symbol, bids, asks, timestamp } = entry;
      const book = session.books.get(symbol);
      if (!book) return;
      session.stats.bookUpdates += 1;
      const levels = { bids, asks, venueTimeMs: timeMs(timestamp), receiveTimeMs };
      if (!told.has(symbol)) seen.set(symbol, withDigits(seen.get(symbol), [...bids, ...asks]));
      if (isSnapshot) {
        updated.delete(symbol);
        book.outlet.depth = depthFor(entry);
        book.snapshot(levels, checkOf(entry));
        return;
      }
      if (!book.isFollowing) return;
      const previous = updated.get(symbol) ?? null;
      if (isBefore(timestamp, previous)) {
        book.gap(`an update of ${timestamp} came after that of ${previous}`);
        return;
      }
      updated.set(symbol, timestamp ?? previous);
      if (!checkDepth(book, entry)) return;
      book.delta(levels, checkOf(entry));
    }

    function checkOf({ symbol, checksum }: BookEntry): BookCheck | undefined {
      if (checksum === null) return undefined;
      return (book, { tick, lot }) => {
        const pair = told.get(symbol);
        const shown = seen.get(symbol) ?? { price: 0, qty: 0 };
        const precision = pair ? { price: pair.pricePrecision, qty: pair.qtyPrecision } : shown;
        const own = krakenChecksum(book, tick, lot, precision);
        if (own === checksum) return null;
        const found = pair ? null : precisionOf(book, tick, lot, checksum, shown);
        if (found === null) return `the venue's checksum is ${checksum}, this book's ${own}`;
        seen.set(symbol, found);
        return null;
      };
    }

    function onTrade({ symbol, side, price, qty, tradeId, timestamp }: TradeEntry, receiveTimeMs: EpochMs) {
      session.books.get(symbol)?.outlet.trade({
        id: tradeId,
        price,
        size: qty,
        side,
        venueTimeMs: timeMs(timestamp),
        receiveTimeMs,
      });
    }

    function onTicker(entry: TickerEntry, receiveTimeMs: EpochMs): void {
      const { last, low, high, volume, vwap, change } = entry;
      session.books.get(entry.symbol)?.outlet.ticker({
        last: positive(last),
        // A statistic, brought to the nearest tick like the others.
        open: last && change !== null ? last - change : undefined,
        low: positive(low),
        high: positive(high),
        volume: volume ?? undefined,
        turnover: volume !== null && vwap !== null ? volume * vwap : undefined,
        venueTimeMs: timeMs(entry.timestamp),
        receiveTimeMs,
      });
    }

    function onPair(pair: Pair): void {
      const { symbol } = pair;
      const before = told.get(symbol);
      told.set(symbol, pair);
      const outlet = session.books.get(symbol)!.outlet;
      const next = toInstrument(pair);
      // The first word only repeats the metadata that the session was made with; a recording's grid
      // may be another one, which holds every number in it.
      const isSame =
        !before ||
        (before.priceIncrement === pair.priceIncrement && before.qtyIncrement === pair.qtyIncrement);
      const { origin, tick, lot } = outlet.listed;
      const update: Instrument = { ...next, origin, ...(isSame ? { tick, lot } : {}) };
      if (JSON.stringify(update) !== JSON.stringify(outlet.listed)) session.update(update);
    }

    function onInstruments({ pairs }: Extract<Frame, { kind: 'instrument' }>): void {
      for (const [symbol, pair] of pairs) {
        if (!session.books.has(symbol)) continue;
        try {
          if (pair instanceof DepthwireError) throw pair;
          onPair(pair);
        } catch (error) {
          if (!(error instanceof DepthwireError)) throw error;
          session.io.log.warn({ symbol, reason: error.message }, 'metadata of no use');
        }
      }
    }

    function onAck({ method, channel, symbol, depth, error }: Ack): void {
      if (method !== 'subscribe') return;
      if (error !== null)
        session.io.log.error({ symbol, channel, reason: error }, 'the venue refused a subscription');
      const book = symbol === null ? undefined : session.books.get(symbol);
      if (!book) return;
      // A refusal does not tell its channel; what is wrong with the symbol is wrong with its book.
      if (error !== null) {
        if (channel === 'book' || (channel === null && !book.isFollowing)) book.refused(error);
      } else if (channel === 'book' && depth !== null) {
        depths.set(symbol!, depth);
        guesses.delete(symbol!);
        book.outlet.depth = depth;
      }
    }

    function onFrame(frame: Frame, receiveTimeMs: EpochMs): void {
      switch (frame.kind) {
        case 'book':
          for (const entry of frame.entries) onBook(entry, frame.isSnapshot, receiveTimeMs);
          return;
        case 'trade':
          // A snapshot tells past trades again, which are no new volume.
          if (!frame.isSnapshot) for (const entry of frame.entries) onTrade(entry, receiveTimeMs);
          return;
        case 'ticker':
          for (const entry of frame.entries) onTicker(entry, receiveTimeMs);
          return;
        case 'instrument':
          onInstruments(frame);
          return;
        case 'ack':
          onAck(frame.ack);
          return;
        case 'status':
          if (frame.system !== 'online')
            session.io.log.warn({ system: frame.system }, 'the venue is not online');
          return;
        case 'error':
          session.io.log.error({ reason: frame.message }, 'the venue reports an error');
          return;
        case 'other':
      }
    }

    return {
      outlet: { keepsBook: true },
      createBook: (outlet) => new StreamBook(outlet, session, resubscribeRequests),
      subscribe: subscribeRequests,
      concerned: concernedBy,
      opened(isSubscribed) {
        isRecorded = isSubscribed;
        for (const map of [seen, depths, guesses, updated]) map.clear();
        if (!isRecorded) watchSilence();
      },
      closed: () => pingTimer?.cancel(),
      onFrame(text, receiveTimeMs) {
        heardAtMs = session.io.clock.now();
        try {
          onFrame(parseFrame(text), receiveTimeMs);
        } catch (error) {
          if (isBookText(text)) loseNamed(text, (error as Error).message);
          throw error;
        }
      },
    };

    /** Quiet is told by heartbeats; a server that sends none answers pings. */
    function watchSilence(): void {
      const { clock } = session.io;
      heardAtMs = clock.now();
      const wait = (dueMs: number) => {
        pingTimer = clock.at(dueMs, () => {
          const isSilent = clock.now() - heardAtMs >= PING_AFTER_MS;
          if (isSilent) session.io.send(PING);
          wait((isSilent ? clock.now() : heardAtMs) + PING_AFTER_MS);
        });
      };
      pingTimer?.cancel();
      wait(heardAtMs + PING_AFTER_MS);
    }

    function loseNamed(text: string, reason: string): void {
      const symbols = concernedBy(text);
      const named = symbols?.every((symbol) => session.books.has(symbol)) ? symbols : null;
      for (const symbol of named ?? session.books.keys())
        session.books.get(symbol)!.resync(`an update could not be read: ${reason}`);
    }
  });
}

/** The most digits behind the point that the levels have, trailing zeros among them. */
function withDigits(known: Precision = { price: 0, qty: 0 }, levels: readonly PriceLevel[]): Precision {
  let { price, qty } = known;
  for (const [priceText, qtyText] of levels) {
    price = Math.max(price, digitsOf(priceText));
    qty = Math.max(qty, digitsOf(qtyText));
  }
  return { price, qty };
}

function digitsOf(text: string): number {
  if (/[eE]/.test(text)) return decimalsOf(text);
  const point = text.indexOf('.');
  return point < 0 ? 0 : text.length - point - 1;
}

/** The venue writes zero where there is nothing yet. */
function positive(value: number | null): number | undefined {
  return value !== null && value > 0 ? value : undefined;
}
