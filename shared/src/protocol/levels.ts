import { DepthwireError } from '../model/errors.ts';
import type { FlatLevels } from '../model/events.ts';
import { isLots } from '../model/units.ts';
import {
  HEAD_BYTES,
  headLength,
  NUMBER_BYTES,
  Packable,
  PackedArray,
  unpack,
  writeHead,
  writeNumber,
} from './msgpack.ts';
import { show } from './show.ts';

// Numbers on the wire are mostly of two or three digits of a base that fits one byte of MessagePack:
// its one-byte integers are -32 to 127. A number up to 127 is itself; a larger one has leading digits,
// each an element from -1 to -32, and ends with its remainder by 128. The bounds stand in the code as
// they are, for it runs for every level of every frame.

/** What three leading digits do not reach: as a number of its own it takes no more bytes. */
const MOST_SPLIT = 128 * (1 + 32 + 32 ** 2 + 32 ** 3);

/** Levels on their way out, coded when a codec writes them. */
export class OutgoingLevels extends Packable {
  readonly #levels: FlatLevels;
  readonly #direction: -1 | 1;
  readonly #reference: number;

  constructor(levels: FlatLevels, direction: -1 | 1, reference: number) {
    super();
    this.#levels = levels;
    this.#direction = direction;
    this.#reference = reference;
  }

  get mostBytes(): number {
    return HEAD_BYTES + NUMBER_BYTES * this.#levels.length;
  }

