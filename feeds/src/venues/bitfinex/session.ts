import type { EpochMs, Instrument, Timer } from '@depthwire/shared';
import { malformed } from '../../core/frame-checks.ts';
import type { BookCheck, LevelUpdate } from '../../core/instrument-outlet.ts';
import type { PriceLevel } from '../../core/levels.ts';
import { Session, type Protocol } from '../../core/session.ts';
import { StreamBook } from '../../core/stream-book.ts';
import type { SessionOptions, VenueSession } from '../../core/venue.ts';
import { Channels, type Channel } from './channels.ts';
import { bookChecksum, CHECKSUM_DEPTH } from './checksum.ts';
import {
  errorCodes,
  flags,
  infoCodes,
  type Info,
  type Levels,
  type Refusal,
  type Ticker,
} from './messages.ts';
import {
  chanIdOf,
  checkLevels,
  checkTicker,
  isArrayText,
  isList,
  isObjectText,
  parseFrame,
} from './parse.ts';
import { ConnectionSequence } from './sequencer.ts';
import {
  confRequest,
  REQUESTED_FLAGS,
  subscribeRequest,
  subscribeRequests,
  unsubscribeRequest,
} from './subscribe.ts';
import { isDefaultLot, isDefaultTick } from './symbols.ts';

/**
 * How long changes wait for the checksum that covers them, in two steps, so that frames which a busy
 * process has not read yet are read before the second one is over.
 */
const CHECKSUM_WAIT_MS = 1_000;
/** "It should take 120 seconds at most." */
const MAINTENANCE_MS = 120_000;
/** Wait for the snapshots after a maintenance. */
const RESUBSCRIBE_WAIT_MS = 10_000;
/** Of the numbers after a frame's content, sequence numbers are below and times in milliseconds above. */
const FIRST_TIME_MS = 1e12;

/** Changes of one message or several that wait for their checksum. */
interface Held {
  readonly bids: PriceLevel[];
  readonly asks: PriceLevel[];
  /** Of the newest message. */
  venueTimeMs: number | null;
  receiveTimeMs: EpochMs;
  timer: Timer;
}

/** The content of a frame, read before the sequence is asked, so that an unreadable one counts as missing. */
type Content = { readonly levels: Levels } | { readonly ticker: Ticker } | null;

/** Metadata that could not be had in full tells scales that say nothing: a book at work keeps its own. */
class BitfinexSession extends Session<StreamBook> {
  override update(instrument: Instrument): void {
    const listed = this.books.get(instrument.symbol)?.outlet.listed ?? instrument;
    super.update({
      ...instrument,
      tick: isDefaultTick(instrument.tick) ? listed.tick : instrument.tick,
      lot: isDefaultLot(instrument.lot) ? listed.lot : instrument.lot,
    });
  }
}

