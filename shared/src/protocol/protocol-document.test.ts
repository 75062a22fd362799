import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { column, tableOf } from '../../test/markdown.ts';
import { bookChecksum, CHECKSUM_DEPTH } from '../book/checksum.ts';
import { crc32 } from '../book/crc32.ts';
import { OrderBook } from '../book/order-book.ts';
import { defaultBackoff } from '../client/backoff.ts';
import { BookReplica } from '../client/replica.ts';
import { errorCatalogue } from '../model/error-catalogue.ts';
import type { ErrorCode } from '../model/errors.ts';
import { candleIntervals, type Candle } from '../model/events.ts';
import { instrumentKinds, origins, tradingStatuses } from '../model/instrument.ts';
import { formatUnits, parseUnits } from '../model/units.ts';
import { closeCodes } from './close-codes.ts';
import { jsonCodec, msgpackCodec, type Message } from './codec.ts';
import { decodeLevels, encodeLevels } from './levels.ts';
import { frameCodes, topics, wireStates, type DataFrame } from './messages.ts';
import { decodeCandle, decodeState, decodeTicker, decodeTrade, type Trade } from './records.ts';
import { parseRequest } from './requests.ts';
import { PROTOCOL_VERSION, subprotocols } from './version.ts';

// docs/protocol.md, read by the machine: its examples are decoded and its tables compared with the code.

const markdown = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');

interface Fence {
  /** `json`, `hex`, … */
  readonly language: string;
  /** What stands behind the language: `session`, `book`, … */
  readonly kind: string;
  readonly text: string;
  readonly line: number;
}

const fences: Fence[] = [...markdown.matchAll(/^```(\w+) ?(\w*)\n(.*?)^```$/gms)].map((match) => ({
  language: match[1]!,
  kind: match[2]!,
  text: match[3]!,
  line: markdown.slice(0, match.index).split('\n').length,
}));

interface Example {
  readonly name: string;
  readonly kind: string;
  readonly value: unknown;
  readonly bytes: Uint8Array;
}

/** Each `json` block with the `hex` block behind it. */
const examples: Example[] = fences.flatMap(({ language, kind, text, line }, index) => {
  const next = fences[index + 1];
  if (language !== 'json' || next?.language !== 'hex') return [];
  const value = JSON.parse(text) as unknown;
  const title = Array.isArray(value)
    ? `frame ${String(value[0])}`
    : String((value as { op?: unknown }).op ?? kind);
  return [
    { name: `${title}, line ${line}`, kind, value, bytes: Buffer.from(next.text.replace(/\s/g, ''), 'hex') },
  ];
});
const messages = examples.filter(({ kind }) => kind !== 'checksum');
const frames = messages.map(({ value }) => value).filter((value) => Array.isArray(value)) as DataFrame[];
const maps = messages.map(({ value }) => value).filter((value) => !Array.isArray(value)) as Record<
  string,
  unknown
>[];

const table = (heading: string, n?: number) => tableOf(markdown, heading, n);

/** Fences of a kind that come without bytes. */
const unpaired = (kind: string) =>
  fences.filter((fence) => fence.kind === kind).map(({ text }) => JSON.parse(text) as never);

const pairs = (flat: number[]) =>
  Array.from({ length: flat.length / 2 }, (_, i) => flat.slice(2 * i, 2 * i + 2));

const flatOf = ({ book }: BookReplica) => ({
  sequence: book.sequence,
  bids: book.bids.toFlat(),
  asks: book.asks.toFlat(),
});

