import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { startBitstampEmulator, type BitstampEmulator } from '../index.ts';
import type { TextLevel } from '../truth-book.ts';

const START_MS = Date.parse('2026-11-20T12:00:00Z');
const SYMBOLS = [
  { symbol: 'btcusd', base: 'BTC', quote: 'USD', tick: '0.01', lot: '0.00000001', price: '60000' },
  { symbol: 'ethusd-perp', base: 'ETH', quote: 'USD', tick: '0.1', lot: '0.001', price: '3000' },
];

interface Timed {
  readonly timestamp: string;
  readonly microtimestamp: string;
  readonly bids: TextLevel[];
  readonly asks: TextLevel[];
}

interface Frame {
  readonly event: string;
  readonly channel: string;
  readonly data: Timed & Record<string, unknown>;
}

let emulator: BitstampEmulator;
let clock: VirtualClock;
const clients: WebSocket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await emulator.close();
});

async function start() {
  clock = new VirtualClock(START_MS);
  emulator = await startBitstampEmulator({ symbols: SYMBOLS, clock });
}

async function get(path: string) {
  const response = await fetch(emulator.endpoints.rest + path);
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
}

async function connect(...channels: string[]) {
  const socket = new WebSocket(emulator.endpoints.ws);
  clients.push(socket);
  const frames: string[] = [];
  socket.on('message', (data) => frames.push(String(data)));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const client = {
    socket,
    frames,
    async next(): Promise<Frame> {
      await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), { interval: 1 });
      return JSON.parse(frames.shift()!) as Frame;
    },
    ask(request: object | string): Promise<Frame> {
      socket.send(typeof request === 'string' ? request : JSON.stringify(request));
      return client.next();
    },
    subscribe: (channel: string) => client.ask({ event: 'bts:subscribe', data: { channel } }),
  };
  for (const channel of channels) await client.subscribe(channel);
  return client;
}

describe('Bitstamp emulator: the socket', () => {
  it('confirms subscriptions one by one, also of markets that there are none of', async () => {
    await start();
    const client = await connect();
    for (const channel of ['diff_order_book_btcusd', 'live_trades_ethusd-perp', 'order_book_fooxyz'])
      expect(await client.subscribe(channel)).toEqual({
        event: 'bts:subscription_succeeded',
        channel,
        data: {},
      });
    expect(
      await client.ask({ event: 'bts:unsubscribe', data: { channel: 'live_trades_ethusd-perp' } }),
    ).toMatchObject({ event: 'bts:unsubscription_succeeded' });
    expect(emulator.subscriptions()).toEqual(new Set(['diff_order_book_btcusd', 'order_book_fooxyz']));
  });

  it.each([
    ['text that is no JSON', 'hello', 'Incorrect JSON format.'],
    ['null', 'null', 'Bad subscription string.'],
    ['no channel', { event: 'bts:subscribe', data: {} }, 'Bad subscription string.'],
    ['an event there is not', { event: 'bts:ping' }, 'Bad subscription string.'],
    [
      'a symbol in capitals',
      { event: 'bts:subscribe', data: { channel: 'order_book_BTCUSD' } },
      'Invalid channel provided.',
    ],
    [
      'a channel there is not',
      { event: 'bts:subscribe', data: { channel: 'x' } },
      'Invalid channel provided.',
    ],
  ])('answers %s with an error that names no channel', async (_name, request, message) => {
    await start();
    const client = await connect();
    expect(await client.ask(request)).toEqual({
      event: 'bts:error',
      channel: '',
      data: { code: null, message },
    });
  });

  it('answers heartbeats, and pings by itself', async () => {
    await start();
    const client = await connect();
    expect(await client.ask({ event: 'bts:heartbeat' })).toEqual({
      event: 'bts:heartbeat',
      channel: '',
      data: { status: 'success' },
    });
    const ping = new Promise((resolve) => client.socket.once('ping', resolve));
    clock.advanceTo(START_MS + 54_000);
    await ping;
  });

  it('ends a connection for a frame that is too long, and for a channel too many', async () => {
    await start();
    const { socket } = await connect();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send(JSON.stringify({ event: 'bts:subscribe', data: { channel: 'x'.repeat(600) } }));
    expect(await closed).toBe(1009);

    const other = await connect();
    const gone = new Promise((resolve) => other.socket.once('close', resolve));
    for (let i = 0; i <= 1024; i++)
      other.socket.send(JSON.stringify({ event: 'bts:subscribe', data: { channel: `order_book_a${i}` } }));
    expect(await gone).toBe(1006);
  });

  it('asks to reconnect some seconds before it ends connections', async () => {
    await start();
    const client = await connect();
    emulator.announceEnd();
    expect(await client.next()).toEqual({ event: 'bts:request_reconnect', channel: '', data: null });
    const closed = new Promise((resolve) => client.socket.once('close', resolve));
    clock.advanceTo(START_MS + 5_000);
    await closed;
  });

  it('tells trades by text and number, with the side of the taker', async () => {
    await start();
    const client = await connect('live_trades_btcusd');
    for (let i = 0; i < 20; i++) emulator.tick();
    const { event, channel, data } = await client.next();
    const [truth] = emulator.trades('btcusd');
    expect({ event, channel }).toEqual({ event: 'trade', channel: 'live_trades_btcusd' });
    expect(data).toMatchObject({
      id: truth!.id,
      id_str: String(truth!.id),
      price: Number(truth!.price),
      type: truth!.side === 'buy' ? 0 : 1,
      amount_str: expect.stringMatching(/^\d+\.\d{8}$/) as string,
    });
    expect(Number(data.amount_str)).toBe(Number(truth!.size));
  });
});

