import fc from 'fast-check';
import { Packr, unpack } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { DepthwireError, errorCodes, type ErrorCode } from '../model/errors.ts';
import { candleIntervals, type CandleInterval } from '../model/events.ts';
import { instrumentKinds, origins, tradingStatuses, type Instrument } from '../model/instrument.ts';
import { codecs, jsonCodec, msgpackCodec, type Message } from './codec.ts';
import { decodeLevels, encodeLevels } from './levels.ts';
import { topics, type DataFrame, type ServerMessage, type ClientRequest } from './messages.ts';

// ── every kind of message ───────────────────────────────────────────────────────────────────────

/** Plain objects, as the decoders make them. */
function record<T>(
  model: { [K in keyof T]: fc.Arbitrary<T[K]> },
  requiredKeys = Object.keys(model),
): fc.Arbitrary<T> {
  return fc.record(model, {
    requiredKeys: requiredKeys as (keyof T)[],
    noNullPrototype: true,
  }) as fc.Arbitrary<T>;
}

const id = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const timeMs = fc.integer({ min: 0, max: 2 ** 43 });
const signed = fc.oneof(fc.integer({ min: -300, max: 300 }), fc.maxSafeInteger()).map((value) => value + 0);
const count = fc.oneof(fc.nat(300), fc.maxSafeNat());
const text = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 40 }));
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const state = fc.constantFrom<0 | 1 | 2 | 3>(0, 1, 2, 3);
const interval = fc.constantFrom(...(Object.keys(candleIntervals) as CandleInterval[]));
const scale = record({ units: fc.integer({ min: 1, max: 10 ** 6 }), decimals: fc.nat(18) });

const instrument: fc.Arbitrary<Instrument> = record({
  id: text,
  venue: text,
  symbol: text,
  base: text,
  quote: text,
  kind: fc.constantFrom(...instrumentKinds),
  name: text,
  tick: scale,
  lot: scale,
  status: fc.constantFrom(...tradingStatuses),
  origin: fc.constantFrom(...origins),
  staleAfterMs: fc.nat(),
});

const request: fc.Arbitrary<ClientRequest> = fc.oneof(
  record(
    {
      op: fc.constant('subscribe' as const),
      id,
      topic: fc.constantFrom(...topics),
      instrument: text,
      depth: count,
      cadence: count,
      interval,
    },
    ['op', 'id', 'topic', 'instrument'],
  ),
  record({ op: fc.constantFrom('unsubscribe' as const, 'snapshot' as const), id, ch: id }),
  record({ op: fc.constant('ping' as const), id }),
  record({ op: fc.constant('authenticate' as const), id, token: text }),
);

const answer: fc.Arbitrary<ServerMessage> = fc.oneof(
  record({
    op: fc.constant('hello' as const),
    protocol: fc.constant(1),
    server: text,
    session: text,
    gateway: text,
    epoch: timeMs,
    time: timeMs,
    heartbeatMs: fc.nat(),
    depths: fc.array(fc.nat(), { maxLength: 20 }),
    cadences: fc.array(fc.nat(), { maxLength: 20 }),
    limits: record({ maxMessageBytes: fc.nat(), maxSubscriptions: fc.nat() }),
    principal: orNull(text),
    expires: orNull(timeMs),
  }),
  record(
    {
      op: fc.constant('subscribed' as const),
      id,
      ch: id,
      topic: fc.constantFrom(...topics),
      instrument,
      epoch: timeMs,
      cadence: fc.nat(),
      depth: fc.nat(),
      interval,
    },
    ['op', 'id', 'ch', 'topic', 'instrument', 'epoch', 'cadence'],
  ),
  record({ op: fc.constantFrom('unsubscribed' as const, 'snapshot' as const), id, ch: id }),
  record({
    op: fc.constant('pong' as const),
    id,
    time: fc.double({ min: 0, max: 2 ** 43, noNaN: true }).map((ms) => ms + 0),
  }),
  record({
    op: fc.constant('error' as const),
    id: orNull(id),
    code: fc.constantFrom(...(Object.keys(errorCodes) as ErrorCode[])),
    message: text,
    retry: fc.boolean(),
  }),
  record({ op: fc.constant('goodbye' as const), reconnectMs: fc.nat() }),
  record({ op: fc.constant('instrument' as const), instrument, epoch: timeMs }),
);

