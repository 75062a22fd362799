import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { startCoinbaseEmulator, type CoinbaseEmulator } from '../index.ts';

const START_MS = Date.parse('2026-11-20T12:00:00Z');
const SYMBOLS = [
  { symbol: 'BTC-USD', base: 'BTC', quote: 'USD', lot: '0.00000001', price: '60000' },
  { symbol: 'ETH-EUR', base: 'ETH', quote: 'EUR' },
];

let emulator: CoinbaseEmulator;
let clock: VirtualClock;
const clients: WebSocket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await emulator.close();
});

interface Update {
  readonly side: string;
  readonly price_level: string;
  readonly new_quantity: string;
}
interface Frame {
  readonly channel?: string;
  readonly type?: string;
  readonly message?: string;
  readonly sequence_num?: number;
  readonly events?: readonly {
    readonly type?: string;
    readonly product_id?: string;
    readonly updates?: Update[];
  }[];
}

async function start() {
  clock = new VirtualClock(START_MS);
  emulator = await startCoinbaseEmulator({ symbols: SYMBOLS, seed: 1, clock });
}

async function connect() {
  const socket = new WebSocket(emulator.endpoints.ws);
  clients.push(socket);
  const frames: Frame[] = [];
  socket.on('message', (data) => frames.push(JSON.parse(String(data)) as Frame));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const next = async (): Promise<Frame> => {
    await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), { interval: 1 });
    return frames.shift()!;
  };
  const ask = (request: unknown) => {
    clock.advanceTo(clock.now() + 130);
    socket.send(typeof request === 'string' ? request : JSON.stringify(request));
    return next();
  };
  return { socket, frames, next, ask };
}

const subscribe = (channel: string, ...product_ids: string[]) => ({
  type: 'subscribe',
  channel,
  product_ids,
});

