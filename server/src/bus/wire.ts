import {
  candleIntervals,
  codecs,
  decodeLevels,
  DepthwireError,
  encodeLevels,
  type BookState,
  type CandleInterval,
  type DataFrame,
  type FlatLevels,
  type Instrument,
  type InstrumentId,
  type OutgoingLevels,
  type WireCandle,
  type WireTrade,
} from '@depthwire/shared';
import { z } from 'zod';
import type { DayStatistics } from '../engine/statistics.ts';

// What goes over the bus: lanes as MessagePack, and what is seldom as JSON. Ingests and gateways of one version talk to
// each other; a message of another version is refused.

export const BUS_VERSION = 3;
/** Largest message of a lane that is read, and of what is JSON. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
/** Of an ingest or feed. */
export const MAX_NAME_CHARS = 200;
/** Of an instrument: more than any has. */
const MAX_ID_CHARS = 128;
/** Instruments that are asked for together. */
export const MAX_ASKED = 500;
/** In the year 128,000; the difference of any two such times is an exact integer. */
export const MAX_TIME_MS = 4e15;

export const messageKinds = { updates: 0, heads: 1 } as const;

export const busCodes = {
  delta: 0,
  snapshot: 1,
  state: 2,
  trades: 3,
  instrument: 4,
  candlesChanged: 5,
  // These are answers. They count for nothing, and whoever needs none of them leaves them alone.
  whole: 6,
  candles: 7,
} as const;

type State = [state: BookState, reason: string | null, sinceMs: number];

/** Levels on their way out as the protocol's; what is read has what a codec made of them. */
type Levels = OutgoingLevels | unknown;

/** Times are milliseconds before the message was sent. */
export type BookMoveFrame = [
  code: typeof busCodes.delta | typeof busCodes.snapshot,
  sequence: number,
  receiveTime: number,
  takenAt: number,
  venueTime: number | null,
  reference: number,
  bids: Levels,
  asks: Levels,
  /** Where it changed with this very update: nobody reads the levels under the state of before. */
  state: State | null,
];

export type DayFrame = [
  last: number | null,
  open: number | null,
  high: number | null,
  low: number | null,
  volume: number,
  turnover: number,
  trades: number,
];

/** All that there is to know of an instrument at its place in the lane. */
export type WholeFrame = [
  code: typeof busCodes.whole,
  /** The count of frames up to here. */
  number: number,
  /** That of the frame with which all began anew, in other units. */
  begunAt: number,
  instrument: Instrument,
  sequence: number,
  checksum: number,
  receiveTime: number | null,
  venueTime: number | null,
  reference: number,
  bids: Levels,
  asks: Levels,
  state: State,
  day: DayFrame,
  tradeCount: number,
  /** The latest ones. */
  trades: WireTrade[],
  /** Whether these are all that the leader has. */
  hasAll: boolean,
  candleChanges: number,
];

export type BusFrame =
  | BookMoveFrame
  | [code: typeof busCodes.state, ...State]
  | [code: typeof busCodes.trades, trades: WireTrade[]]
  | [
      code: typeof busCodes.instrument,
      instrument: Instrument,
      isRescaled: boolean,
      sequence: number,
      tradeCount: number,
    ]
  | [code: typeof busCodes.candlesChanged, interval: CandleInterval]
  | WholeFrame
  | [
      code: typeof busCodes.candles,
      interval: CandleInterval,
      tradeCount: number,
      candleChanges: number,
      candles: WireCandle[],
    ];

/** What came of an instrument; the frames that count are numbered from `first` on. */
export type Group = [id: InstrumentId, first: number, day: DayFrame | null, frames: BusFrame[]];

/** What whoever missed nothing has of an instrument. */
export type Head = [
  id: InstrumentId,
  number: number,
  sequence: number,
  tradeCount: number,
  checksum: number,
  /** How often the past of its candles became another one. */
  candleChanges: number,
];

interface Envelope {
  readonly ingest: string;
  readonly feed: string;
  /** Of the lease under which the feed is led. */
  readonly epoch: number;
  /** Counts the messages of this lane, feed and epoch. */
  readonly number: number;
  readonly sentMs: number;
  /** The same by a clock of the sender's that nobody can set: how late it comes is told by it. */
  readonly steadyMs: number;
}

export type LaneMessage = Envelope &
  (
    | { readonly kind: typeof messageKinds.updates; readonly body: readonly Group[] }
    | { readonly kind: typeof messageKinds.heads; readonly body: readonly Head[] }
  );

/** What a gateway wants of whoever leads a feed. */
export type Ask =
  /** Whole instruments; with each the count of trades that it has, -1 where it has none. */
  | {
      readonly op: 'wholes';
      readonly feed: string;
      /** By which the trades are counted. */
      readonly epoch: number;
      readonly instruments: readonly (readonly [string, number])[];
    }
  | {
      readonly op: 'candles';
      readonly feed: string;
      readonly instrument: string;
      readonly interval: CandleInterval;
    }
  /** A lease was given away: whoever waits for it need not wait longer. */
  | { readonly op: 'given'; readonly feed: string };

