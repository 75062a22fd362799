import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codecs, type Message, type RawFrame } from '../protocol/codec.ts';
import { encodeLevels } from '../protocol/levels.ts';
import { frameCodes } from '../protocol/messages.ts';
import { frameFields, frameNameOf } from './fields.ts';
import { passes } from './filter.ts';
import { hexDump } from './hex.ts';
import { FrameInspector, type InspectedFrame } from './inspector.ts';
import { fieldTexts, levelTexts } from './rows.ts';
import { FrameTotals } from './totals.ts';

const document = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');

/** Each message of the document that has bytes, in its order. */
const documented = [...document.matchAll(/```json(?: (\w+))?\n([^`]*)```\n\n```hex\n([\s\S]*?)```/g)]
  .filter(([, kind]) => kind !== 'checksum')
  .map(([, , json, hex]) => ({
    value: JSON.parse(json!) as unknown,
    bytes: Buffer.from(hex!.replace(/\s/g, ''), 'hex'),
  }));

const raw = (
  message: unknown,
  direction: RawFrame['direction'] = 'in',
  encoding: RawFrame['encoding'] = 'msgpack',
): RawFrame => ({ direction, encoding, data: codecs[encoding].encode(message as Message), timeMs: 1_000 });

const instrument = {
  id: 'sim:BTC-USD',
  venue: 'sim',
  symbol: 'BTCUSD',
  base: 'BTC',
  quote: 'USD',
  kind: 'spot',
  name: 'Bitcoin / US dollar',
  tick: { units: 1, decimals: 2 },
  lot: { units: 1, decimals: 4 },
  status: 'trading',
  origin: 'simulated',
  staleAfterMs: 5_000,
};
const hello = { op: 'hello', protocol: 1, server: 'test', epoch: 1, heartbeatMs: 1_000 };
const subscribe = { op: 'subscribe', id: 1, topic: 'book', instrument: instrument.id, depth: 20 };
const subscribed = { op: 'subscribed', id: 1, ch: 7, topic: 'book', instrument, depth: 20, cadence: 100 };
const side = (levels: number[], direction: -1 | 1) => encodeLevels(levels, direction, 6_704_215);
const snapshot = (seq: number) => [
  ...[1, 7, seq, 1, 50, 1_000, null, 6_704_215],
  ...[side([6_704_215, 4_500], -1), side([6_704_216, 3_000], 1), 1],
];
const delta = (seq: number) => [
  2,
  7,
  seq,
  3,
  100,
  87,
  null,
  side([6_704_214, 0], -1),
  side([6_704_216, 9], 1),
];

/** An inspector that has seen the beginning of a connection. */
function begun(): FrameInspector {
  const inspector = new FrameInspector();
  for (const frame of [raw(hello), raw(subscribe, 'out'), raw(subscribed), raw(snapshot(1))])
    inspector.read(frame);
  return inspector;
}

describe('what is named', () => {
  test('the elements of every frame are those of docs/protocol.md', () => {
    for (const [name, code] of Object.entries(frameCodes)) {
      const section = document.split(new RegExp(`^### ${code} ${name}$`, 'm'))[1]!.split(/^#+ /m)[0]!;
      const table = section.split('\n\n').find((block) => block.startsWith('| #'))!;
      const names = table
        .trim()
        .split('\n')
        .slice(2)
        .map((row) => row.split('|')[2]!.trim().replaceAll('`', ''));
      expect(frameFields[frameNameOf(code)!], name).toEqual(names);
    }
  });

  test('every message of docs/protocol.md is read, with all that it holds', () => {
    expect(documented.length).toBeGreaterThan(25);
    for (const { value, bytes } of documented) {
      const frame = new FrameInspector().read({
        direction: 'in',
        encoding: 'msgpack',
        data: bytes,
        timeMs: 0,
      });
      expect(frame.bytes).toBe(bytes.length);
      if (Array.isArray(value)) {
        expect(frame.kind).toBe(frameNameOf(value[0]));
        expect(Object.values(frame.fields)).toStrictEqual(value);
        expect(Object.keys(frame.fields)).toEqual(frameFields[frameNameOf(value[0])!].slice(0, value.length));
        expect([frame.ch, frame.seq]).toEqual([value[1], value[2]]);
        expect(frame.summary).not.toMatch(/missing|undefined/);
      } else {
        expect(frame.fields).toStrictEqual(value);
        expect(frame.kind).toBe((value as { op?: string }).op ?? 'unknown');
      }
    }
  });
});

