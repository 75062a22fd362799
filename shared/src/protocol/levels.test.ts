import fc from 'fast-check';
import { pack, unpack } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { isLots, MAX_TICKS } from '../model/units.ts';
import { jsonCodec, msgpackCodec, type Codec } from './codec.ts';
import { decodeLevels, encodeLevels } from './levels.ts';
import type { WireLevels } from './messages.ts';

const direction = fc.constantFrom<1 | -1>(1, -1);
const price = fc.oneof(
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.integer({ min: -MAX_TICKS, max: MAX_TICKS }),
);
const size = fc.oneof(fc.constant(0), fc.nat(300), fc.nat(200_000), fc.nat(2 ** 31), fc.maxSafeNat());
const levels = fc.array(fc.tuple(price, size), { maxLength: 30 });

const bestFirst = (pairs: readonly [number, number][], side: 1 | -1) =>
  pairs.toSorted(([a], [b]) => (a - b) * side).flat();

/** As the protocol's document has it, and not as the code does. */
function plainDecode(wire: readonly number[], side: 1 | -1, reference: number): number[] {
  const left = [...wire];
  const number = () => {
    let leading = 0;
    while (left[0]! < 0) leading = 32 * leading - left.shift()!;
    return 128 * leading + left.shift()!;
  };
  const flat: number[] = [];
  let ticks = reference;
  while (left.length > 0) {
    const step = flat.length === 0 ? left.shift()! : number();
    ticks += side * Math.floor(step / 2);
    flat.push(ticks, step % 2 === 0 ? number() : 0);
  }
  return flat;
}

/** Levels as a client gets them: in a frame of a codec. */
function throughCodec(wire: WireLevels, codec: Codec): unknown {
  const frame = codec.decodeLazily(codec.encode([2, 1, 1, 1, 0, 0, null, wire, []]));
  return (frame as unknown[])[7];
}

describe('levels on the wire', () => {
  test('come back as they went, on either side, from any reference, in both encodings', () => {
    fc.assert(
      fc.property(levels, direction, price, (pairs, side, reference) => {
        const flat = bestFirst(pairs, side);
        const wire = encodeLevels(flat, side, reference);
        expect(plainDecode(wire.toJSON(), side, reference)).toEqual(flat);
        expect(decodeLevels(wire, side, reference)).toEqual(flat);
        expect(decodeLevels(wire.toJSON(), side, reference)).toEqual(flat);
        expect(decodeLevels(throughCodec(wire, msgpackCodec), side, reference)).toEqual(flat);
        expect(decodeLevels(throughCodec(wire, jsonCodec), side, reference)).toEqual(flat);
      }),
      { numRuns: 1_000 },
    );
  });

  test('are plain arrays of integers to any MessagePack library', () => {
    fc.assert(
      fc.property(levels, direction, price, (pairs, side, reference) => {
        const wire = encodeLevels(bestFirst(pairs, side), side, reference);
        const bytes = msgpackCodec.encode([2, 1, 1, 1, 0, 0, null, wire, wire]) as Uint8Array;
        expect(unpack(bytes)).toEqual([2, 1, 1, 1, 0, 0, null, wire.toJSON(), wire.toJSON()]);
        expect(Buffer.from(pack([2, 1, 1, 1, 0, 0, null, wire.toJSON(), wire.toJSON()]))).toEqual(
          Buffer.from(bytes),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('take one byte an element, but for the first one and what is past three leading digits', () => {
    for (const lots of [1, 127, 128, 4_223, 4_224, 135_295, 135_296, 4_329_599]) {
      const elements = encodeLevels([7, 1, 9, lots], 1, 0).toJSON();
      expect(elements.every((element) => element >= -32 && element <= 127)).toBe(true);
      expect(plainDecode(elements, 1, 0)).toEqual([7, 1, 9, lots]);
    }
    expect(encodeLevels([9, 4_329_600], 1, 0).toJSON()).toEqual([18, 4_329_600]);
  });

  test('are read with more digits than needed, and as whole numbers', () => {
    expect(decodeLevels([0, 4_500], 1, 7)).toEqual([7, 4_500]);
    expect(decodeLevels([0, -1, -1, -1, -1, -1, -1, 0], 1, 7)).toEqual([7, 128 * ((32 ** 6 - 1) / 31)]);
    const frame = unpack(pack([2, 1, 1, 1, 0, 0, null, [0, -1, -1, -1, -1, -1, -1, 0], [4]])) as unknown[];
    expect(decodeLevels(frame[7], 1, 7)).toEqual([7, 128 * ((32 ** 6 - 1) / 31)]);
  });

  test('step down for bids and up for asks; one that is removed has no lots', () => {
    expect(encodeLevels([100, 5, 99, 0, 96, 1], -1, 100).toJSON()).toEqual([0, 5, 3, 6, 1]);
    expect(encodeLevels([101, 3, 104, 2], 1, 100).toJSON()).toEqual([2, 3, 6, 2]);
    expect(encodeLevels([102, 4], -1, 100).toJSON()).toEqual([-4, 4]);
    expect(encodeLevels([102, 0], -1, 100).toJSON()).toEqual([-3]);
    expect(decodeLevels([-3], -1, 100)).toEqual([102, 0]);
  });

  test('typed arrays are levels too', () => {
    expect(encodeLevels(Float64Array.of(101, 3, 104, 2), 1, 100).toJSON()).toEqual([2, 3, 6, 2]);
  });

  test('are refused where the best is not first', () => {
    expect(() => encodeLevels([100, 5, 101, 7], -1, 100).toJSON()).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a map', {}],
    ['a text', '12'],
    ['bytes', Uint8Array.of(1, 2)],
    ['half a level', [2, 2, 4]],
    ['a number that does not end', [2, 2, 4, -1]],
    ['a leading digit that is none', [2, -33, 1]],
    ['a remainder past 127', [2, -1, 128]],
    ['a fraction', [1.5, 2]],
    ['a fraction of a lot', [2, 0.5]],
    ['a size below zero', [2, -2]],
    ['a text for a number', ['1', 2]],
    ['null for a number', [2, null]],
    ['a big integer', [1n, 2]],
    ['no number', [Number.NaN, 2]],
    ['a distance past 2^53', [2 ** 53, 2]],
    ['a price past 2^53', [2 ** 53 - 2, 1, 2 ** 53 - 2, 1, 2 ** 53 - 2, 1]],
    ['a size past 2^63', [2, 2 ** 63]],
    ['a hole', Array.from({ length: 2 })],
    ['what cannot be shown', [{ toString: 1 }, Object.create(null)]],
  ])('refuse %s', (_, wire) => {
    expect(() => decodeLevels(wire, 1, 0)).toThrow(expect.objectContaining({ code: 'malformed_frame' }));
    const isNumbers = Array.isArray(wire) && wire.every((element) => typeof element === 'number');
    if (!isNumbers) return;
    const packed = throughCodec(wire as number[], msgpackCodec);
    expect(() => decodeLevels(packed, 1, 0)).toThrow(expect.objectContaining({ code: 'malformed_frame' }));
  });

  test('anything at all is levels or a malformed frame', () => {
    fc.assert(
      fc.property(fc.anything(), direction, (wire, side) => {
        try {
          const decoded = decodeLevels(wire, side, 0);
          expect(
            decoded.every((value, i) => (i % 2 === 0 ? Number.isSafeInteger(value) : isLots(value))),
          ).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'malformed_frame' });
        }
      }),
      { numRuns: 500 },
    );
  });
});
