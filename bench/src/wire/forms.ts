import {
  decodeLevels,
  decimalScale,
  encodeLevels,
  formatUnits,
  frameCodes,
  msgpackCodec,
  parseLots,
  parseTicks,
  type BookDeltaFrame,
} from '@depthwire/shared';
import { Packr } from 'msgpackr';
import type { Update } from './messages.ts';

/** A way to put an update on the wire: from integers to what is sent, and back to integers. */
export interface Form<Wire extends Uint8Array | string = Uint8Array | string> {
  /** @param seq number of the message, from 1 */
  encode(update: Update, reference: number, seq: number): Wire;
  decode(wire: Wire, reference: number): Update;
}

const CHANNEL = 7;
const CADENCE_MS = 50;
const LAG_MS = 12;
const TICK = decimalScale(2);
const LOT = decimalScale(3);

interface VenueMessage {
  readonly b: [string, string][];
  readonly a: [string, string][];
}

/** As venues send it: decimals as texts. */
const json: Form<string> = {
  encode({ bids, asks }, _, seq) {
    const timeMs = 1_760_000_000_000 + CADENCE_MS * seq;
    const message = {
      e: 'depthUpdate',
      E: timeMs,
      T: timeMs,
      s: 'BTCUSDT',
      U: seq,
      u: seq,
      pu: seq - 1,
      b: texts(bids),
      a: texts(asks),
    };
    return JSON.stringify(message);
  },
  decode(wire) {
    const { b, a } = JSON.parse(wire) as VenueMessage;
    return { bids: integers(b), asks: integers(a) };
  },
};

function texts(levels: readonly number[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < levels.length; i += 2)
    pairs.push([formatUnits(levels[i]!, TICK), formatUnits(levels[i + 1]!, LOT)]);
  return pairs;
}

function integers(pairs: readonly [string, string][]): number[] {
  const levels: number[] = [];
  for (const [price, size] of pairs) levels.push(parseTicks(price, TICK), parseLots(size, LOT));
  return levels;
}

/** Without records, which not every library reads. */
const packr = new Packr({ useRecords: false, variableMapSize: true });

interface PlainLevel {
  readonly price: number;
  readonly size: number;
}

/** Objects with names, as they come to mind first. */
const objects: Form<Uint8Array> = {
  encode: ({ bids, asks }, _, seq) =>
    packr.pack({ seq, elapsed: CADENCE_MS, lag: LAG_MS, bids: plain(bids), asks: plain(asks) }),
  decode(wire) {
    const { bids, asks } = packr.unpack(wire) as { bids: PlainLevel[]; asks: PlainLevel[] };
    return { bids: flat(bids), asks: flat(asks) };
  },
};

function plain(levels: readonly number[]): PlainLevel[] {
  const objects: PlainLevel[] = [];
  for (let i = 0; i < levels.length; i += 2) objects.push({ price: levels[i]!, size: levels[i + 1]! });
  return objects;
}

function flat(objects: readonly PlainLevel[]): number[] {
  const levels: number[] = [];
  for (const { price, size } of objects) levels.push(price, size);
  return levels;
}

/** An array of integers, each price as its distance to the one before it. */
const distances: Form<Uint8Array> = {
  encode: ({ bids, asks }, reference, seq) =>
    packr.pack([...head(seq), apart(bids, -1, reference), apart(asks, 1, reference)]),
  decode(wire, reference) {
    const frame = packr.unpack(wire) as unknown[];
    return { bids: together(frame[7], -1, reference), asks: together(frame[8], 1, reference) };
  },
};

function apart(levels: readonly number[], direction: -1 | 1, reference: number): number[] {
  const wire = new Array<number>(levels.length);
  let from = reference;
  for (let i = 0; i < levels.length; i += 2) {
    wire[i] = (levels[i]! - from) * direction;
    from = levels[i]!;
    wire[i + 1] = levels[i + 1]!;
  }
  return wire;
}

function together(wire: unknown, direction: -1 | 1, reference: number): number[] {
  if (!Array.isArray(wire) || wire.length % 2 !== 0) throw new Error('no pairs');
  const levels = new Array<number>(wire.length);
  let from = reference;
  for (let i = 0; i < wire.length; i += 2) {
    from += direction * (wire[i] as number);
    const lots = wire[i + 1] as number;
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(lots) || lots < 0) throw new Error('no level');
    levels[i] = from;
    levels[i + 1] = lots;
  }
  return levels;
}

const head = (seq: number) => [frameCodes.bookDelta, CHANNEL, seq, 1, CADENCE_MS, 0, LAG_MS] as const;

export function deltaFrame(
  update: Update,
  reference: number,
  { seq, elapsedMs, lagMs }: { seq: number; elapsedMs: number; lagMs: number },
): BookDeltaFrame {
  const bids = encodeLevels(update.bids, -1, reference);
  const asks = encodeLevels(update.asks, 1, reference);
  return [frameCodes.bookDelta, CHANNEL, seq, 1, elapsedMs, 0, lagMs, bids, asks];
}

const depthwire: Form<Uint8Array> = {
  encode: (update, reference, seq) =>
    msgpackCodec.encode(
      deltaFrame(update, reference, { seq, elapsedMs: CADENCE_MS, lagMs: LAG_MS }),
    ) as Uint8Array,
  decode(wire, reference) {
    const frame = msgpackCodec.decodeLazily(wire) as BookDeltaFrame;
    return { bids: decodeLevels(frame[7], -1, reference), asks: decodeLevels(frame[8], 1, reference) };
  },
};

export const forms = { depthwire, distances, objects, json } satisfies Record<string, unknown>;
export type FormName = keyof typeof forms;