describe('a connection', () => {
  test('says what each channel is, and its levels as decimals', () => {
    const inspector = new FrameInspector();
    inspector.read(raw(hello));
    expect(inspector.read(raw(subscribe, 'out'))).toMatchObject({
      ...{ kind: 'subscribe', topic: 'book', instrumentId: instrument.id },
      summary: '20 levels',
    });
    expect(inspector.read(raw(subscribed))).toMatchObject({
      ch: 7,
      topic: 'book',
      instrumentId: instrument.id,
    });
    const first = inspector.read(raw(snapshot(4)));
    expect(first).toMatchObject({ kind: 'bookSnapshot', seq: 4, topic: 'book', gap: null });
    expect(first.summary).toBe('live, 1 + 1 levels, 67042.15 | 67042.16, sequence 50');
    const second = inspector.read(raw(delta(5)));
    expect(second.summary).toBe('1 level, 1 removed, merges 3, oldest 87 ms');
    expect(levelTexts(second)).toEqual({
      bids: [{ price: '67042.14', size: null }],
      asks: [{ price: '67042.16', size: '0.0009' }],
    });
    expect(Object.fromEntries(fieldTexts(first))).toMatchObject({ state: '1 live', lagMs: 'null' });
  });

  test('the same in JSON', () => {
    const read = (encoding: RawFrame['encoding']) => {
      const inspector = new FrameInspector();
      return [hello, subscribed, snapshot(1), delta(2)].map((message) => {
        const { raw: _raw, bytes: _bytes, ...rest } = inspector.read(raw(message, 'in', encoding));
        return rest;
      });
    };
    expect(read('json')).toStrictEqual(read('msgpack'));
  });

  test('a missing frame is a gap, once, until a snapshot comes', () => {
    const inspector = begun();
    const gaps = [delta(2), delta(4), delta(6), snapshot(7), delta(8)].map(
      (frame) => inspector.read(raw(frame)).gap,
    );
    expect(gaps).toEqual([null, { expected: 3, got: 4 }, null, null, null]);
  });

  test('a merged frame is no gap, where it begins at the frame that is held', () => {
    const merged = (seq: number, from: number) => [10, 7, seq, from, 1, 5, 100, 87, null, [], [], 1];
    expect(begun().read(raw(merged(9, 1))).gap).toBeNull();
    expect(begun().read(raw(merged(9, 3))).gap).toEqual({ expected: 2, got: 4 });
  });

  test('a subscription that goes on keeps its place and its reference price', () => {
    const inspector = begun();
    inspector.read(raw({ ...hello, epoch: 1 }));
    inspector.read(raw({ ...subscribe, id: 2, resume: { epoch: 1, ch: 7, seq: 1 } }, 'out'));
    inspector.read(raw({ ...subscribed, id: 2, seq: 1 }));
    expect(inspector.read(raw(delta(2)))).toMatchObject({ gap: null, levels: { asks: [6_704_216, 9] } });
    expect(inspector.read(raw(delta(4))).gap).toEqual({ expected: 3, got: 4 });
  });

  test('a subscription that goes on at another gateway counts as that does', () => {
    const inspector = begun();
    inspector.read(raw({ ...hello, gateway: 'b' }));
    const resume = { epoch: 1, ch: 7, seq: 1, gateway: 'a', sequence: 5, depth: 20 };
    const asked = inspector.read(raw({ ...subscribe, id: 2, resume }, 'out'));
    expect(asked.summary).toContain('goes on from a, ch 7 seq 1');
    inspector.read(raw({ ...subscribed, id: 2, seq: 40 }));
    const resumed = [13, 7, 40, 1, 5, 8, 1_000, 30, null, 6_704_200, [0, 3], [2, 4], 1];
    expect(inspector.read(raw(resumed))).toMatchObject({
      kind: 'bookResumed',
      gap: null,
      levels: { bids: [6_704_200, 3], asks: [6_704_201, 4] },
    });
    expect(inspector.read(raw(delta(41)))).toMatchObject({ gap: null });
    expect(inspector.read(raw(delta(43))).gap).toEqual({ expected: 42, got: 43 });
  });

  test('a channel of the last connection is not one of the next', () => {
    const inspector = begun();
    inspector.read(raw(hello));
    expect(inspector.read(raw(delta(2)))).toMatchObject({ topic: null, levels: null, ch: 7, seq: 2 });
  });
});