describe('Bitstamp emulator: books', () => {
  it('answers the whole book, as it was at the last diff', async () => {
    await start();
    const { status, body } = await get('/api/v2/order_book/btcusd/?group=1');
    const { timestamp, microtimestamp, bids, asks } = body as Timed;
    expect(status).toBe(200);
    expect(Number(microtimestamp)).toBeGreaterThanOrEqual(START_MS * 1000);
    expect(timestamp).toBe(String(START_MS / 1000));
    expect([bids[0]![0], asks[0]![0]]).toEqual(['59999.99', '60000.01']);
    expect([bids.length, asks.length]).toEqual([30, 30]);
    emulator.change('btcusd', 5);
    expect((await get('/api/v2/order_book/btcusd')).body).toMatchObject({ bids, asks });
  });

  it('sends diffs that lead from a snapshot to the truth, and tell nothing that did not change', async () => {
    await start();
    const client = await connect('diff_order_book_btcusd');
    const { body } = await get('/api/v2/order_book/btcusd/?group=1');
    const book = { bids: new Map((body as Timed).bids), asks: new Map((body as Timed).asks) };
    let last = Number((body as Timed).microtimestamp);
    for (let i = 0; i < 100; i++) {
      clock.advanceTo(clock.now() + 200);
      emulator.tick();
    }
    const pong = new Promise((resolve) => client.socket.once('pong', resolve)); // comes after all of them
    client.socket.ping();
    await pong;
    expect(client.frames.length).toBeGreaterThan(50);
    while (client.frames.length > 0) {
      const { event, channel, data } = await client.next();
      expect({ event, channel }).toEqual({ event: 'data', channel: 'diff_order_book_btcusd' });
      expect(Number(data.microtimestamp)).toBeGreaterThan(last);
      last = Number(data.microtimestamp);
      for (const side of ['bids', 'asks'] as const) {
        for (const [price, amount] of data[side]) {
          expect(amount).toMatch(/^\d+\.\d{8}$/);
          if (Number(amount) === 0) expect(book[side].delete(price), `${price} was there`).toBe(true);
          else {
            expect(book[side].get(price)).not.toBe(amount);
            book[side].set(price, amount);
          }
        }
      }
    }
    const numbers = (levels: Iterable<readonly [string, string]>) =>
      [...levels].map(([price, amount]) => [Number(price), Number(amount)]).sort((a, b) => a[0]! - b[0]!);
    const truth = emulator.truth('btcusd');
    expect(numbers(book.bids)).toEqual(numbers(truth.bids));
    expect(numbers(book.asks)).toEqual(numbers(truth.asks));
  });

  it('answers with the book of some diffs ago when told to', async () => {
    await start();
    emulator.tick();
    const { body: past } = await get('/api/v2/order_book/btcusd/');
    emulator.tick();
    emulator.tick();
    emulator.staleSnapshot('btcusd', 1, 2);
    const { bids, asks, microtimestamp } = (await get('/api/v2/order_book/btcusd/')).body as Timed;
    expect({ bids, asks }).toEqual({ bids: (past as Timed).bids, asks: (past as Timed).asks });
    expect(Number(microtimestamp)).toBeLessThanOrEqual(Number((past as Timed).microtimestamp));
  });

  it('goes on with its times after a restart', async () => {
    await start();
    emulator.tick();
    const before = emulator.lastId('btcusd');
    emulator.restart();
    expect(emulator.lastId('btcusd')).toBeGreaterThan(before);
  });
});

describe('Bitstamp emulator: lists', () => {
  it('lists markets, halted ones too, and the pairs of spot', async () => {
    await start();
    emulator.halt('btcusd');
    emulator.changeTick('ethusd-perp', '0.05');
    const { body } = await get('/api/v2/markets/');
    expect(body).toEqual([
      expect.objectContaining({
        ...{ name: 'BTC/USD', market_symbol: 'btcusd', base_currency: 'BTC', counter_currency: 'USD' },
        ...{ base_decimals: 8, counter_decimals: 2, trading: 'Disabled', market_type: 'SPOT' },
      }),
      expect.objectContaining({
        ...{ name: 'ETH/USD-PERP', market_symbol: 'ethusd-perp', market_type: 'PERPETUAL' },
        ...{ base_decimals: 3, counter_decimals: 2, trading: 'Enabled' },
      }),
    ]);
    expect((await get('/api/v2/trading-pairs-info/')).body).toEqual([
      expect.objectContaining({ name: 'BTC/USD', url_symbol: 'btcusd', trading: 'Disabled' }),
    ]);
    emulator.delist('btcusd');
    expect((await get('/api/v2/markets/')).body).toHaveLength(1);
  });

  it('has the 24 h figures of all markets', async () => {
    await start();
    expect((await get('/api/v2/ticker/')).body).toEqual([
      expect.objectContaining({ pair: 'BTC/USD', open_24: '60000', last: '59999.99' }),
      expect.objectContaining({ pair: 'ETH/USD-PERP' }),
    ]);
  });

  it.each(['/api/v2/order_book/nope/', '/api/v1/order_book/btcusd/', '/'])('has no %s', async (path) => {
    await start();
    expect(await get(path)).toEqual({ status: 404, body: null });
  });
});
