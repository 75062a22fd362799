import type { Instrument } from '../model/instrument.ts';
import {
  frameCodes,
  type ClientRequest,
  type ResumePoint,
  type ServerMessage,
  type Subscribed,
  type Topic,
} from '../protocol/messages.ts';

/** Requests without an answer that are remembered at most. */
const MAX_PENDING = 1_000;

/** A channel as the frames of a connection tell it. */
export interface ChannelView {
  readonly topic: Topic;
  instrument: Instrument;
  /** Ticks that levels are measured from; null before a snapshot. */
  reference: number | null;
  /** The newest frame; null where only a snapshot can follow. */
  seq: number | null;
}

/** A frame is missing between these two. */
export interface Gap {
  readonly expected: number;
  readonly got: number;
}

const stepCodes: ReadonlySet<unknown> = new Set([
  frameCodes.bookDelta,
  frameCodes.bookState,
  frameCodes.trades,
  frameCodes.candle,
]);
const mergedCodes: ReadonlySet<unknown> = new Set([
  frameCodes.bookMerged,
  frameCodes.tradesMerged,
  frameCodes.candlesMerged,
]);

/** What the channels of a connection carry, learnt from its messages alone. */
export class Channels {
  #open = new Map<number, ChannelView>();
  /** Those of the connection before, for subscriptions that go on. */
  #before = new Map<number, ChannelView>();
  readonly #pending = new Map<number, ClientRequest>();

  get(ch: unknown): ChannelView | null {
    return this.#open.get(ch as number) ?? null;
  }

  sent(request: ClientRequest): void {
    if (this.#pending.size >= MAX_PENDING) this.#pending.clear();
    this.#pending.set(request.id, request);
  }

  /** @throws TypeError where a field is missing */
  received(message: ServerMessage): void {
    switch (message.op) {
      case 'hello':
        this.#before = this.#open;
        this.#open = new Map();
        this.#pending.clear();
        return;
      case 'subscribed': {
        if (!message.instrument.tick || !message.instrument.lot)
          throw new TypeError('an instrument has scales');
        const request = this.#settle(message.id);
        const resume = request?.op === 'subscribe' ? request.resume : undefined;
        this.#open.set(message.ch, this.#granted(message, resume));
        return;
      }
      case 'unsubscribed':
        this.#open.delete(message.ch);
        this.#settle(message.id);
        return;
      case 'instrument':
        for (const channel of this.#open.values())
          if (channel.instrument.id === message.instrument.id) channel.instrument = message.instrument;
        return;
      case 'snapshot':
      case 'limited':
      case 'pong':
      case 'error':
        if (message.id !== null) this.#settle(message.id);
        return;
      default: // nothing of a channel
    }
  }

  /** The request that this answers, as long as it has not been received. */
  requestOf(id: unknown): ClientRequest | null {
    return this.#pending.get(id as number) ?? null;
  }

  /**
   * Takes note of a frame.
   * @returns what is missing before it
   */
  follow(channel: ChannelView, frame: readonly unknown[]): Gap | null {
    const [code, , seq] = frame;
    if (!Number.isSafeInteger(seq)) return null;
    const before = stepCodes.has(code) ? (seq as number) - 1 : mergedCodes.has(code) ? frame[3] : null;
    if (before === null) {
      if (code === frameCodes.bookSnapshot) channel.reference = frame[7] as number;
      if (code === frameCodes.bookResumed) channel.reference = frame[9] as number;
      channel.seq = seq as number;
      return null;
    }
    if (channel.seq === null) return null;
    if (before === channel.seq) {
      channel.seq = seq as number; // which is lower where the channel is another gateway's
      return null;
    }
    if ((seq as number) <= channel.seq) return null;
    const expected = channel.seq + 1;
    channel.seq = null;
    return { expected, got: (before as number) + 1 };
  }

  #granted(message: Subscribed, resume: ResumePoint | undefined): ChannelView {
    const { topic, instrument, ch, seq } = message;
    const held = this.#open.get(ch);
    if (held) return held; // shared by several subscriptions
    const before = resume && seq !== undefined ? this.#before.get(resume.ch) : undefined;
    return { topic, instrument, reference: before?.reference ?? null, seq: before ? resume!.seq : null };
  }

  #settle(id: number): ClientRequest | undefined {
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    return request;
  }
}