/** Of a bus message as of a frame of the protocol. */
const codec = codecs.msgpack;
const pack = (value: readonly unknown[]) =>
  codec.encode(value as unknown as DataFrame) as Uint8Array<ArrayBuffer>;

export function encodeMessage(message: LaneMessage): Buffer {
  const { kind, ingest, feed, epoch, number, sentMs, steadyMs, body } = message;
  const bytes = pack([BUS_VERSION, kind, ingest, feed, epoch, number, sentMs, steadyMs, body]);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Reads the envelope; the frames are read as they are applied.
 * @throws DepthwireError `malformed_message`
 */
export function decodeMessage(bytes: Uint8Array): LaneMessage {
  if (bytes.length > MAX_MESSAGE_BYTES) throw malformed(`over ${MAX_MESSAGE_BYTES} bytes`);
  const message = codec.decode(bytes);
  if (!Array.isArray(message)) throw malformed('expected an array');
  const [version, kind, ingest, feed, epoch, number, sentMs, steadyMs, body] = message as unknown[];
  checkVersion(version);
  if (kind !== messageKinds.updates && kind !== messageKinds.heads) throw malformed('kind: expected 0 or 1');
  if (!isName(ingest) || !isName(feed))
    throw malformed(`ingest, feed: expected names of up to ${MAX_NAME_CHARS} characters`);
  const isRight =
    [epoch, number].every((value) => Number.isSafeInteger(value) && (value as number) >= 0) &&
    [sentMs, steadyMs].every(
      (value) => Number.isSafeInteger(value) && Math.abs(value as number) <= MAX_TIME_MS,
    );
  if (!isRight) throw malformed('epoch, number, times: expected whole numbers');
  if (!Array.isArray(body)) throw malformed('body: expected an array');
  return { kind, ingest, feed, epoch, number, sentMs, steadyMs, body } as LaneMessage;
}

/** Best first, as levels go over the wire; of a price that is named twice the last word counts still. */
export function encodeSide(levels: FlatLevels, direction: -1 | 1, reference: number): OutgoingLevels {
  const { length } = levels;
  let isSorted = true;
  for (let i = 2; i < length && isSorted; i += 2) isSorted = (levels[i]! - levels[i - 2]!) * direction >= 0;
  // The arrays are the feed's, and are sent later.
  const copy = Array.from(levels);
  if (isSorted) return encodeLevels(copy, direction, reference);
  const rows: [number, number][] = [];
  for (let i = 0; i < length; i += 2) rows.push([copy[i]!, copy[i + 1]!]);
  rows.sort(([a], [b]) => (a - b) * direction);
  return encodeLevels(rows.flat(), direction, reference);
}

export const decodeSide = decodeLevels;

export function encodeDay({ last, open, high, low, volume, turnover, trades }: DayStatistics): DayFrame {
  return [last, open, high, low, volume, turnover, trades];
}

export function decodeDay([last, open, high, low, volume, turnover, trades]: DayFrame): DayStatistics {
  return { last, open, high, low, volume, turnover, trades } as DayStatistics;
}

export function encodeAsk(ask: Ask): string {
  return encodeText(ask);
}

const name = z.string().max(MAX_NAME_CHARS);
const id = z.string().max(MAX_ID_CHARS);
const ask: z.ZodType<Ask> = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('wholes'),
    feed: name,
    epoch: z.int(),
    instruments: z.array(z.tuple([id, z.int()])).max(MAX_ASKED),
  }),
  z.object({
    op: z.literal('candles'),
    feed: name,
    instrument: id,
    interval: z.enum(Object.keys(candleIntervals) as CandleInterval[]),
  }),
  z.object({ op: z.literal('given'), feed: name }),
]);

/** @throws DepthwireError `malformed_message` */
export function decodeAsk(bytes: Buffer): Ask {
  return decodeText(bytes, ask);
}

export function encodeText(message: object): string {
  return JSON.stringify({ version: BUS_VERSION, ...message });
}

/** @throws DepthwireError `malformed_message`, naming what is wrong first */
export function decodeText<T>(bytes: Buffer, schema: z.ZodType<T>): T {
  if (bytes.length > MAX_TEXT_BYTES) throw malformed(`over ${MAX_TEXT_BYTES} bytes`);
  let message: { version?: unknown } | null;
  try {
    message = JSON.parse(bytes.toString()) as typeof message;
  } catch {
    throw malformed('expected JSON');
  }
  checkVersion(message?.version);
  const { data, error } = schema.safeParse(message);
  if (!error) return data;
  const [issue] = error.issues;
  throw malformed(`${issue!.path.join('.')}: ${issue!.message}`);
}

function checkVersion(version: unknown): void {
  if (version === BUS_VERSION) return;
  const told = typeof version === 'number' ? `version ${version}` : 'no version';
  throw malformed(
    `${told}, expected ${BUS_VERSION}: run ingests and gateways of one release, or set them apart by bus.prefix`,
  );
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME_CHARS;
}

function malformed(why: string): DepthwireError {
  return new DepthwireError('malformed_message', `a message of the bus: ${why}`);
}

/** Only what is worth a message: whether two days are the same. */
export function isSameDay(a: DayFrame | null, b: DayFrame): boolean {
  return a !== null && a.every((value, i) => value === b[i]);
}
