import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { startBybitEmulator, type BybitEmulator, type BybitMarket, type BybitSymbol } from '../index.ts';

const START_MS = Date.parse('2026-11-20T12:00:00Z');
const SYMBOLS: Record<BybitMarket, BybitSymbol[]> = {
  spot: ['BTC', 'ETH', 'SOL', 'XRP'].map((base) => ({ symbol: `${base}USDT`, base, quote: 'USDT' })),
  linear: [
    { symbol: 'BTCUSDT', base: 'BTC', quote: 'USDT', tick: '0.10' },
    { symbol: 'BTC-25DEC26', base: 'BTC', quote: 'USDC', contractType: 'LinearFutures', deliveryTime: 1 },
  ],
  inverse: [{ symbol: 'BTCUSD', base: 'BTC', quote: 'USD', lot: '1' }],
};

interface BookFrame {
  readonly topic: string;
  readonly type: string;
  readonly data: { readonly b: string[][]; readonly a: string[][]; readonly u: number; readonly seq: number };
}

interface List {
  readonly retCode: number;
  readonly result: { readonly list: Record<string, unknown>[]; readonly nextPageCursor?: string };
}

let emulator: BybitEmulator;
let clock: VirtualClock;
const clients: WebSocket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await emulator.close();
});

async function start(market: BybitMarket = 'spot') {
  clock = new VirtualClock(START_MS);
  emulator = await startBybitEmulator({ market, symbols: SYMBOLS[market], clock });
}

async function connect(path = '/v5/public/spot') {
  const socket = new WebSocket(emulator.endpoints.ws + path);
  clients.push(socket);
  const frames: string[] = [];
  socket.on('message', (data) => frames.push(String(data)));
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return {
    closed,
    frames,
    async next() {
      await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), { interval: 1 });
      return JSON.parse(frames.shift()!) as unknown;
    },
    ask: (request: unknown) => socket.send(typeof request === 'string' ? request : JSON.stringify(request)),
  };
}

const subscribe = (...args: string[]) => ({ req_id: '1', op: 'subscribe', args });

async function list(query: string): Promise<List> {
  const response = await fetch(`${emulator.endpoints.rest}/v5/market/instruments-info?${query}`);
  return (await response.json()) as List;
}

const symbolsOf = async (query: string) => (await list(query)).result.list.map(({ symbol }) => symbol);

/** A client that has subscribed, with the acknowledgement and first frame taken. */
async function follow(market: BybitMarket, topic: string) {
  await start(market);
  const client = await connect(`/v5/public/${market}`);
  client.ask(subscribe(topic));
  await client.next();
  const first = (await client.next()) as BookFrame;
  return { ...client, first, next: async () => (await client.next()) as BookFrame };
}

describe('Bybit emulator: REST', () => {
  it('lists what trades, and other states where they are asked for', async () => {
    await start('linear');
    expect((await list('category=linear')).result.list).toMatchObject([
      {
        symbol: 'BTCUSDT',
        contractType: 'LinearPerpetual',
        status: 'Trading',
        baseCoin: 'BTC',
        quoteCoin: 'USDT',
        deliveryTime: '0',
        priceFilter: { tickSize: '0.10' },
        lotSizeFilter: { qtyStep: '0.001' },
      },
      { symbol: 'BTC-25DEC26', contractType: 'LinearFutures', deliveryTime: '1' },
    ]);
    emulator.halt('BTCUSDT');
    expect(await symbolsOf('category=linear')).toEqual(['BTC-25DEC26']);
    expect(await symbolsOf('category=linear&status=Delivering')).toEqual(['BTCUSDT']);
    emulator.delist('BTCUSDT');
    expect(await symbolsOf('category=linear&status=Delivering')).toEqual([]);
    expect(await symbolsOf('category=spot')).toEqual([]);
  });

  it('lists in pages, except on spot', async () => {
    await start('linear');
    const first = await list('category=linear&limit=1');
    expect(first.result.list).toHaveLength(1);
    const cursor = first.result.nextPageCursor!;
    const second = await list(`category=linear&limit=1&cursor=${cursor}`);
    expect(second.result).toMatchObject({ list: [{ symbol: 'BTC-25DEC26' }], nextPageCursor: '' });
    await emulator.close();
    await start('spot');
    const { result } = await list('category=spot&limit=1');
    expect(result.list).toHaveLength(4);
    expect(result.list[0]).toMatchObject({ symbol: 'BTCUSDT', lotSizeFilter: { basePrecision: '0.001' } });
  });

  it.each(['category=stocks', 'limit=10', 'category=spot&limit=2000'])('refuses %s', async (query) => {
    await start();
    expect((await list(query)).retCode).toBe(10001);
  });
});