describe('the examples of docs/protocol.md', () => {
  test('are there: one at least of every op and of every frame', () => {
    const ops = [...column(table('Requests'), 0), ...column(table('Answers and notices'), 0)];
    expect(new Set(maps.map(({ op }) => op))).toEqual(new Set(ops));
    expect(new Set(frames.map(([code]) => code))).toEqual(new Set(Object.values(frameCodes)));
  });

  test('each block of JSON has its bytes, but for those that are no message', () => {
    const alone = fences.filter(
      ({ language }, index) => language === 'json' && fences[index + 1]?.language !== 'hex',
    );
    expect(new Set(alone.map(({ kind }) => kind))).toEqual(new Set(['levels', 'book', 'rest']));
    expect(fences.filter(({ language }) => language === 'hex')).toHaveLength(examples.length);
  });

  test.each(messages)(
    '$name: the bytes decode to the JSON, and the JSON encodes to the bytes',
    ({ value, bytes }) => {
      expect(msgpackCodec.decode(bytes)).toStrictEqual(value);
      expect(Buffer.from(msgpackCodec.encode(value as Message) as Uint8Array).toString('hex')).toBe(
        Buffer.from(bytes).toString('hex'),
      );
      expect(jsonCodec.decode(jsonCodec.encode(value as Message))).toStrictEqual(value);
    },
  );

  test('requests are requests', () => {
    const requests = maps.filter(({ op }) => op === 'subscribe' || op === 'ping');
    expect(requests.length).toBeGreaterThan(2);
    for (const request of requests) expect(parseRequest(request)).toEqual(request);
  });

  test('errors are as the catalogue has them', () => {
    const errors = maps.filter(({ op }) => op === 'error');
    for (const { code, retry } of errors) expect(retry).toBe(errorCatalogue[code as ErrorCode].retry);
  });

  test('frames are what the client reads', () => {
    for (const frame of frames) {
      switch (frame[0]) {
        case 1:
          expect(new BookReplica().apply(frame)).toBe('applied');
          break;
        case 4:
        case 5:
          expect(frame[4].map(decodeTrade).every(({ timeMs }) => timeMs <= frame[3])).toBe(true);
          break;
        case 6:
          expect(decodeTicker(frame).bid! < decodeTicker(frame).ask!).toBe(true);
          break;
        case 7:
        case 8:
          expect(
            frame[4].map(decodeCandle).every(({ time, low, high }) => time % 60 === 0 && low <= high),
          ).toBe(true);
          break;
        case 9:
          expect(decodeState(frame[4])).toBe('stale');
          break;
        default: // deltas, states and what is merged are read in their order, below
      }
    }
  });

  test('levels are coded as shown', () => {
    type Side = { wire: number[]; levels: [number, number][] };
    const shown = unpaired('levels') as { reference: number; bids: Side; asks: Side }[];
    expect(shown.length).toBeGreaterThan(1);
    for (const { reference, bids, asks } of shown) {
      for (const [side, direction] of [
        [bids, -1],
        [asks, 1],
      ] as const) {
        expect(decodeLevels(side.wire, direction, reference)).toEqual(side.levels.flat());
        expect(encodeLevels(side.levels.flat(), direction, reference).toJSON()).toEqual(side.wire);
      }
    }
  });

  test('numbers are put together as shown', () => {
    const rows = table('Levels');
    expect(rows.length).toBeGreaterThan(4);
    for (const [number, elements] of rows)
      expect(encodeLevels([5, Number(number)], 1, 5).toJSON()).toEqual([
        0,
        ...elements!.split(', ').map(Number),
      ]);
  });

  test('the checksum is that of the bytes shown, and of the book', () => {
    const shown = examples.filter(({ kind }) => kind === 'checksum');
    expect(shown).toHaveLength(1);
    const { value, bytes } = shown[0]!;
    const { bids, asks, crc32: expected } = value as { bids: number[][]; asks: number[][]; crc32: number };
    const book = new OrderBook();
    book.loadSnapshot(bids.flat(), asks.flat());
    const independent = Buffer.alloc(bytes.length);
    independent.set([bids.length, asks.length]);
    [...bids, ...asks]
      .flat()
      .forEach((number, index) => independent.writeBigInt64BE(BigInt(number), 2 + 8 * index));
    expect(independent).toEqual(bytes);
    expect(crc32(bytes)).toBe(expected);
    expect(bookChecksum(book)).toBe(expected);
  });

  test('of each frame are one connection: a decoder that reads them in order has the books, tapes and candles they tell', () => {
    const shown = messages
      .filter(({ kind, value }) => kind === '' && Array.isArray(value))
      .map(({ bytes }) => msgpackCodec.decode(bytes) as DataFrame);
    const replica = new BookReplica();
    /** Of a client that was cut off before the merged frame, and came to another gateway. */
    const elsewhere = new BookReplica();
    const lastSeq = new Map<number, number>();
    const tape: Trade[] = [];
    const candles = new Map<number, Candle>();
    for (const frame of shown) {
      const [code, ch, seq] = frame;
      const before = lastSeq.get(ch);
      lastSeq.set(ch, seq);
      switch (code) {
        case 1:
        case 2:
        case 3:
        case 10:
          expect(replica.apply(frame), String(frame)).toBe('applied');
          if (code !== 10) elsewhere.apply(frame);
          break;
        case 13:
          expect(frame[4]).toBe(elsewhere.book.sequence);
          elsewhere.move();
          expect(elsewhere.apply(frame), String(frame)).toBe('applied');
          expect([elsewhere.seq, elsewhere.state, elsewhere.verified]).toEqual([seq, 'live', 3]);
          expect(flatOf(elsewhere)).toEqual(flatOf(replica));
          break;
        case 4:
        case 5:
          if (code === 5) expect(seq).toBe(before! + 1);
          tape.push(...frame[4].map(decodeTrade));
          break;
        case 7:
        case 8:
          if (code === 8) expect(seq).toBe(before! + 1);
          for (const candle of frame[4].map(decodeCandle)) candles.set(candle.time, candle);
          break;
        case 11: {
          const [, , , from, , ageMs, count, bought, sold, low, high] = frame;
          const trades = frame[11].map(decodeTrade);
          const lotsOf = (side: string) =>
            trades.filter((trade) => trade.side === side).reduce((sum, { size }) => sum + size, 0);
          const prices = trades.map(({ price }) => price as number);
          expect([from, trades.length, lotsOf('buy'), lotsOf('sell')]).toEqual([before, count, bought, sold]);
          expect([Math.min(...prices), Math.max(...prices)]).toEqual([low, high]);
          expect(seq - from).toBeLessThanOrEqual(count); // no frame is without a trade
          expect(frame[4] - trades[0]!.timeMs).toBeGreaterThanOrEqual(ageMs);
          tape.push(...trades);
          break;
        }
        case 12: {
          expect(frame[3]).toBe(before);
          const open = candles.get(frame[6][0]![0])!;
          const merged = decodeCandle(frame[6][0]!);
          const since = tape.slice(-(merged.trades - open.trades));
          const volume = since.reduce((sum, { size }) => sum + size, 0);
          expect(merged).toMatchObject({ open: open.open, volume: open.volume + volume });
          expect(merged.close).toBe(since.at(-1)!.price);
          candles.set(merged.time, merged);
          break;
        }
        default: // each is the whole
      }
    }
    expect(new Set(shown.map(([code]) => code))).toEqual(new Set(Object.values(frameCodes)));
    expect(tape.map(({ id }) => id)).toEqual(tape.map((_, index) => `t-${90 + index}`));
    expect(replica.verified).toBe(3); // the snapshot, a delta and the merged frame have a checksum
    // It ends where the worked session ends.
    const [last] = unpaired('book').slice(-1) as Record<string, unknown>[];
    expect({
      seq: replica.seq,
      state: replica.state,
      sequence: replica.book.sequence,
      timeMs: replica.timeMs,
      bids: pairs(replica.book.bids.toFlat()),
      asks: pairs(replica.book.asks.toFlat()),
      checksum: bookChecksum(replica.book),
    }).toEqual(last);
  });

  test('the worked session gives the books it says', () => {
    const replica = new BookReplica();
    let channel: unknown;
    let books = 0;
    for (const { kind, text } of fences.filter((fence) => ['session', 'book'].includes(fence.kind))) {
      const value = JSON.parse(text) as Record<string, unknown> | unknown[];
      if (kind === 'book') {
        const { book, seq, state, timeMs } = replica;
        expect({
          seq,
          state,
          sequence: book.sequence,
          timeMs,
          bids: pairs(book.bids.toFlat()),
          asks: pairs(book.asks.toFlat()),
          checksum: bookChecksum(book),
        }).toEqual(value);
        books += 1;
      } else if (Array.isArray(value)) {
        expect(value[1]).toBe(channel);
        expect(replica.apply(value)).toBe('applied');
      } else if (value.op === 'subscribed') {
        channel = value.ch;
      }
    }
    expect(books).toBeGreaterThan(4);
    expect(replica.verified).toBeGreaterThan(2);
  });
});

