import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { startKrakenEmulator, type KrakenEmulator } from '../index.ts';

const START_MS = Date.parse('2026-11-20T12:00:00Z');
const SYMBOLS = [
  { symbol: 'BTC/USD', base: 'BTC', quote: 'USD', tick: '0.1', lot: '0.00000001', price: '60000' },
  { symbol: 'ETH/BTC', base: 'ETH', quote: 'BTC', tick: '0.00001', lot: '0.0001', price: '0.04' },
];

let emulator: KrakenEmulator;
let clock: VirtualClock;
const clients: WebSocket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await emulator.close();
});

interface Level {
  readonly price: string;
  readonly qty: string;
}
interface Entry {
  readonly symbol: string;
  readonly bids: Level[];
  readonly asks: Level[];
  readonly checksum: number;
  readonly timestamp: string;
}
interface Frame {
  readonly channel?: string;
  readonly method?: string;
  readonly type?: string;
  readonly data?: unknown;
}

/** A client with the frames it got; prices and quantities as the digits of the wire. */
async function connect() {
  clock = new VirtualClock(START_MS);
  emulator = await startKrakenEmulator({ symbols: SYMBOLS, seed: 1, clock });
  const socket = new WebSocket(`${emulator.endpoints.ws}/v2`);
  clients.push(socket);
  const frames: Frame[] = [];
  socket.on('message', (data) => {
    const text = String(data).replace(/"(price|qty)":([\d.]+)/g, '"$1":"$2"');
    frames.push(JSON.parse(text) as Frame);
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const next = async (): Promise<Frame> => {
    await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), { interval: 1 });
    return frames.shift()!;
  };
  const ask = (request: unknown) => {
    clock.advanceTo(clock.now() + 60);
    socket.send(typeof request === 'string' ? request : JSON.stringify(request));
    return next();
  };
  expect(await next()).toMatchObject({ channel: 'status', data: [{ system: 'online', api_version: 'v2' }] });
  return { socket, frames, next, ask };
}

const subscribe = (params: object, more: object = {}) => ({ method: 'subscribe', params, ...more });

/** The guide's algorithm, on the digits of the wire. */
function checksumOf(bids: readonly Level[], asks: readonly Level[]): number {
  const bare = (text: string) => text.replace('.', '').replace(/^0+/, '');
  const levels = [...asks.slice(0, 10), ...bids.slice(0, 10)];
  return crc32(levels.map(({ price, qty }) => bare(price) + bare(qty)).join(''));
}

/** Applies an update as the guide says: all levels, then truncation. */
function apply(side: readonly Level[], changes: readonly Level[], sign: 1 | -1, depth: number): Level[] {
  const levels = new Map(side.map((level) => [level.price, level]));
  for (const level of changes) {
    if (Number(level.qty) === 0) levels.delete(level.price);
    else levels.set(level.price, level);
  }
  return [...levels.values()].sort((a, b) => sign * (Number(a.price) - Number(b.price))).slice(0, depth);
}

const entryOf = (frame: Frame) => (frame.data as Entry[])[0]!;