describe('Bybit emulator: requests', () => {
  it('takes and gives back subscriptions', async () => {
    await start();
    const { ask, next } = await connect();
    ask(subscribe('publicTrade.BTCUSDT'));
    expect(await next()).toMatchObject({ success: true, ret_msg: 'subscribe', req_id: '1', op: 'subscribe' });
    ask({ op: 'unsubscribe', args: ['publicTrade.BTCUSDT'] });
    expect(await next()).toMatchObject({ success: true, op: 'unsubscribe' });
    expect(emulator.subscriptions().size).toBe(0);
  });

  it('takes ten arguments a request on spot, and does nothing of a request that is wrong', async () => {
    await start();
    const { ask, next } = await connect();
    const topics = SYMBOLS.spot.flatMap(({ symbol }) =>
      ['orderbook.50', 'publicTrade', 'tickers'].map((t) => `${t}.${symbol}`),
    );
    ask(subscribe(...topics.slice(0, 11)));
    expect(await next()).toMatchObject({ success: false, ret_msg: 'args size >10' });
    ask(subscribe('publicTrade.BTCUSDT', 'publicTrade.NOPE'));
    expect(await next()).toMatchObject({ success: false, ret_msg: 'Invalid symbol :[publicTrade.NOPE]' });
    expect(emulator.subscriptions().size).toBe(0);
    ask(subscribe(...topics.filter((topic) => !topic.includes('tickers') && !topic.includes('orderbook'))));
    expect(await next()).toMatchObject({ success: true });
  });

  it.each([
    [subscribe('orderbook.200.NOPE'), 'error:handler not found,topic:orderbook.200.NOPE'],
    [subscribe('orderbook.77.BTCUSDT'), 'error:handler not found,topic:orderbook.77.BTCUSDT'],
    [subscribe('publicTrade.1.BTCUSDT'), 'error:handler not found,topic:publicTrade.1.BTCUSDT'],
    [subscribe('x'.repeat(21_001)), 'error:args length exceeds the limit'],
    [{ op: 'auth' }, 'error:request op not found'],
    ['hello', 'error:request op not found'],
    ['null', 'error:request op not found'],
  ])('refuses %j', async (request, reason) => {
    await start('linear');
    const { ask, next } = await connect('/v5/public/linear');
    ask(request);
    expect(await next()).toMatchObject({ success: false, ret_msg: reason });
  });

  it('refuses to subscribe twice', async () => {
    await start('linear');
    const { ask, next } = await connect('/v5/public/linear');
    ask(subscribe('publicTrade.BTCUSDT'));
    await next();
    ask(subscribe('publicTrade.BTCUSDT'));
    expect(await next()).toMatchObject({
      success: false,
      ret_msg: 'error:already subscribed,topic:publicTrade.BTCUSDT',
    });
  });

  it('answers the ping, and cuts off who is silent for ten minutes', async () => {
    await start();
    const { ask, next, closed } = await connect();
    clock.advanceTo(START_MS + 590_000);
    ask({ req_id: '7', op: 'ping' });
    expect(await next()).toMatchObject({ success: true, ret_msg: 'pong', req_id: '7', op: 'ping' });
    clock.advanceTo(START_MS + 1_300_000);
    expect(await closed).toBe(1001);
  });

  it('has one market a path', async () => {
    await start();
    const { closed } = await connect('/v5/public/linear');
    expect(await closed).toBe(1008);
  });
});

