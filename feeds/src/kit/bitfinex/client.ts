/** Flags of a `conf` event; the last of them is for many changes in a frame. */
const SEQ_ALL = 65_536;
const CHECKSUM = 131_072;
const TIMESTAMP = 32_768;
const KNOWN_FLAGS = TIMESTAMP | SEQ_ALL | CHECKSUM | 536_870_912;

/** "All websocket connections have a limit of 25 subscriptions". */
const MAX_CHANNELS = 25;
const PRECISIONS = ['P0', 'P1', 'P2', 'P3', 'P4', 'R0'];
const LENGTHS = ['1', '25', '100', '250'];

export const errors = {
  configuration: { code: 10_001, msg: 'conf: invalid' },
  event: { code: 10_000, msg: 'event: invalid' },
  symbol: { code: 10_300, msg: 'symbol: invalid' },
  duplicate: { code: 10_301, msg: 'subscribe: dup' },
  channel: { code: 10_302, msg: 'channel: unknown' },
  limit: { code: 10_305, msg: 'subscribe: limit' },
  precision: { code: 10_011, msg: 'prec: invalid' },
  length: { code: 10_012, msg: 'len: invalid' },
  unsubscribe: { code: 10_400, msg: 'unsubscribe: invalid' },
} as const;

export type Refusal = (typeof errors)[keyof typeof errors];

export interface EmulatedChannel {
  readonly chanId: number;
  readonly channel: string;
  readonly symbol: string;
  readonly prec: string;
  readonly freq: string;
  readonly len: string;
  /** When something was sent on it last. */
  lastMs: number;
}

/** What the venue keeps for a connection. */
export class BitfinexClient {
  readonly channels = new Map<number, EmulatedChannel>();
  #flags = 0;
  #sequence = 0;
  #nextChanId: number;

  /** @param firstChanId other ones on every connection */
  constructor(firstChanId: number) {
    this.#nextChanId = firstChanId;
  }

  get hasChecksums(): boolean {
    return (this.#flags & CHECKSUM) !== 0;
  }

  /** @returns whether the flags were accepted */
  configure(flags: unknown): boolean {
    if (!Number.isSafeInteger(flags) || ((flags as number) & ~KNOWN_FLAGS) !== 0) return false;
    this.#flags = flags as number;
    return true;
  }

  /** A frame of a channel, with its number and the time where they were asked for. */
  frame(channel: EmulatedChannel, nowMs: number, ...content: readonly unknown[]): string {
    channel.lastMs = nowMs;
    const isNumbered = (this.#flags & SEQ_ALL) !== 0;
    if (isNumbered) this.#sequence += 1;
    const isTimed = (this.#flags & TIMESTAMP) !== 0;
    const extras = [...(isNumbered ? [this.#sequence] : []), ...(isTimed ? [Math.floor(nowMs)] : [])];
    return JSON.stringify([channel.chanId, ...content, ...extras]);
  }

  find(channel: string, symbol: string): EmulatedChannel | undefined {
    return [...this.channels.values()].find((open) => open.channel === channel && open.symbol === symbol);
  }

  open(
    { channel, symbol, prec = 'P0', freq = 'F0', len = '25' }: Record<string, unknown>,
    nowMs: number,
  ): EmulatedChannel | Refusal {
    if (channel !== 'book' && channel !== 'trades' && channel !== 'ticker') return errors.channel;
    if (typeof symbol !== 'string') return errors.symbol;
    if (!PRECISIONS.includes(prec as string)) return errors.precision;
    if (!LENGTHS.includes(String(len))) return errors.length;
    if (this.find(channel, symbol)) return errors.duplicate;
    if (this.channels.size >= MAX_CHANNELS) return errors.limit;
    const open: EmulatedChannel = {
      chanId: (this.#nextChanId += 1),
      channel,
      symbol,
      prec: prec as string,
      freq: String(freq),
      len: String(len),
      lastMs: nowMs,
    };
    this.channels.set(open.chanId, open);
    return open;
  }
}