describe('the tables of docs/protocol.md', () => {
  test('the version', () => {
    expect(markdown).toContain(`Version ${PROTOCOL_VERSION}.`);
    for (const { protocol } of maps.filter(({ op }) => op === 'hello'))
      expect(protocol).toBe(PROTOCOL_VERSION);
  });

  test('subprotocols', () => {
    expect(column(table('Connecting'), 0)).toEqual(Object.values(subprotocols));
  });

  test('counts and values', () => {
    for (const [, units, decimals, count, value] of table('Numbers')) {
      const scale = { units: Number(units), decimals: Number(decimals) };
      expect(formatUnits(Number(count), scale)).toBe(value);
      expect(parseUnits(value!, scale)).toBe(Number(count));
    }
  });

  test('requests', () => {
    const example: Record<string, unknown> = {
      id: 1,
      topic: 'candles',
      instrument: 'sim:BTC-USD',
      interval: '1m',
      ch: 1,
      token: 'dw_sk_1',
    };
    for (const [op, fields] of table('Requests')) {
      const names = fields!.split(',').map((field) => field.replaceAll('`', '').trim());
      const request = Object.fromEntries([
        ['op', op],
        ...names.filter((name) => name in example).map((name) => [name, example[name]]),
      ]);
      expect(parseRequest(request)).toEqual(request);
    }
    expect(column(table('subscribe', 1), 0)).toEqual([...topics]);
    expect(table('subscribe', 2)).toEqual(
      Object.entries(candleIntervals).map(([interval, seconds]) => [interval, String(seconds)]),
    );
  });

  test.each([
    ['depth', 'book', 1_000_000],
    ['cadence', 'book', 3_600_000],
    ['id', 'book', 2 ** 32 - 1],
  ])('the range of %s', (field, topic, max) => {
    expect(markdown).toMatch(new RegExp(`\\b0 to ${max}\\b`));
    const request = { op: 'subscribe', id: 1, topic, instrument: 'sim:BTC-USD' };
    expect(parseRequest({ ...request, [field]: max })).toMatchObject({ [field]: max });
    expect(() => parseRequest({ ...request, [field]: max + 1 })).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });

  test('the words of an instrument', () => {
    const rows = new Map(table('subscribed').map(([field, , meaning]) => [field, meaning!]));
    for (const [field, words] of [
      ['kind', instrumentKinds],
      ['status', tradingStatuses],
      ['origin', origins],
    ] as const) {
      expect(
        [
          ...rows
            .get(field)!
            .split(':')[0]!
            .matchAll(/[a-z]+(?=`|$)/g),
        ].map(String),
      ).toEqual([...words]);
    }
    const example = maps.find(({ op }) => op === 'subscribed')!.instrument as object;
    expect(Object.keys(example)).toEqual([...rows.keys()]);
  });

  test('frame codes, their topics and their elements', () => {
    const rows = table('Data frames');
    expect(Object.fromEntries(rows.map(([code, name]) => [name, Number(code)]))).toEqual(frameCodes);
    for (const [code, name, topic, elements] of rows) {
      expect(topics).toContain(topic);
      const lengths = elements!.split(' or ').map(Number);
      const ofCode = frames.filter((frame) => frame[0] === Number(code));
      expect(ofCode.every((frame) => lengths.includes(frame.length))).toBe(true);
      const described = table(`${code} ${name}`);
      expect(column(described, 0).map(Number)).toEqual(
        Array.from({ length: Math.max(...lengths) }, (_, index) => index),
      );
      expect(column(described, 1).slice(0, 3)).toEqual(['code', 'ch', 'seq']);
      expect(described[0]![2]).toBe(code);
    }
  });

  test('states', () => {
    expect(column(table('States'), 1)).toEqual([...wireStates]);
    expect(column(table('States'), 0)).toEqual(wireStates.map((_, index) => String(index)));
  });

  test('close codes', () => {
    const expected = Object.values(closeCodes).map(({ code, retry, meaning }) => [
      String(code),
      retry ? 'yes' : 'no',
      meaning,
    ]);
    expect(table('Close codes')).toEqual(expected);
  });

  test('errors', () => {
    const rows = table('Errors');
    expect(rows.length).toBeGreaterThan(5);
    for (const [code, retry] of rows)
      expect([code, retry]).toEqual([code, errorCatalogue[code as ErrorCode].retry ? 'yes' : 'no']);
  });

  test('figures in the text', () => {
    expect(markdown).toContain(`all of the book, at most ${CHECKSUM_DEPTH}`);
    expect(markdown).toContain(
      `min(${defaultBackoff.maxMs / 1000} s, ${defaultBackoff.baseMs / 1000} s × 2^n)`,
    );
    expect(crc32(Buffer.from('123456789')).toString(16).toUpperCase()).toBe(
      /check\s+value of `123456789` is 0x([0-9A-F]+)/.exec(markdown)![1],
    );
  });
});

test('every link within the document leads somewhere', () => {
  const anchors = new Set(
    [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
  const links = [...markdown.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor!);
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((anchor) => !anchors.has(anchor))).toEqual([]);
});