describe('Kraken emulator', () => {
  it('lists its pairs with precisions, and tells what changes of them', async () => {
    const { ask, next } = await connect();
    expect(await ask(subscribe({ channel: 'instrument' }, { req_id: 79 }))).toMatchObject({
      method: 'subscribe',
      req_id: 79,
      success: true,
      result: { channel: 'instrument', snapshot: true },
    });
    expect(await next()).toMatchObject({
      channel: 'instrument',
      type: 'snapshot',
      data: {
        pairs: [
          {
            symbol: 'BTC/USD',
            base: 'BTC',
            quote: 'USD',
            status: 'online',
            price_precision: 1,
            price_increment: 0.1,
            qty_precision: 8,
            qty_increment: 1e-8,
          },
          { symbol: 'ETH/BTC', price_precision: 5 },
        ],
      },
    });
    emulator.halt('ETH/BTC');
    expect(await next()).toMatchObject({
      type: 'update',
      data: { pairs: [{ symbol: 'ETH/BTC', status: 'cancel_only' }] },
    });
    emulator.changeTick('BTC/USD', '0.01');
    expect(await next()).toMatchObject({ data: { pairs: [{ price_increment: 0.01, price_precision: 2 }] } });
    emulator.delist('ETH/BTC');
    expect(await next()).toMatchObject({ data: { pairs: [{ status: 'delisted' }] } });
  });

  it.each([10, 25, 1000])(
    'keeps up a book of %i levels that the guide’s algorithm can follow',
    async (depth) => {
      const { ask, next } = await connect();
      expect(await ask(subscribe({ channel: 'book', symbol: ['BTC/USD'], depth }))).toMatchObject({
        success: true,
        result: { channel: 'book', symbol: 'BTC/USD', depth, snapshot: true },
      });
      const first = entryOf(await next());
      let { bids, asks } = first;
      expect(bids).toHaveLength(Math.min(30, depth));
      expect(first.checksum).toBe(checksumOf(bids, asks));
      expect(bids[0]).toEqual({ price: '59999.9', qty: expect.stringMatching(/^\d+\.\d{8}$/) as string });
      let before = first.timestamp;
      for (let i = 0; i < 60; i++) {
        emulator.change('BTC/USD', 4);
        emulator.publish('BTC/USD');
        const update = entryOf(await next());
        bids = apply(bids, update.bids, -1, depth);
        asks = apply(asks, update.asks, 1, depth);
        expect(update.checksum).toBe(checksumOf(bids, asks));
        expect(update.timestamp > before).toBe(true);
        before = update.timestamp;
      }
      const shown = (levels: Level[]) => levels.map(({ price, qty }) => [Number(price), Number(qty)]);
      const truth = emulator.truth('BTC/USD', depth);
      expect(shown(bids)).toEqual(truth.bids.map((level) => level.map(Number)));
      expect(shown(asks)).toEqual(truth.asks.map((level) => level.map(Number)));
    },
  );

  it('answers each symbol of a request apart, and refuses the others', async () => {
    const { ask, next } = await connect();
    expect(
      await ask(subscribe({ channel: 'trade', symbol: ['BTC/USD', 'NO/PE'] }, { req_id: 5 })),
    ).toMatchObject({
      success: true,
      result: { channel: 'trade', symbol: 'BTC/USD', snapshot: false },
    });
    expect(await next()).toMatchObject({
      method: 'subscribe',
      success: false,
      symbol: 'NO/PE',
      error: expect.stringContaining('not supported') as string,
      req_id: 5,
    });
  });

  it.each<[name: string, request: unknown, answer: object]>([
    [
      'a depth there is not',
      subscribe({ channel: 'book', symbol: ['BTC/USD'], depth: 7 }),
      { success: false },
    ],
    ['no symbol', subscribe({ channel: 'book' }), { success: false }],
    ['a channel there is not', subscribe({ channel: 'spread', symbol: ['BTC/USD'] }), { success: false }],
    [
      'an end of what never began',
      { method: 'unsubscribe', params: { channel: 'trade', symbol: ['BTC/USD'] } },
      { success: false, symbol: 'BTC/USD' },
    ],
    ['a method there is not', { method: 'dance' }, { success: false }],
    ['no JSON', '{', { success: false }],
    ['null', 'null', { success: false }],
  ])('refuses %s', async (_name, request, answer) => {
    const { ask } = await connect();
    expect(await ask(request)).toMatchObject(answer);
  });

  it('refuses a second subscription, and ends one only at its own depth', async () => {
    const { ask, next } = await connect();
    const book = { channel: 'book', symbol: ['BTC/USD'], depth: 100 };
    await ask(subscribe(book));
    await next();
    expect(await ask(subscribe(book))).toMatchObject({ success: false, error: 'Already subscribed' });
    expect(await ask({ method: 'unsubscribe', params: { ...book, depth: 10 } })).toMatchObject({
      success: false,
    });
    expect(await ask({ method: 'unsubscribe', params: book })).toMatchObject({ success: true });
    emulator.tick();
    expect(await ask({ method: 'ping', req_id: 101 })).toMatchObject({ method: 'pong', req_id: 101 });
  });

  it('sends heartbeats and statistics to those who have subscribed', async () => {
    const { ask, next, frames } = await connect();
    clock.advanceTo(clock.now() + 3_000);
    expect(frames).toEqual([]);
    await ask(subscribe({ channel: 'ticker', symbol: ['BTC/USD'] }));
    expect(await next()).toMatchObject({
      channel: 'ticker',
      type: 'snapshot',
      data: [{ symbol: 'BTC/USD' }],
    });
    clock.advanceTo(clock.now() + 1_000);
    const channels = [await next(), await next()].map(({ channel }) => channel);
    expect(channels.sort()).toEqual(['heartbeat', 'ticker']);
  });

  it('does nothing for a client that asks too often', async () => {
    const { socket, frames } = await connect();
    for (let i = 0; i < 25; i++) socket.send(JSON.stringify({ method: 'ping', req_id: i }));
    await vi.waitFor(() => expect(frames).toHaveLength(25), { interval: 1 });
    expect(frames.filter((frame) => 'Error' in frame)).toHaveLength(5);
  });
});