const levels = fc.array(fc.tuple(signed, count), { maxLength: 40 }).map((pairs) => pairs.flat());
const trade = fc.tuple(fc.oneof(text, signed), signed, count, fc.constantFrom<0 | 1>(0, 1), timeMs);
const candle = fc.tuple(timeMs, signed, signed, signed, signed, count, count);
const head = <Code extends number>(code: Code) => [fc.constant(code), id, count] as const;
const turnover = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

const frame: fc.Arbitrary<DataFrame> = fc.oneof(
  fc.tuple(...head(1), state, count, timeMs, orNull(signed), signed, levels, levels, id),
  fc.tuple(...head(2), count, signed, count, orNull(signed), levels, levels),
  fc.tuple(...head(2), count, signed, count, orNull(signed), levels, levels, id),
  fc.tuple(...head(3), state, signed, orNull(text)),
  fc.tuple(...head(4), timeMs, fc.array(trade, { maxLength: 20 }), count),
  fc.tuple(...head(5), timeMs, fc.array(trade, { maxLength: 20 })),
  fc.tuple(
    ...head(6),
    timeMs,
    state,
    orNull(signed),
    orNull(signed),
    orNull(signed),
    orNull(signed),
    count,
    turnover,
    count,
    orNull(signed),
    count,
    orNull(signed),
    count,
  ),
  fc.tuple(...head(7), timeMs, fc.array(candle, { maxLength: 20 }), count),
  fc.tuple(...head(8), timeMs, fc.array(candle, { maxLength: 20 }), count),
  fc.tuple(...head(9), timeMs, state, timeMs, orNull(text)),
) as fc.Arbitrary<DataFrame>;

const message: fc.Arbitrary<Message> = fc.oneof(request, answer, frame);

/** What a message of another version of the protocol may look like. */
const anyMap = fc.dictionary(
  text.filter((key) => key !== '__proto__'),
  fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, false),
      signed,
      text,
      fc.array(tie('value'), { maxLength: 20 }),
      fc.dictionary(
        text.filter((key) => key !== '__proto__'),
        tie('value'),
        {
          maxKeys: 20,
          noNullPrototype: true,
        },
      ),
    ),
  })).value,
  { maxKeys: 20, noNullPrototype: true },
);

// ── MessagePack by its specification, and not one type more than the protocol uses ──────────────

