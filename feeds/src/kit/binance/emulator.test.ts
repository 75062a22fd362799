import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { startBinanceEmulator, type BinanceEmulator } from '../index.ts';
import type { TextLevel } from '../truth-book.ts';

interface DepthAnswer {
  readonly lastUpdateId: number;
  readonly bids: TextLevel[];
  readonly asks: TextLevel[];
}

interface DiffEvent {
  readonly U: number;
  readonly u: number;
  readonly b: TextLevel[];
  readonly a: TextLevel[];
}

const START_MS = Date.parse('2026-11-20T12:00:00Z');
const SYMBOLS = [
  { symbol: 'BTCUSDT', base: 'BTC', quote: 'USDT', price: '60000' },
  { symbol: 'ETHBTC', base: 'ETH', quote: 'BTC', tick: '0.00001', lot: '0.0001', price: '0.04' },
];

let emulator: BinanceEmulator;
let clock: VirtualClock;
const clients: WebSocket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await emulator.close();
});

async function start(market: 'spot' | 'usdm' = 'spot', seed = 1) {
  clock = new VirtualClock(START_MS);
  emulator = await startBinanceEmulator({ market, symbols: SYMBOLS, seed, clock });
  return emulator;
}

async function get(path: string) {
  const response = await fetch(emulator.endpoints.rest + path);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? null : (JSON.parse(text) as unknown),
  };
}

/** A client with the frames it got, parsed where they can be. */
async function connect(path: string) {
  const socket = new WebSocket(emulator.endpoints.ws + path);
  clients.push(socket);
  const frames: string[] = [];
  socket.on('message', (data) => frames.push(String(data)));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return {
    socket,
    frames,
    async next(): Promise<unknown> {
      await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), { interval: 1 });
      return JSON.parse(frames.shift()!) as unknown;
    },
    ask(request: unknown) {
      clock.advanceTo(clock.now() + 250);
      socket.send(typeof request === 'string' ? request : JSON.stringify(request));
      return this.next();
    },
  };
}

describe('Binance emulator: REST', () => {
  it('lists its symbols as exchangeInfo does', async () => {
    await start('usdm');
    emulator.halt('ETHBTC');
    emulator.changeTick('BTCUSDT', '0.10');
    const { body } = await get('/fapi/v1/exchangeInfo');
    expect(body).toMatchObject({
      serverTime: START_MS,
      symbols: [
        {
          symbol: 'BTCUSDT',
          pair: 'BTCUSDT',
          contractType: 'PERPETUAL',
          status: 'TRADING',
          baseAsset: 'BTC',
          quoteAsset: 'USDT',
        },
        { symbol: 'ETHBTC', status: 'PENDING_TRADING' },
      ],
    });
    expect(JSON.stringify(body)).toContain('"tickSize":"0.10"');
  });

  it('answers a snapshot of as many levels as asked for, in eight digits', async () => {
    await start();
    const { status, body } = await get('/api/v3/depth?symbol=BTCUSDT&limit=3');
    const { lastUpdateId, bids, asks } = body as DepthAnswer;
    expect(status).toBe(200);
    expect(lastUpdateId).toBe(emulator.lastId('BTCUSDT'));
    expect([bids.length, asks.length]).toEqual([3, 3]);
    expect(bids[0]).toEqual(['59999.99000000', expect.stringMatching(/^\d+\.\d{8}$/)]);
    expect(asks[0]![0]).toBe('60000.01000000');
  });

  it('adds times to a snapshot of futures, and writes the digits of tick and lot', async () => {
    await start('usdm');
    const { body } = await get('/fapi/v1/depth?symbol=BTCUSDT&limit=5');
    expect(body).toMatchObject({ E: START_MS, T: START_MS });
    expect((body as DepthAnswer).bids[0]).toEqual(['59999.99', expect.stringMatching(/^\d+\.\d{3}$/)]);
  });

  it.each([
    ['/api/v3/depth', 400, { code: -1102 }],
    ['/api/v3/depth?symbol=NOPE', 400, { code: -1121, msg: 'Invalid symbol.' }],
    ['/api/v3/depth?symbol=BTCUSDT&limit=many', 400, { code: -1100 }],
    ['/fapi/v1/depth?symbol=BTCUSDT', 404, null],
    ['/api/v3/klines?symbol=BTCUSDT', 400, { code: -1120 }],
    ['/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1001', 400, { code: -1130 }],
    ['/api/v3/klines?symbol=NOPE&interval=1m', 400, { code: -1121 }],
    ['/api/v3/aggTrades?symbol=BTCUSDT&startTime=0&endTime=3600000', 400, { code: -1127 }],
    ['/api/v3/uiKlines?symbol=BTCUSDT', 404, null],
    ['/', 404, null],
    ['/api/v3/ping', 200, {}],
    ['/api/v3/time', 200, { serverTime: START_MS }],
  ])('answers %s with %i', async (path, status, body) => {
    await start();
    const answer = await get(path);
    expect(answer.status).toBe(status);
    if (body === null) expect(answer.body).toBeNull();
    else expect(answer.body).toMatchObject(body);
    expect(emulator.requests).toEqual([path]);
  });

  it('refuses, delays and holds snapshots when told to', async () => {
    await start();
    emulator.refuseSnapshots(429, 1, 7);
    const refused = await get('/api/v3/depth?symbol=BTCUSDT');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('7');

    emulator.delaySnapshots(500);
    const before = emulator.lastId('BTCUSDT');
    const delayed = get('/api/v3/depth?symbol=BTCUSDT');
    await vi.waitFor(() => expect(emulator.requests).toHaveLength(2), { interval: 1 });
    emulator.tick();
    clock.advanceTo(START_MS + 500);
    expect((await delayed).body).toMatchObject({ lastUpdateId: before });

    const release = emulator.holdSnapshots();
    const held = get('/api/v3/depth?symbol=BTCUSDT');
    await vi.waitFor(() => expect(emulator.requests).toHaveLength(3), { interval: 1 });
    release();
    expect((await held).body).toMatchObject({ lastUpdateId: emulator.lastId('BTCUSDT') });
  });

  it('answers with the book of some diffs ago when told to', async () => {
    await start();
    emulator.tick();
    const past = emulator.lastId('BTCUSDT');
    emulator.tick();
    emulator.tick();
    emulator.staleSnapshot('BTCUSDT', 1, 2);
    expect((await get('/api/v3/depth?symbol=BTCUSDT')).body).toMatchObject({ lastUpdateId: past });
    expect((await get('/api/v3/depth?symbol=BTCUSDT')).body).toMatchObject({
      lastUpdateId: emulator.lastId('BTCUSDT'),
    });
  });
});