export function createBitfinexSession(options: SessionOptions): VenueSession {
  return new BitfinexSession(options, (session): Protocol<StreamBook> => {
    const { io, stats } = session;
    const channels = new Channels();
    const sequence = new ConnectionSequence();
    /** Ids of frames that no subscription explains. */
    const strangers = new Set<number>();
    /** Whether the frame at hand is one of them. */
    let isStranger = false;
    const held = new Map<string, Held>();
    /** As the venue accepted them; null before, and in a recording that does not tell them. */
    let confFlags: number | null = null;
    /** Whether a checksum was seen: a recording may begin after the flags were accepted. */
    let hasChecksums = false;
    let isRecorded = false;
    /** Whether the sequence has counted the frame at hand. */
    let isCounted = false;
    /** Whose books the last frame that could not be read may have changed. */
    let doubted: readonly string[] | null = null;

    const hasFlag = (flag: number) => ((confFlags ?? 0) & flag) !== 0;

    function resubscribe(symbol: string): string[] {
      const chanId = channels.bookIdOf(symbol);
      const request = subscribeRequest('book', symbol);
      if (chanId === undefined) return [request];
      if (!isRecorded) channels.close(chanId);
      return [unsubscribeRequest(chanId), request];
    }

    /** @returns what waited for a checksum, and does not any more */
    function drop(symbol: string): Held | undefined {
      const waiting = held.get(symbol);
      waiting?.timer.cancel();
      held.delete(symbol);
      return waiting;
    }

    function dropAll(): void {
      for (const symbol of session.books.keys()) drop(symbol);
    }

    /** Adds changes to those that wait. */
    function hold(channel: Channel, { bids, asks, venueTimeMs, receiveTimeMs }: LevelUpdate): void {
      const { symbol } = channel;
      const wait = (task: () => void) => io.clock.at(io.clock.now() + CHECKSUM_WAIT_MS, task);
      let waiting = held.get(symbol);
      if (!waiting) {
        const timer = wait(() => {
          const late = held.get(symbol);
          if (late) late.timer = wait(() => giveUp(channel));
        });
        held.set(symbol, (waiting = { bids: [], asks: [], venueTimeMs, receiveTimeMs, timer }));
      }
      waiting.bids.push(...bids);
      waiting.asks.push(...asks);
      waiting.venueTimeMs = venueTimeMs;
      waiting.receiveTimeMs = receiveTimeMs;
    }

    /** No checksum follows the changes of this channel: they are told as they come, and checked later. */
    function giveUp(channel: Channel): void {
      channel.isPrompt = false;
      io.log.warn(
        { symbol: channel.symbol },
        'no checksum came for changes, the sequence alone confirms them',
      );
      release(channel.symbol);
    }

    function release(symbol: string, check?: BookCheck): void {
      const waiting = drop(symbol);
      if (waiting) session.books.get(symbol)?.delta(waiting, check);
    }

    function lose(symbol: string, reason: string): void {
      drop(symbol);
      session.books.get(symbol)?.resync(reason);
    }

    const isNumbered = () => (confFlags === null ? sequence.isNumbered : hasFlag(flags.SEQ_ALL));

    /**
     * Holds a frame against the sequence.
     * @returns whether it is a new one, its content to be taken
     */
    function isNext(extras: readonly unknown[]): boolean {
      const number = integers(extras).find((value) => value < FIRST_TIME_MS);
      if (number === undefined && isNumbered()) throw malformed('sequence', 'an integer', extras);
      isCounted = true;
      if (number === undefined || (confFlags !== null && !isNumbered())) return true;
      const verdict = sequence.take(number);
      if (verdict.order === 'gap') {
        const lost = [...(verdict.lost ?? session.books.keys())];
        if (lost.length > 0) stats.gaps += 1;
        for (const symbol of lost) lose(symbol, verdict.reason);
      }
      if (verdict.order !== 'next' || verdict.isProof)
        for (const book of session.books.values()) book.prove();
      return verdict.order !== 'old';
    }

    /**
     * The first data of an id that the venue never told of may be of any book, the id damaged: the sequence
     * has counted the frame, so that nothing later could prove that nothing is missing.
     */
    function assertTold(chanId: number, isData: boolean): void {
      if (channels.isTold(chanId)) return;
      isStranger = true;
      if (isData && !strangers.has(chanId)) {
        strangers.add(chanId);
        for (const symbol of session.books.keys())
          lose(symbol, `data of channel ${chanId}, which nobody opened`);
      }
      throw malformed('chanId', 'a channel that was subscribed', chanId);
    }

    function readContent(chanId: number, payload: readonly unknown[]): Content {
      const channel = channels.get(chanId);
      if (channels.book(chanId)) return { levels: checkLevels(payload) };
      return channel?.channel === 'ticker' ? { ticker: checkTicker(payload) } : null;
    }

    function onLevels(channel: Channel, isMany: boolean, update: LevelUpdate): void {
      const { symbol, len } = channel;
      const book = session.books.get(symbol);
      if (!book) return;
      stats.bookUpdates += 1;
      if (isMany && channel.hasSnapshot && confFlags === null) {
        lose(symbol, 'a list of levels that may be a snapshot as well as changes');
        return;
      }
      if (isMany && !(channel.hasSnapshot && hasFlag(flags.BULK_UPDATES))) {
        channel.hasSnapshot = true;
        drop(symbol);
        book.snapshot(update);
        return;
      }
      if (!channel.hasSnapshot || !book.isFollowing) return;
      if (isNumbered()) book.link();
      const isChecked = hasFlag(flags.CHECKSUM) || hasChecksums;
      if (isChecked && channel.isPrompt && isCovered(len)) hold(channel, update);
      else book.delta(update);
    }

    function onChecksum({ symbol, len }: Channel, checksum: number): void {
      hasChecksums = true;
      const book = session.books.get(symbol);
      if (!book || !isCovered(len)) return;
      const check: BookCheck = (copy, instrument) => {
        const ours = bookChecksum(copy, instrument);
        return ours === checksum ? null : `the venue's checksum is ${checksum}, the book's ${ours}`;
      };
      if (held.has(symbol)) release(symbol, check);
      else book.verify(check);
    }

    function onTicker(
      symbol: string,
      { last, change, volume, high, low }: Ticker,
      times: Pick<LevelUpdate, 'venueTimeMs' | 'receiveTimeMs'>,
    ): void {
      const open = last === undefined || change === undefined ? undefined : last - change;
      session.books.get(symbol)?.outlet.ticker({ last, open, high, low, volume, ...times });
    }

    function onInfo({ code, isMaintenance }: Info): void {
      if (code === infoCodes.RESTART) io.replaceConnection('the venue is about to restart its server');
      else if (code === infoCodes.MAINTENANCE || isMaintenance) {
        dropAll();
        for (const book of session.books.values())
          book.suspend('the venue is in maintenance', MAINTENANCE_MS);
      } else if (code === infoCodes.MAINTENANCE_ENDED) resume();
    }

    /** "It is advised to unsubscribe/subscribe again all channels." */
    function resume(): void {
      dropAll();
      for (const book of session.books.values())
        book.suspend(
          'the venue’s maintenance has ended, its channels are subscribed again',
          RESUBSCRIBE_WAIT_MS,
        );
      for (const chanId of channels.ids) io.send(unsubscribeRequest(chanId));
      if (!isRecorded) channels.clear();
      for (const request of subscribeRequests([...session.books.keys()])) io.send(request);
    }

    function onRefusal({ code, message, channel, symbol }: Refusal): void {
      if (code === errorCodes.ALREADY_SUBSCRIBED || code === errorCodes.NOT_SUBSCRIBED) return;
      io.log.error({ code, channel, symbol, reason: message }, 'the venue refused a request');
      if (channel === 'book' && symbol !== null) session.books.get(symbol)?.refused(`${code}: ${message}`);
    }

    /** An answer without flags accepts those asked for. What a recorder has asked for is not known here: frames tell. */
    function onConf(isAccepted: boolean, accepted: number | null): void {
      if (isAccepted) confFlags = accepted ?? (isRecorded ? null : REQUESTED_FLAGS);
      else if (!isRecorded) io.reconnect('the venue refused sequence numbers and checksums');
    }

    function onFrame(text: string, receiveTimeMs: EpochMs): void {
      const frame = parseFrame(text);
      switch (frame.kind) {
        case 'info':
          onInfo(frame.info);
          return;
        case 'conf':
          onConf(frame.isAccepted, frame.flags);
          return;
        case 'subscribed':
          channels.open(frame.subscribed);
          return;
        case 'unsubscribed':
          channels.close(frame.chanId);
          return;
        case 'error':
          onRefusal(frame.refusal);
          return;
        case 'event':
          return;
        case 'data': {
          const { chanId, payload, extras } = frame;
          const content = readContent(chanId, payload);
          if (!isNext(extras)) return;
          assertTold(chanId, true);
          if (content === null) return;
          const channel = channels.get(chanId);
          if (!channel) return; // the gap before it has closed it
          const times = { venueTimeMs: timeOf(extras), receiveTimeMs };
          if ('levels' in content) onLevels(channel, isList(payload), { ...content.levels, ...times });
          else onTicker(channel.symbol, content.ticker, times);
          return;
        }
        case 'checksum':
        case 'trade':
        case 'other': {
          if (!isNext(frame.extras)) return;
          // Heartbeats come even before the venue tells that the channel is open.
          if (frame.kind !== 'other') assertTold(frame.chanId, false);
          const book = channels.book(frame.chanId);
          if (frame.kind === 'checksum' && book) onChecksum(book, frame.checksum);
          if (frame.kind === 'trade') {
            const symbol = channels.get(frame.chanId)?.symbol ?? '';
            const { timeMs, ...trade } = frame.trade;
            session.books.get(symbol)?.outlet.trade({ ...trade, venueTimeMs: timeMs, receiveTimeMs });
          }
        }
      }
    }

    function onUnread(text: string): void {
      // An object is never a book's; a frame of a channel that is not known may be of any.
      doubted = isObjectText(text) || isStranger ? [] : channels.concerned(chanIdOf(text));
      if (isCounted || isObjectText(text)) return;
      sequence.unread(isArrayText(text), doubted);
      // Without numbers nothing could prove later that none is missing.
      if (!isNumbered())
        for (const symbol of doubted ?? session.books.keys()) lose(symbol, 'a frame could not be read');
    }

    return {
      outlet: { keepsBook: true },
      createBook: (outlet) => new StreamBook(outlet, session, resubscribe),
      opened(isSubscribed) {
        isRecorded = isSubscribed;
        confFlags = null;
        hasChecksums = false;
        channels.reset();
        strangers.clear();
        sequence.reset();
      },
      closed: dropAll,
      ended() {
        for (const symbol of session.books.keys()) release(symbol);
      },
      subscribe: (symbols) => [confRequest, ...subscribeRequests(symbols)],
      concerned: () => doubted,
      onFrame(text, receiveTimeMs) {
        isCounted = isStranger = false;
        try {
          onFrame(text, receiveTimeMs);
        } catch (error) {
          onUnread(text);
          throw error;
        }
      },
    };
  });
}

/** Whether the checksum's depth is within the book's: of a shorter one it cannot be told. */
function isCovered(len: number | null): boolean {
  return len === null || len >= CHECKSUM_DEPTH;
}

/** Sequence number and time, those of them that the flags ask for. */
function integers(extras: readonly unknown[]): number[] {
  return extras.filter((value): value is number => Number.isSafeInteger(value));
}

function timeOf(extras: readonly unknown[]): number | null {
  return integers(extras).find((value) => value >= FIRST_TIME_MS) ?? null;
}