function decodePlainMessagePack(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (length: number) => (at += length) - length;
  const utf8 = (length: number) =>
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(take(length), at));
  const array = (length: number) => Array.from({ length }, () => value());
  const map = (length: number) =>
    Object.fromEntries(Array.from({ length }, () => [value() as string, value()]));

  function value(): unknown {
    const type = view.getUint8(take(1));
    if (type < 0x80) return type;
    if (type < 0x90) return map(type & 0x0f);
    if (type < 0xa0) return array(type & 0x0f);
    if (type < 0xc0) return utf8(type & 0x1f);
    if (type >= 0xe0) return type - 0x100;
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xcb:
        return view.getFloat64(take(8));
      case 0xcc:
        return view.getUint8(take(1));
      case 0xcd:
        return view.getUint16(take(2));
      case 0xce:
        return view.getUint32(take(4));
      case 0xd0:
        return view.getInt8(take(1));
      case 0xd1:
        return view.getInt16(take(2));
      case 0xd2:
        return view.getInt32(take(4));
      case 0xd9:
        return utf8(view.getUint8(take(1)));
      case 0xda:
        return utf8(view.getUint16(take(2)));
      case 0xdb:
        return utf8(view.getUint32(take(4)));
      case 0xdc:
        return array(view.getUint16(take(2)));
      case 0xdd:
        return array(view.getUint32(take(4)));
      case 0xde:
        return map(view.getUint16(take(2)));
      default:
        throw new Error(`the protocol has no use for type 0x${type.toString(16)}`);
    }
  }

  const decoded = value();
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes too many`);
  return decoded;
}

/** The library by itself, without what only it can read. */
const plainPackr = new Packr({ useRecords: false, variableMapSize: true });

function encode(value: Message): Uint8Array {
  return msgpackCodec.encode(value) as Uint8Array;
}

/** A decoder may refuse, in one way only. */
function decodeOrRefuse(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DepthwireError && error.code === 'malformed_message') return 'refused';
    throw error;
  }
}

// ────────────────────────────────────────────────────────────────────────────────────────────────

describe('codecs', () => {
  test('bring every message back, and both bring the same', () => {
    fc.assert(
      fc.property(message, (value) => {
        const fromMsgpack = msgpackCodec.decode(msgpackCodec.encode(value));
        const fromJson = jsonCodec.decode(jsonCodec.encode(value));
        expect(fromMsgpack).toStrictEqual(value);
        expect(fromJson).toStrictEqual(fromMsgpack);
      }),
      { numRuns: 1_000 },
    );
  });

  test('a MessagePack frame is plain MessagePack', () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(decodePlainMessagePack(encode(value))).toStrictEqual(value);
      }),
      { numRuns: 1_000 },
    );
  });

  test('a MessagePack message is the one that the library makes', () => {
    fc.assert(
      fc.property(message, (value) => {
        const ours = Buffer.from(encode(value));
        expect(ours).toEqual(Buffer.from(plainPackr.pack(value)));
        expect(unpack(ours)).toStrictEqual(value);
        expect(msgpackCodec.decode(plainPackr.pack(value))).toStrictEqual(value);
      }),
      { numRuns: 1_000 },
    );
  });

  test('any value of maps and arrays is the one that the library makes, and that JSON has', () => {
    fc.assert(
      fc.property(anyMap, (value) => {
        const ours = encode(value as unknown as Message);
        expect(Buffer.from(ours)).toEqual(Buffer.from(plainPackr.pack(value)));
        expect(msgpackCodec.decode(ours)).toStrictEqual(value);
        expect(JSON.parse(JSON.stringify(value))).toStrictEqual(value);
      }),
      { numRuns: 1_000 },
    );
  });

  test('maps of any size are whole', () => {
    for (const size of [0, 15, 16, 2_000, 70_000]) {
      const value = Object.fromEntries(
        Array.from({ length: size }, (_, i) => [`key ${i}`, `${i}`.repeat(9)]),
      );
      const bytes = encode(value as unknown as Message);
      expect(msgpackCodec.decode(bytes)).toStrictEqual(value);
      if (size < 70_000) expect(Buffer.from(bytes)).toEqual(Buffer.from(plainPackr.pack(value)));
    }
  });

  test.each([
    [{ a: undefined, b: 1 }, { b: 1 }],
    [
      [1, undefined],
      [1, null],
    ],
  ])('what is undefined is as in JSON: %j', (value, read) => {
    for (const codec of [msgpackCodec, jsonCodec])
      expect(codec.decode(codec.encode(value as unknown as Message))).toStrictEqual(read);
  });

  test.each([1n, () => 1, Symbol('x')])(
    'what neither encoding has is a mistake of the caller: %o',
    (value) => {
      expect(() => encode({ value } as unknown as Message)).toThrow(TypeError);
    },
  );

  test('a number of any size is as the library has it', () => {
    const edges = [0, 7, 8, 15, 16, 31, 32, 33, 52, 53, 63, 64].flatMap((bits) =>
      [-1, 0, 1].flatMap((by) => [2 ** bits + by, -(2 ** bits) + by]),
    );
    const odd = [0.5, -0.5, 1e300, 5e-324, Infinity, -Infinity];
    for (const number of [...edges, ...odd].map((value) => value + 0)) {
      const value = [2, 1, 2, number, [number, [number]], null] as unknown as DataFrame;
      expect(Buffer.from(encode(value))).toEqual(Buffer.from(plainPackr.pack(value)));
      expect(msgpackCodec.decode(encode(value))).toStrictEqual(value);
    }
  });

  test('frames larger than a piece of memory, and many of them, are whole', () => {
    for (const count of [900, 1_800, 1_900, 20_000, 70_000]) {
      const levels = Array.from({ length: count }, (_, i) => (i * 7_919) % 2 ** 33);
      const value: DataFrame = [2, 1, 2, 1, 0, 0, null, levels, [1, 2]];
      expect(msgpackCodec.decode(encode(value))).toStrictEqual(value);
      const flat = levels.map((lots, i) => (i % 2 === 0 ? i : lots));
      const sent: DataFrame = [2, 1, 2, 1, 0, 0, null, encodeLevels(flat, 1, 0), encodeLevels([], 1, 0)];
      const [, , , , , , , asks, none] = msgpackCodec.decodeLazily(encode(sent)) as unknown[];
      expect(decodeLevels(asks, 1, 0)).toEqual(flat);
      expect(none).toEqual([]);
    }
  });

  test('a snapshot with a reason, which is no number, has its levels too', () => {
    const levels = encodeLevels([100, 5, 99, 700], -1, 100);
    const value: DataFrame = [1, 7, 1, 0, 1, 0, null, 100, levels, [], 1, 'no verified book yet'];
    const plain = [1, 7, 1, 0, 1, 0, null, 100, [0, 5, 2, -5, 60], [], 1, 'no verified book yet'];
    expect(msgpackCodec.decode(encode(value))).toStrictEqual(plain);
    const lazy = msgpackCodec.decodeLazily(encode(value)) as unknown[];
    expect(decodeLevels(lazy[8], -1, 100)).toEqual([100, 5, 99, 700]);
    expect(lazy.with(8, plain[8])).toStrictEqual(plain);
    expect(jsonCodec.decode(jsonCodec.encode(value))).toStrictEqual(plain);
  });

  test('frames that were encoded earlier stay as they were', () => {
    const values = fc.sample(message, 200);
    const frames = values.map((value) => encode(value));
    expect(frames.map((bytes) => msgpackCodec.decode(bytes))).toStrictEqual(values);
  });

  test('integers past 32 bits are float64, and 64-bit integers of others are read', () => {
    expect(Buffer.from(encode([5, 1, 2, 2 ** 32, []])).toString('hex')).toBe('95050102cb41f000000000000090');
    expect(msgpackCodec.decode(Buffer.from('92cf0000000100000000d3ffffffff00000000', 'hex'))).toEqual([
      2 ** 32,
      -(2 ** 32),
    ]);
  });

  test('are found by the name of their encoding', () => {
    expect(codecs.msgpack.encoding).toBe('msgpack');
    expect(codecs.json.encoding).toBe('json');
  });

  test('read what other MessagePack libraries may send: longer forms than needed', () => {
    const ping = { op: 'ping', id: 5 };
    for (const hex of [
      '82a26f70a470696e67a2696405',
      'de0002d9026f70d90470696e67da00026964cd0005',
      'df00000002a26f70db0000000470696e67a26964cb4014000000000000',
    ]) {
      expect(msgpackCodec.decode(Buffer.from(hex, 'hex'))).toEqual(ping);
    }
  });
});

test('bytes are read as a socket hands them over', () => {
  const packed = Uint8Array.from(encode([3, 7, 44, 2, 5_010, 'silent']));
  for (const frame of [packed, packed.buffer, Buffer.from(packed)]) {
    expect(msgpackCodec.decode(frame)).toStrictEqual([3, 7, 44, 2, 5_010, 'silent']);
    expect(msgpackCodec.decodeLazily(frame)).toStrictEqual([3, 7, 44, 2, 5_010, 'silent']);
  }
});

describe('malformed frames', () => {
  test('a text frame is no MessagePack, a binary one no JSON', () => {
    expect(decodeOrRefuse(() => msgpackCodec.decode('{"op":"ping","id":1}'))).toBe('refused');
    expect(decodeOrRefuse(() => jsonCodec.decode(Buffer.from('{"op":"ping","id":1}')))).toBe('refused');
  });

  test.each(['', '{', '{"op":}', 'undefined', 'NaN', "{'op':'ping'}", '[1,]', '\u0000'])(
    'JSON: %j',
    (frameText) => {
      expect(decodeOrRefuse(() => jsonCodec.decode(frameText))).toBe('refused');
    },
  );

  test.each([
    ['nothing', ''],
    ['a type that is not used', 'c1c1'],
    ['an array cut short', '9301'],
    ['an array that claims 4 billion elements', 'ddffffffff00'],
    ['a map that claims 4 billion entries', 'dfffffffff00'],
    ['a text that claims 4 GB', 'dbffffffff61'],
    ['bytes behind the value', '0102'],
    ['an unknown extension', 'd47f00'],
    ['a map whose key is a map', '818001'],
    ['a map whose key is a number', '810101'],
    ['a map cut short', '81a161'],
    ['a text that is no UTF-8', '81a2c32801'],
    ['binary', 'c40101'],
  ])('MessagePack: %s', (_, hex) => {
    expect(decodeOrRefuse(() => msgpackCodec.decode(Buffer.from(hex, 'hex')))).toBe('refused');
  });

  test.each([
    ['arrays', '91'],
    ['maps', '81a161'],
    ['maps as keys of maps', '81'],
    ['maps in arrays', '9181a161'],
  ])('%s nested without end', (_, hex) => {
    const bytes = Buffer.from(hex.repeat(250_000), 'hex');
    expect(decodeOrRefuse(() => msgpackCodec.decode(bytes))).toBe('refused');
    // refused for its depth, long before the stack is used up
    expect(() => msgpackCodec.decode(bytes)).toThrow(/too deep|no text/);
  });

  test('a key that would change what objects inherit is left out', () => {
    const packed = plainPackr.pack(
      new Map<string, unknown>([
        ['__proto__', { isAdmin: true }],
        ['id', 1],
      ]),
    );
    const value = msgpackCodec.decode(packed) as Record<string, unknown>;
    expect(value).toStrictEqual({ id: 1 });
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value.isAdmin).toBeUndefined();
  });

  test('any bytes are a value or malformed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeOrRefuse(() => msgpackCodec.decode(bytes));
        decodeOrRefuse(() => msgpackCodec.decode(Buffer.from(bytes)));
        decodeOrRefuse(() => msgpackCodec.decodeLazily(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  test('a frame with broken bytes is a value or malformed, and the next one is read well', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(message, edits, fc.option(fc.nat()), message, (value, changes, cut, next) => {
        const bytes = Uint8Array.from(encode(value));
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        decodeOrRefuse(() =>
          msgpackCodec.decode(cut === null ? bytes : bytes.subarray(0, cut % bytes.length)),
        );
        expect(msgpackCodec.decode(encode(next))).toStrictEqual(next);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a text with broken characters is a value or malformed', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.string({ maxLength: 2 }), (value, at, patch) => {
        const frameText = jsonCodec.encode(value) as string;
        const cut = at % frameText.length;
        decodeOrRefuse(() => jsonCodec.decode(frameText.slice(0, cut) + patch + frameText.slice(cut + 1)));
      }),
      { numRuns: 500 },
    );
  });
});

test('levels are left in the frame at their place alone: what is behind them is read, and refused where it is cut', () => {
  const frame = Uint8Array.from([0x9a, 2, 5, 1, 1, 0, 8, 0x79, 0x91, 1, 0x92, 6, 6, 0x92, 0xcd, 0xa1]);
  const lazily = () => msgpackCodec.decodeLazily(frame);
  expect(lazily).toThrow(expect.objectContaining({ code: 'malformed_message' }));
  expect(() => msgpackCodec.decode(frame)).toThrow(expect.objectContaining({ code: 'malformed_message' }));
});