describe('Binance emulator: streams', () => {
  it('wraps events of /stream, and sends those of /ws bare', async () => {
    await start();
    const combined = await connect('/stream?streams=btcusdt@depth@100ms/ethbtc@depth');
    const raw = await connect('/ws/btcusdt@depth@100ms');
    emulator.tick();
    expect(await combined.next()).toMatchObject({
      stream: 'btcusdt@depth@100ms',
      data: { e: 'depthUpdate', s: 'BTCUSDT' },
    });
    expect(await combined.next()).toMatchObject({ stream: 'ethbtc@depth', data: { s: 'ETHBTC' } });
    expect(await raw.next()).toMatchObject({ e: 'depthUpdate', E: START_MS, s: 'BTCUSDT' });
  });

  it('takes and gives back subscriptions while the socket is open', async () => {
    await start();
    const client = await connect('/stream');
    expect(await client.ask({ method: 'SUBSCRIBE', params: ['btcusdt@depth', 'nope@trade'], id: 1 })).toEqual(
      { result: null, id: 1 },
    );
    expect(await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 'list' })).toEqual({
      result: ['btcusdt@depth', 'nope@trade'],
      id: 'list',
    });
    expect(await client.ask({ method: 'UNSUBSCRIBE', params: ['btcusdt@depth'], id: null })).toEqual({
      result: null,
      id: null,
    });
    expect(emulator.subscriptions()).toEqual(new Set(['nope@trade']));
    expect(await client.ask({ method: 'GET_PROPERTY', params: ['combined'], id: 4 })).toEqual({
      result: true,
      id: 4,
    });
    expect(await client.ask({ method: 'SET_PROPERTY', params: ['combined', false], id: 5 })).toEqual({
      result: null,
      id: 5,
    });
    expect(await client.ask({ method: 'GET_PROPERTY', params: ['combined'], id: 6 })).toEqual({
      result: false,
      id: 6,
    });
  });

  it.each([
    ['no JSON', 'hello', 3, /^Invalid JSON/],
    ['null', 'null', 2, /missing field `method`/],
    ['no method', { id: 1 }, 2, /missing field `method`/],
    ['a method there is not', { method: 'subscribe', id: 1 }, 2, /unknown variant `subscribe`/],
    ['no id', { method: 'SUBSCRIBE', params: [] }, 2, /request ID/],
    ['a strange id', { method: 'SUBSCRIBE', params: [], id: 'a b' }, 2, /request ID/],
    ['streams that are no text', { method: 'SUBSCRIBE', params: [1], id: 1 }, 2, /must be a string/],
    ['a property there is not', { method: 'GET_PROPERTY', params: ['speed'], id: 1 }, 0, /Unknown property/],
    [
      'a property of the wrong type',
      { method: 'SET_PROPERTY', params: ['combined', 1], id: 1 },
      1,
      /expected Boolean/,
    ],
  ])('answers %s with the error of the venue', async (_name, request, code, msg) => {
    await start();
    const client = await connect('/stream');
    expect(await client.ask(request)).toMatchObject({ code, msg: expect.stringMatching(msg) as string });
  });

  it('cuts off who sends more than five messages a second', async () => {
    await start();
    const { socket } = await connect('/stream');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    for (let id = 1; id <= 6; id++) socket.send(JSON.stringify({ method: 'LIST_SUBSCRIPTIONS', id }));
    expect(await closed).toBe(1008);
  });

  it('pings', async () => {
    await start();
    const { socket } = await connect('/stream');
    const ping = new Promise((resolve) => socket.once('ping', (data) => resolve(String(data))));
    clock.advanceTo(START_MS + 20_000);
    expect(await ping).toBe(String(START_MS + 20_000));
  });

  it.each(['spot', 'usdm'] as const)(
    'numbers the diffs of %s so that they lead from a snapshot to the truth',
    async (market) => {
      await start(market);
      const base = market === 'spot' ? '/api/v3' : '/fapi/v1';
      const { body } = await get(`${base}/depth?symbol=BTCUSDT&limit=1000`);
      const sides = {
        b: new Map((body as DepthAnswer).bids),
        a: new Map((body as DepthAnswer).asks),
      };
      const client = await connect('/ws/btcusdt@depth@100ms');
      let last = (body as DepthAnswer).lastUpdateId;
      for (let i = 0; i < 50; i++) {
        emulator.tick();
        const diff = (await client.next()) as DiffEvent;
        if (market === 'spot') expect(diff).toMatchObject({ U: last + 1 });
        else expect(diff).toMatchObject({ pu: last, T: START_MS });
        expect(diff.U).toBeGreaterThan(last);
        expect(diff.u).toBeGreaterThanOrEqual(diff.U);
        expect(diff.u).toBe(emulator.lastId('BTCUSDT'));
        last = diff.u;
        for (const side of ['b', 'a'] as const) {
          for (const [price, quantity] of diff[side]) {
            if (Number(quantity) === 0) sides[side].delete(price);
            else sides[side].set(price, quantity);
          }
        }
      }
      const numbers = (levels: Iterable<readonly [string, string]>) =>
        [...levels]
          .map(([price, quantity]) => [Number(price), Number(quantity)])
          .sort((x, y) => x[0]! - y[0]!);
      expect(numbers(sides.b)).toEqual(numbers(emulator.truth('BTCUSDT').bids));
      expect(numbers(sides.a)).toEqual(numbers(emulator.truth('BTCUSDT').asks));
    },
  );

  it('tells trades, one by one and aggregated, at the prices that the book had', async () => {
    await start();
    const client = await connect('/stream?streams=btcusdt@trade/btcusdt@aggTrade');
    for (let i = 0; i < 20; i++) emulator.tick();
    await vi.waitFor(() => expect(client.frames.length).toBeGreaterThan(4), { interval: 1 });
    expect(await client.next()).toMatchObject({
      stream: 'btcusdt@trade',
      data: { e: 'trade', t: 1000, s: 'BTCUSDT', M: true },
    });
    expect(await client.next()).toMatchObject({
      stream: 'btcusdt@aggTrade',
      data: { e: 'aggTrade', a: 1000, f: 1000, l: 1000 },
    });
  });

  it('drops, doubles and damages a diff when told to', async () => {
    await start();
    const client = await connect('/ws/btcusdt@depth');
    emulator.dropNext('BTCUSDT');
    emulator.duplicateNext('BTCUSDT');
    const dropped = emulator.lastId('BTCUSDT') + 1;
    emulator.tick();
    emulator.tick();
    const first = (await client.next()) as DiffEvent;
    expect(first.U).toBeGreaterThan(dropped);
    expect(await client.next()).toEqual(first);
    emulator.truncateNext('BTCUSDT');
    emulator.tick();
    await expect(client.next()).rejects.toThrow(SyntaxError);
    emulator.tick();
    expect(await client.next()).toMatchObject({ e: 'depthUpdate' });
  });

  it('stands still while it is halted', async () => {
    await start();
    emulator.halt('BTCUSDT');
    const before = emulator.truth('BTCUSDT');
    emulator.tick();
    expect(emulator.truth('BTCUSDT')).toEqual(before);
    emulator.resume('BTCUSDT');
    emulator.tick();
    expect(emulator.truth('BTCUSDT')).not.toEqual(before);
  });

  it('has the same market for the same seed', async () => {
    const truths: unknown[] = [];
    for (const seed of [5, 5, 6]) {
      await start('spot', seed);
      for (let i = 0; i < 50; i++) emulator.tick();
      truths.push(emulator.truth('BTCUSDT'));
      if (seed !== 6) await emulator.close();
    }
    expect(truths[1]).toEqual(truths[0]);
    expect(truths[2]).not.toEqual(truths[0]);
  });

  it('ticks by itself when given a period', async () => {
    clock = new VirtualClock(START_MS);
    emulator = await startBinanceEmulator({ market: 'spot', symbols: SYMBOLS, tickMs: 100, clock });
    const before = emulator.lastId('BTCUSDT');
    clock.advanceTo(START_MS + 1_000);
    expect(emulator.lastId('BTCUSDT')).toBeGreaterThan(before + 40);
  });

  it('tells that it has no such symbol', async () => {
    await start();
    expect(() => emulator.truth('NOPE')).toThrow(
      expect.objectContaining({ code: 'unknown_symbol' }) as Error,
    );
    expect(() => emulator.dropNext('NOPE')).toThrow(
      expect.objectContaining({ code: 'unknown_symbol' }) as Error,
    );
  });
});
