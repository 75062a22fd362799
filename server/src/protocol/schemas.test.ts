import fc from 'fast-check';
import {
  candleIntervals,
  DepthwireError,
  parseRequest,
  requestRanges,
  topics,
  type ClientRequest,
  type DataFrame,
  type OutgoingLevels,
  type ServerMessage,
} from '@depthwire/shared';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { documentChecker } from '../../test/json-schema.ts';
import type { answers } from './answers.ts';
import { asyncApi } from './asyncapi.ts';
import type { frames } from './frames.ts';
import { requests } from './requests.ts';

/** A type of the protocol as it is on the wire: levels are written, and nothing is read-only. */
type OnWire<T> = T extends OutgoingLevels
  ? never
  : T extends object
    ? { -readonly [Key in keyof T]: OnWire<T[Key]> }
    : T;
type Described<Schemas extends Record<string, z.ZodType>> = z.output<Schemas[keyof Schemas]>;

/** Optional keys that only one side has do not keep types from fitting each other: their names are compared. */
type Fields<T, Op extends string = ''> = T extends readonly unknown[]
  ? never
  : T extends { op: infer Own extends string }
    ? FieldsOf<T, Own>
    : T extends object
      ? FieldsOf<T, Op>
      : never;
type FieldsOf<T, Path extends string> = {
  [Key in keyof T & string]-?: `${Path}.${Key}` | Fields<T[Key], `${Path}.${Key}`>;
}[keyof T & string];
type IsSame<A, B> = [A, B] extends [B, A]
  ? [Fields<A>, Fields<B>] extends [Fields<B>, Fields<A>]
    ? true
    : false
  : false;

test('schemas describe the types of the protocol, and nothing else: the compiler says so', () => {
  const same: [
    IsSame<Described<typeof requests>, OnWire<ClientRequest>>,
    IsSame<Described<typeof answers>, OnWire<ServerMessage>>,
    IsSame<Described<typeof frames>, OnWire<DataFrame>>,
  ] = [true, true, true];
  const different: [
    IsSame<{ op: 'ping'; id: number; more?: number }, { op: 'ping'; id: number }>,
    IsSame<{ op: 'hello'; limits: { a: number; b?: number } }, { op: 'hello'; limits: { a: number } }>,
    IsSame<[code: 1, reason?: string], [code: 1]>,
    IsSame<{ op: 'pong'; id: number | null }, { op: 'pong'; id: number }>,
  ] = [false, false, false, false];
  expect([...same, ...different]).toHaveLength(7);
});

/** In range mostly, and at its ends and past them. */
const within = ({ min, max }: { readonly min: number; readonly max: number }) =>
  fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max, min - 1, max + 1, min + 0.5, -0, String(min)));
const odd = fc.oneof(
  fc.constantFrom(null, true, '', 'x', Number.NaN, Infinity, -1, 1.5, 2 ** 53, 2 ** 64, [], {}),
  fc.jsonValue(),
);
const mostly = (arbitrary: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 12, arbitrary }, { weight: 1, arbitrary: odd });
const instrument = fc.oneof(
  fc.constantFrom(
    'sim:BTC-USD',
    'a-1:X',
    'SIM:BTC-USD',
    'sim:',
    'sim:A B',
    `sim:${'x'.repeat(65)}`,
    ':x',
    'x',
  ),
  fc.string(),
);
const ch = mostly(within(requestRanges.id));
const safe = mostly(fc.oneof(fc.maxSafeNat(), fc.constantFrom(2 ** 53 - 1, 2 ** 53)));
const fields = {
  topic: mostly(fc.constantFrom(...topics)),
  instrument: mostly(instrument),
  depth: mostly(within(requestRanges.depth)),
  cadence: mostly(within(requestRanges.cadence)),
  interval: mostly(fc.constantFrom(...Object.keys(candleIntervals))),
  resume: mostly(fc.record({ epoch: safe, ch, seq: safe }, { requiredKeys: [] })),
  ch,
  bandwidth: mostly(within(requestRanges.bandwidth)),
  rate: mostly(within(requestRanges.rate)),
  extra: odd,
};
const request = fc.oneof(
  { weight: 1, arbitrary: odd },
  {
    weight: 30,
    arbitrary: fc.record(
      {
        op: mostly(fc.constantFrom(...Object.keys(requests))),
        id: mostly(within(requestRanges.id)),
        ...fields,
      },
      { requiredKeys: ['op', 'id', 'topic', 'instrument', 'ch'] },
    ),
  },
  {
    weight: 5,
    arbitrary: fc.record(
      { op: mostly(fc.constantFrom(...Object.keys(requests))), ...fields },
      { requiredKeys: [] },
    ),
  },
);

test('the server takes what the schemas allow, reads it as they do, and takes nothing else', () => {
  const schema = z.union(Object.values(requests));
  const check = documentChecker(asyncApi(), { draft: '7', isClosed: false });
  const names = Object.keys(requests).map((name) => `${name[0]!.toUpperCase()}${name.slice(1)}Request`);
  const isValid = (message: unknown) =>
    names.some((name) => check(['components', 'schemas', name], message).length === 0);
  const outcomes = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(request, (message) => {
      const parsed = parse(message);
      const described = schema.safeParse(message);
      expect(isValid(message)).toBe(parsed !== null);
      expect(described.success ? described.data : null).toEqual(parsed);
      outcomes[parsed === null ? 'refused' : 'taken'] += 1;
    }),
    { numRuns: 5_000 },
  );
  expect(outcomes.taken).toBeGreaterThan(500);
  expect(outcomes.refused).toBeGreaterThan(500);
});

function parse(message: unknown): ClientRequest | null {
  try {
    return parseRequest(message);
  } catch (error) {
    expect(error).toBeInstanceOf(DepthwireError);
    return null;
  }
}