  pack(bytes: Uint8Array, start: number): number {
    return writeLevels(bytes, start, this.#levels, this.#direction, this.#reference);
  }

  /** The elements, as they are in every encoding. */
  toJSON(): number[] {
    const bytes = new Uint8Array(this.mostBytes);
    return unpack(bytes.subarray(0, this.pack(bytes, 0))) as number[];
  }
}

/**
 * Levels for the wire, each a step and then its lots. The step is twice the distance of its price
 * from the one before it, away from the touch (down for bids, up for asks), in the first level from
 * the channel's reference price; one more than that says that the level is removed, and no lots follow.
 * @param levels `ticks, lots` pairs, best first, which stay as they are; no lots remove
 * @param direction -1 for bids, +1 for asks
 */
export function encodeLevels(levels: FlatLevels, direction: -1 | 1, reference: number): OutgoingLevels {
  return new OutgoingLevels(levels, direction, reference);
}

function writeLevels(
  bytes: Uint8Array,
  start: number,
  levels: FlatLevels,
  direction: -1 | 1,
  reference: number,
): number {
  const { length } = levels;
  // How many elements there are is known behind the last: room is left for the head that is likely.
  const body = start + (length < 12 ? 1 : 3);
  let at = body;
  /** Bytes that are no elements of their own. */
  let inner = 0;
  let from = reference;
  for (let i = 0; i < length; i += 2) {
    const ticks = levels[i]!;
    const lots = levels[i + 1]!;
    const distance = direction === 1 ? ticks - from : from - ticks;
    const step = lots === 0 ? 2 * distance + 1 : 2 * distance;
    from = ticks;
    if (i === 0 || step >= MOST_SPLIT) {
      // The first one may be below zero, and so is never split.
      const end = writeNumber(bytes, at, step);
      inner += end - at - 1;
      at = end;
    } else if (distance < 0) {
      throw new DepthwireError('invalid_argument', 'levels: expected the best price first');
    } else if (step < 128) {
      bytes[at++] = step;
    } else {
      at = writeSplit(bytes, at, step);
    }
    if (lots === 0) continue;
    if (lots < 128) {
      bytes[at++] = lots;
    } else if (lots < MOST_SPLIT) {
      at = writeSplit(bytes, at, lots);
    } else {
      const end = writeNumber(bytes, at, lots);
      inner += end - at - 1;
      at = end;
    }
  }
  const count = at - body - inner;
  const shift = start + headLength(count) - body;
  if (shift !== 0) bytes.copyWithin(body + shift, body, at);
  writeHead(bytes, start, count);
  return at + shift;
}

/** Digits of 1 to 32, so that there is one way only to write a number. */
function writeSplit(bytes: Uint8Array, start: number, number: number): number {
  let at = start;
  const leading = number >> 7;
  if (leading > 32) {
    const last = ((leading - 1) & 31) + 1;
    const before = (leading - last) >> 5;
    if (before > 32) {
      const middle = ((before - 1) & 31) + 1;
      bytes[at++] = (middle - before) >> 5;
      bytes[at++] = -middle;
    } else {
      bytes[at++] = -before;
    }
    bytes[at++] = -last;
  } else {
    bytes[at++] = -leading;
  }
  bytes[at++] = number & 127;
  return at;
}

/**
 * The inverse of `encodeLevels`.
 * @param wire what a codec has read: an array, or one that is still packed
 * @throws DepthwireError `malformed_frame` on anything but steps and lots, prices within 2^53
 */
export function decodeLevels(wire: unknown, direction: -1 | 1, reference: number): number[] {
  if (wire instanceof PackedArray) {
    return decodePacked(wire, direction, reference) ?? decodeLevels(wire.toJSON(), direction, reference);
  }
  const elements: unknown = wire instanceof OutgoingLevels ? wire.toJSON() : wire;
  if (!Array.isArray(elements)) throw new DepthwireError('malformed_frame', 'levels: expected an array');
  const levels: number[] = [];
  let ticks = reference;
  let leading = 0;
  let isStep = true;
  for (let i = 0; i < elements.length; i++) {
    const element: unknown = elements[i];
    if (!Number.isInteger(element)) throw malformed(i, element);
    let number = element as number;
    if (number < 0 && i > 0) {
      if (number < -32) throw malformed(i, element);
      leading = 32 * leading - number;
      continue;
    }
    if (leading > 0) {
      if (number > 127) throw malformed(i, element);
      number += 128 * leading;
      leading = 0;
    }
    if (isStep) {
      const isRemoved = (number & 1) === 1;
      ticks += (direction * (isRemoved ? number - 1 : number)) / 2;
      if (!Number.isSafeInteger(number) || !Number.isSafeInteger(ticks)) throw malformed(i, element);
      if (isRemoved) levels.push(ticks, 0);
      else isStep = false;
    } else {
      if (!isLots(number)) throw malformed(i, element);
      levels.push(ticks, number);
      isStep = true;
    }
  }
  if (leading > 0 || !isStep) throw malformed(elements.length, undefined);
  return levels;
}

/** Where levels are put before their number is known. */
let room = new Float64Array(1_024);

/** The same straight from the bytes; null where there is anything out of the common, as more than five digits. */
function decodePacked(
  { first, bytes, from, to }: PackedArray,
  direction: -1 | 1,
  reference: number,
): number[] | null {
  if ((first | 0) !== first) return null;
  const most = 2 * (to - from + 1);
  if (room.length < most) room = new Float64Array(2 * most);
  const found = room;
  let ticks = direction === 1 ? reference + (first >> 1) : reference - (first >> 1);
  let isRemoved = (first & 1) === 1;
  let at = from;
  let count = 0;
  for (;;) {
    let lots = 0;
    if (!isRemoved) {
      const start = at;
      let leading = 0;
      let byte = bytes[at++]!;
      for (; byte > 127; byte = bytes[at++]!) {
        if (byte < 224) return null;
        leading = (leading << 5) + 256 - byte;
      }
      if (at > to || at - start > 5) return null;
      lots = (leading << 7) + byte;
    }
    found[count++] = ticks;
    found[count++] = lots;
    if (at === to) break;
    const start = at;
    let leading = 0;
    let byte = bytes[at++]!;
    for (; byte > 127; byte = bytes[at++]!) {
      if (byte < 224) return null;
      leading = (leading << 5) + 256 - byte;
    }
    if (at > to || at - start > 5) return null;
    const step = (leading << 7) + byte;
    ticks = direction === 1 ? ticks + (step >> 1) : ticks - (step >> 1);
    isRemoved = (step & 1) === 1;
  }
  // Prices only go away from the first one.
  if (!Number.isSafeInteger(found[0]) || !Number.isSafeInteger(ticks)) return null;
  const levels = new Array<number>(count);
  for (let i = 0; i < count; i++) levels[i] = found[i]!;
  return levels;
}

function malformed(index: number, value: unknown): DepthwireError {
  return new DepthwireError(
    'malformed_frame',
    `levels: expected steps within 2^53 ticks and lots, got ${show(value)} at ${index}`,
  );
}