describe('Coinbase emulator', () => {
  it('numbers the messages of a connection from zero, whatever their channel', async () => {
    await start();
    const { ask, next } = await connect();
    const heard = [
      await ask({ type: 'subscribe', channel: 'heartbeats' }),
      await ask(subscribe('level2', 'BTC-USD')),
    ];
    heard.push(await next());
    clock.advanceTo(clock.now() + 1_000);
    heard.push(await next());
    emulator.setLevel('BTC-USD', 'bid', '1', '1');
    emulator.publish('BTC-USD');
    heard.push(await next());
    expect(heard.map(({ channel, sequence_num }) => [channel, sequence_num])).toEqual([
      ['subscriptions', 0],
      ['l2_data', 1],
      ['subscriptions', 2],
      ['heartbeats', 3],
      ['l2_data', 4],
    ]);
    expect(heard[2]!.events).toEqual([
      { subscriptions: { heartbeats: ['heartbeats'], level2: ['BTC-USD'] } },
    ]);
    const other = await connect();
    expect(await other.ask({ type: 'subscribe', channel: 'heartbeats' })).toMatchObject({ sequence_num: 0 });
  });

  it('counts messages that are lost', async () => {
    await start();
    const { ask, next } = await connect();
    await ask(subscribe('level2', 'BTC-USD'));
    await next();
    const change = () => {
      emulator.setLevel('BTC-USD', 'bid', '1', '1');
      emulator.publish('BTC-USD');
    };
    emulator.dropNext('BTC-USD');
    change();
    emulator.stall('BTC-USD');
    change();
    emulator.stall('BTC-USD', false);
    change();
    expect(await next()).toMatchObject({ channel: 'l2_data', sequence_num: 4 });
  });

  it('keeps up a book that a plain reader can follow', async () => {
    await start();
    const { ask, next } = await connect();
    const book = { bid: new Map<string, string>(), offer: new Map<string, string>() };
    const apply = ({ events }: Frame) => {
      for (const { side, price_level, new_quantity } of events![0]!.updates!) {
        const levels = book[side as 'bid' | 'offer'];
        if (Number(new_quantity) === 0) levels.delete(price_level);
        else levels.set(price_level, new_quantity);
      }
    };
    const first = await ask(subscribe('level2', 'BTC-USD'));
    expect(first).toMatchObject({
      channel: 'l2_data',
      events: [{ type: 'snapshot', product_id: 'BTC-USD' }],
    });
    apply(first);
    await next();
    for (let i = 0; i < 40; i++) {
      emulator.change('BTC-USD', 4);
      emulator.publish('BTC-USD');
      apply(await next());
    }
    const sorted = (levels: Map<string, string>, sign: 1 | -1) =>
      [...levels].sort(([a], [b]) => sign * (Number(a) - Number(b)));
    expect({ bids: sorted(book.bid, -1), asks: sorted(book.offer, 1) }).toEqual(emulator.truth('BTC-USD'));
  });

  it('lists its products, and aliases of those in dollars', async () => {
    await start();
    emulator.halt('ETH-EUR');
    emulator.changeTick('BTC-USD', '0.1');
    const response = await fetch(
      `${emulator.endpoints.rest}/api/v3/brokerage/market/products?product_type=SPOT`,
    );
    expect(await response.json()).toMatchObject({
      num_products: 3,
      products: [
        {
          product_id: 'BTC-USD',
          price_increment: '0.1',
          base_increment: '0.00000001',
          alias_to: ['BTC-USDC'],
          trading_disabled: false,
        },
        { product_id: 'BTC-USDC', quote_currency_id: 'USDC', alias: 'BTC-USD' },
        { product_id: 'ETH-EUR', trading_disabled: true, status: 'online', alias_to: [] },
      ],
    });
    expect((await fetch(`${emulator.endpoints.rest}/products`)).status).toBe(404);
  });

  it('answers a subscription to an alias under the name of the other', async () => {
    await start();
    const { ask } = await connect();
    expect(await ask(subscribe('level2', 'BTC-USDC'))).toMatchObject({ events: [{ product_id: 'BTC-USD' }] });
  });

  it('begins trades with a snapshot of past ones, the newest first, and tells the maker’s side', async () => {
    await start();
    emulator.change('BTC-USD', 100);
    const told = emulator.trades('BTC-USD').toReversed();
    const { ask } = await connect();
    const { events } = await ask(subscribe('market_trades', 'BTC-USD'));
    expect(events).toMatchObject([
      {
        type: 'snapshot',
        trades: told.slice(0, 50).map(({ id, side, price, size }) => ({
          trade_id: String(id),
          side: side === 'buy' ? 'SELL' : 'BUY',
          price,
          size,
        })),
      },
    ]);
  });

  it.each<[name: string, request: unknown, message: RegExp]>([
    ['a product there is not', subscribe('level2', 'BTC-USD', 'NO-PE'), /NO-PE is not a valid product/],
    ['a channel there is not', subscribe('level3', 'BTC-USD'), /not supported/],
    ['no products', { type: 'subscribe', channel: 'level2' }, /no product/],
    ['another type', { type: 'dance' }, /type/],
    ['null', 'null', /type/],
    ['no JSON', '{', /parse/],
  ])('refuses %s', async (_name, request, message) => {
    await start();
    const { ask } = await connect();
    const answer = await ask(request);
    expect(answer).toEqual({ type: 'error', message: expect.stringMatching(message) as string });
  });

  it('refuses a client that asks too often', async () => {
    await start();
    const { socket, frames } = await connect();
    for (let i = 0; i < 10; i++) socket.send(JSON.stringify({ type: 'subscribe', channel: 'heartbeats' }));
    await vi.waitFor(() => expect(frames).toHaveLength(10), { interval: 1 });
    expect(frames.filter(({ message }) => message === 'rate limit exceeded')).toHaveLength(2);
  });

  it('closes a connection on which nothing happens, unless it has asked for heartbeats', async () => {
    await start();
    const [quiet, kept] = [await connect(), await connect()];
    await kept.ask({ type: 'subscribe', channel: 'heartbeats' });
    const closed = new Promise((resolve) => quiet.socket.once('close', resolve));
    clock.advanceTo(clock.now() + 100_000);
    await closed;
    expect(kept.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('sends statistics every five seconds in batches, or with each trade', async () => {
    await start();
    const { ask, next } = await connect();
    await ask(subscribe('ticker_batch', 'BTC-USD'));
    await next();
    clock.advanceTo(clock.now() + 5_000);
    expect(await next()).toMatchObject({
      channel: 'ticker_batch',
      events: [{ type: 'update', tickers: [{ product_id: 'BTC-USD', volume_24_h: '1000' }] }],
    });
    await ask(subscribe('ticker', 'BTC-USD'));
    await next();
    while (emulator.trades('BTC-USD').length === 0) emulator.change('BTC-USD');
    expect(await next()).toMatchObject({ channel: 'ticker' });
  });
});