describe('what makes no sense', () => {
  test('is told, and never thrown', () => {
    const inspector = begun();
    for (const [message, kind] of [
      [[99, 1, 2], 'unknown'],
      [{ op: 'subscribed', id: 9, ch: 4 }, 'subscribed'],
      [{ no: 'op' }, 'unknown'],
      [[1, 7], 'bookSnapshot'],
      [[2, 7, 2, 3, 100, 87, null, 'x', [1.5]], 'bookDelta'],
      [[4, 7, 3, 0, [1, 'x', null]], 'tradesSnapshot'],
      [5, 'malformed'],
    ] as const)
      expect(inspector.read(raw(message)).kind, JSON.stringify(message)).toBe(kind);
    expect(inspector.read({ ...raw(hello), data: Uint8Array.of(0xc1) })).toMatchObject({
      ...{ kind: 'malformed', bytes: 1, fields: {} },
      summary: expect.stringContaining('not a MessagePack value') as unknown,
    });
  });

  test('any bytes and any values, also in the middle of a connection', () => {
    const inspector = begun();
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 100 }),
          fc
            .tuple(fc.nat(14), fc.constantFrom(7, 8), fc.nat(9), fc.array(fc.jsonValue(), { maxLength: 12 }))
            .map(([code, ch, seq, rest]) => codecs.msgpack.encode([code, ch, seq, ...rest] as never)),
          fc
            .jsonValue()
            .map((value) => codecs.msgpack.encode({ op: 'subscribed', id: 1, ch: 7, value } as never)),
          fc
            .tuple(fc.constantFrom('hello', 'error', 'instrument', 'unsubscribed', 'limited'), fc.jsonValue())
            .map(([op, value]) =>
              codecs.msgpack.encode({ op, id: value, ch: value, instrument: value } as never),
            ),
        ),
        fc.constantFrom('in' as const, 'out' as const),
        (data, direction) => {
          const frame = inspector.read({ direction, encoding: 'msgpack', data, timeMs: 0 });
          levelTexts(frame);
          fieldTexts(frame);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

test('a filter lets through what it names', () => {
  const inspector = begun();
  const frame = inspector.read(raw(delta(2)));
  const answers = (filters: Parameters<typeof passes>[1][]) => filters.map((filter) => passes(frame, filter));
  expect(
    answers([
      {},
      { direction: 'in' },
      { topics: ['book'] },
      { kinds: ['bookDelta'] },
      { text: 'BTC' },
      { text: 'delta' },
    ]),
  ).not.toContain(false);
  expect(answers([{ instruments: [instrument.id] }])).toEqual([true]);
  expect(
    answers([
      { direction: 'out' },
      { topics: ['trades'] },
      { kinds: ['trades'] },
      { text: 'ETH' },
      { instruments: ['sim:E-F'] },
    ]),
  ).not.toContain(true);
});

test('totals add up, and rates are of the time since they were asked for', () => {
  const inspector = begun();
  const totals = new FrameTotals();
  const frames: InspectedFrame[] = [2, 3, 5].map((seq) => inspector.read(raw(delta(seq))));
  expect(totals.rates(0)).toEqual({ framesPerSecond: 0, bytesPerSecond: 0 });
  for (const frame of frames) totals.add(frame);
  const bytes = frames.reduce((sum, frame) => sum + frame.bytes, 0);
  expect(totals).toMatchObject({ frames: 3, bytes, gaps: 1, malformed: 0 });
  expect(totals.rates(500)).toEqual({ framesPerSecond: 6, bytesPerSecond: 2 * bytes });
  expect(totals.rates(1_500)).toEqual({ framesPerSecond: 0, bytesPerSecond: 0 });
  totals.add(inspector.read(raw(hello)));
  expect(totals.ranked().map(([kind]) => kind)).toEqual(['hello', 'bookDelta']);
});

test('a dump has offsets, bytes and text, and says what it leaves out', () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, i) => 0x41 + i - (i === 3 ? 0x44 : 0));
  expect(hexDump(bytes, 20)).toBe(
    [
      '0000  41 42 43 00 45 46 47 48  49 4a 4b 4c 4d 4e 4f 50  ABC·EFGHIJKLMNOP',
      '0010  51 52 53 54                                       QRST',
      '… 20 bytes more',
    ].join('\n'),
  );
});