describe('Bybit emulator: books', () => {
  it.each([50, 200, 1000])('numbers the deltas of %i levels one by one, up to the truth', async (depth) => {
    const { first, next } = await follow('spot', `orderbook.${depth}.BTCUSDT`);
    expect(first.type).toBe('snapshot');
    const sides = { b: new Map<string, string>(), a: new Map<string, string>() };
    const apply = ({ data }: BookFrame) => {
      for (const side of ['b', 'a'] as const)
        for (const [price, size] of data[side])
          if (size === '0') sides[side].delete(price!);
          else sides[side].set(price!, size!);
    };
    apply(first);
    for (let i = 1; i <= 50; i++) {
      emulator.tick();
      const frame = await next();
      expect(frame).toMatchObject({ topic: `orderbook.${depth}.BTCUSDT`, type: 'delta', ts: START_MS });
      expect(frame.data.u).toBe(first.data.u + i);
      apply(frame);
    }
    const { bids, asks } = emulator.truth('BTCUSDT');
    expect([...sides.b].sort(([x], [y]) => Number(y) - Number(x))).toEqual(bids);
    expect([...sides.a].sort(([x], [y]) => Number(x) - Number(y))).toEqual(asks);
  });

  it('sends snapshots only of one level', async () => {
    const { next } = await follow('linear', 'orderbook.1.BTCUSDT');
    for (let i = 0; i < 200; i++) emulator.tick();
    for (let i = 0; i < 20; i++)
      expect(await next()).toMatchObject({ type: 'snapshot', data: { b: { length: 1 }, a: { length: 1 } } });
  });

  it('sends every book anew with a u of 1 when its service restarts', async () => {
    const { next } = await follow('linear', 'orderbook.200.BTCUSDT');
    emulator.tick();
    await next();
    emulator.restartService();
    expect(await next()).toMatchObject({ type: 'snapshot', data: { u: 1 } });
    emulator.tick();
    expect(await next()).toMatchObject({ type: 'delta', data: { u: 2 } });
  });

  it('writes the digits of tick and lot on contracts', async () => {
    const { first } = await follow('linear', 'orderbook.200.BTCUSDT');
    expect(first.data.b[0]![0]).toMatch(/^\d+\.\d$/);
    expect(first.data.b[0]![1]).toMatch(/^\d+\.\d{3}$/);
  });

  it('counts a delta that is lost', async () => {
    const { first, next } = await follow('spot', 'orderbook.200.BTCUSDT');
    emulator.dropNext('BTCUSDT');
    emulator.tick();
    emulator.tick();
    expect((await next()).data.u).toBe(first.data.u + 2);
  });
});

describe('Bybit emulator: trades and statistics', () => {
  it('tells trades with the side of the taker', async () => {
    await start();
    const { ask, next } = await connect();
    ask(subscribe('publicTrade.BTCUSDT'));
    await next();
    while (emulator.trades('BTCUSDT').length === 0) emulator.tick();
    const [{ id, side, price, size }] = emulator.trades('BTCUSDT') as [
      ReturnType<BybitEmulator['trades']>[number],
    ];
    expect(await next()).toMatchObject({
      topic: 'publicTrade.BTCUSDT',
      type: 'snapshot',
      data: [
        { i: String(id), S: side === 'buy' ? 'Buy' : 'Sell', p: price, v: size, T: START_MS, BT: false },
      ],
    });
  });

  it('tells everything each time on spot', async () => {
    const { next } = await follow('spot', 'tickers.BTCUSDT');
    clock.advanceTo(START_MS + 1_000);
    expect(await next()).toMatchObject({
      type: 'snapshot',
      data: { prevPrice24h: '1000', volume24h: '1000' },
    });
  });

  it('tells of contracts only what has changed', async () => {
    const { first, next } = await follow('linear', 'tickers.BTCUSDT');
    expect(first).toMatchObject({ type: 'snapshot', data: { prevPrice24h: '1000', volume24h: '1000' } });
    clock.advanceTo(START_MS + 2_000);
    await next();
    expect(await next()).toMatchObject({ type: 'delta', data: { symbol: 'BTCUSDT' } });
  });
});
