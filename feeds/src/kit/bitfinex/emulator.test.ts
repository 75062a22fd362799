import { crc32 } from '@depthwire/shared';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { startBitfinexEmulator, type BitfinexEmulator } from '../index.ts';

const START_MS = Date.parse('2026-11-20T12:00:00Z');
const BTC = 'tBTCUSD';

let emulator: BitfinexEmulator;
let clock: VirtualClock;
const clients: WebSocket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await emulator.close();
});

async function start() {
  clock = new VirtualClock(START_MS);
  emulator = await startBitfinexEmulator({
    symbols: [
      { symbol: BTC, base: 'BTC', quote: 'USD', tick: '1', price: '60000' },
      { symbol: 'tDOGE:USD', base: 'DOGE', quote: 'USD', tick: '0.00001', price: '0.15' },
    ],
    clock,
  });
}

type Level = [price: number, count: number, amount: number];
type Message = Record<string, unknown> & unknown[];

async function connect() {
  const socket = new WebSocket(`${emulator.endpoints.ws}/ws/2`);
  clients.push(socket);
  const frames: Message[] = [];
  let closeCode: number | null = null;
  socket.on('message', (data) => frames.push(JSON.parse(String(data)) as Message));
  socket.on('close', (code) => (closeCode = code));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const client = {
    frames,
    closeCode: () => closeCode,
    async next(): Promise<Message> {
      await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), { interval: 1 });
      return frames.shift()!;
    },
    ask(request: object | string) {
      socket.send(typeof request === 'string' ? request : JSON.stringify(request));
      return client.next();
    },
    async subscribe(channel: string, symbol = BTC, more: object = {}) {
      const { chanId } = await client.ask({ event: 'subscribe', channel, symbol, ...more });
      return [chanId as number, await client.next()] as const;
    },
  };
  expect(await client.next()).toMatchObject({ event: 'info', version: 2, platform: { status: 1 } });
  return client;
}

async function get(path: string) {
  const response = await fetch(emulator.endpoints.rest + path);
  return { status: response.status, body: (await response.json()) as unknown };
}

/** As the venue's documents describe it, of levels kept in maps. */
function checksum(levels: Map<number, number>): number {
  const bids = [...levels].filter(([, amount]) => amount > 0).sort(([a], [b]) => b - a);
  const asks = [...levels].filter(([, amount]) => amount < 0).sort(([a], [b]) => a - b);
  const parts: number[] = [];
  for (let i = 0; i < 25; i++) parts.push(...(bids[i] ?? []), ...(asks[i] ?? []));
  return crc32(new TextEncoder().encode(parts.join(':'))) | 0;
}

describe('Bitfinex emulator: channels', () => {
  it('numbers frames over all channels, and tells the time, where asked to', async () => {
    await start();
    const client = await connect();
    expect(await client.ask({ event: 'conf', flags: 65_536 + 32_768 })).toEqual({
      event: 'conf',
      status: 'OK',
      flags: 98_304,
    });
    const [book, snapshot] = await client.subscribe('book', BTC, { prec: 'P0', freq: 'F0', len: '100' });
    const [trades, past] = await client.subscribe('trades');
    expect(trades).not.toBe(book);
    expect(snapshot).toEqual([book, expect.any(Array), 1, START_MS]);
    expect(past).toEqual([trades, [], 2, START_MS]);
    clock.advanceTo(START_MS + 16_000);
    expect([await client.next(), await client.next()]).toEqual([
      [book, 'hb', 3, START_MS + 15_000],
      [trades, 'hb', 4, START_MS + 15_000],
    ]);
  });

  it('adds nothing where not asked to, and numbers each connection apart', async () => {
    await start();
    const [one, other] = [await connect(), await connect()];
    expect((await one.subscribe('book'))[1]).toHaveLength(2);
    await other.ask({ event: 'conf', flags: 65_536 });
    expect((await other.subscribe('book'))[1]).toMatchObject({ 2: 1 });
    expect((await other.subscribe('ticker'))[1]).toMatchObject({ 2: 2 });
  });

  it('leads from snapshot and changes to the truth, each batch under its checksum', async () => {
    await start();
    const client = await connect();
    await client.ask({ event: 'conf', flags: 131_072 });
    const [, snapshot] = await client.subscribe('book');
    const levels = new Map((snapshot[1] as Level[]).map(([price, , amount]) => [price, amount]));
    for (let batch = 0; batch < 30; batch++) {
      emulator.change(BTC, 3);
      emulator.publish(BTC);
      for (;;) {
        const [, content, value] = await client.next();
        if (content === 'cs') {
          expect(value).toBe(checksum(levels));
          break;
        }
        const [price, count, amount] = content as Level;
        if (count > 0) levels.set(price, amount);
        else if (Math.sign(levels.get(price) ?? amount) === amount) levels.delete(price);
      }
    }
    const { bids, asks } = emulator.truth(BTC);
    const truth = [
      ...bids.map(([price, size]) => [Number(price), Number(size)] as const),
      ...asks.map(([price, size]) => [Number(price), -Number(size)] as const),
    ];
    expect(levels).toEqual(new Map(truth));
  });

  it('damages the book or the checksum when told to', async () => {
    await start();
    const client = await connect();
    await client.ask({ event: 'conf', flags: 131_072 });
    const [, snapshot] = await client.subscribe('book');
    const levels = new Map((snapshot[1] as Level[]).map(([price, , amount]) => [price, amount]));
    emulator.setLevel(BTC, 'bid', '59000', '2');
    emulator.breakChecksumNext(BTC);
    emulator.publish(BTC);
    levels.set(59_000, 2);
    expect((await client.next())[1]).toEqual([59_000, 1, 2]);
    expect((await client.next())[2]).not.toBe(checksum(levels));
    emulator.setLevel(BTC, 'bid', '59000', '3');
    emulator.corruptSizeNext(BTC);
    emulator.publish(BTC);
    levels.set(59_000, 3);
    expect((await client.next())[1]).toEqual([59_000, 1, 13]);
    expect((await client.next())[2]).toBe(checksum(levels));
  });

  it('tells each trade twice, and those from before with the subscription', async () => {
    await start();
    while (emulator.trades(BTC).length < 2) emulator.change(BTC);
    const client = await connect();
    const [chanId, past] = await client.subscribe('trades');
    expect((past[1] as number[][]).map(([id]) => id)).toEqual([1001, 1000]);
    while (emulator.trades(BTC).length < 3) emulator.change(BTC);
    const { id, side, price, size } = emulator.trades(BTC)[2]!;
    const trade = [id, START_MS, Number(size) * (side === 'buy' ? 1 : -1), Number(price)];
    expect(await client.next()).toEqual([chanId, 'te', trade]);
    expect(await client.next()).toEqual([chanId, 'tu', trade]);
  });

  it('ends a channel, after which it can be opened anew', async () => {
    await start();
    const client = await connect();
    const [chanId] = await client.subscribe('book');
    expect(await client.ask({ event: 'subscribe', channel: 'book', symbol: BTC })).toMatchObject({
      event: 'error',
      code: 10_301,
    });
    expect(await client.ask({ event: 'unsubscribe', chanId })).toEqual({
      event: 'unsubscribed',
      status: 'OK',
      chanId,
    });
    expect(emulator.isSubscribed(BTC)).toBe(false);
    expect((await client.subscribe('book'))[0]).not.toBe(chanId);
  });

  it.each([
    ['no JSON', 'hello', 10_000],
    ['no event', {}, 10_000],
    ['flags there are not', { event: 'conf', flags: 3 }, 10_001],
    ['a symbol there is not', { event: 'subscribe', channel: 'book', symbol: 'tNOPE' }, 10_300],
    ['a channel there is not', { event: 'subscribe', channel: 'level3', symbol: BTC }, 10_302],
    ['a precision there is not', { event: 'subscribe', channel: 'book', symbol: BTC, prec: 'P9' }, 10_011],
    ['a length there is not', { event: 'subscribe', channel: 'book', symbol: BTC, len: '50' }, 10_012],
    ['a channel that is not open', { event: 'unsubscribe', chanId: 5 }, 10_400],
  ])('answers %s with the error of the venue', async (_name, request, code) => {
    await start();
    const client = await connect();
    expect(await client.ask(request)).toMatchObject({ code });
  });

  it('allows 25 channels on a connection, and answers a ping', async () => {
    clock = new VirtualClock(START_MS);
    const symbols = Array.from({ length: 26 }, (_, i) => ({
      symbol: `tC${i}:USD`,
      base: `C${i}`,
      quote: 'USD',
    }));
    emulator = await startBitfinexEmulator({ symbols, clock });
    const client = await connect();
    for (let i = 0; i < 25; i++) await client.subscribe('ticker', `tC${i}:USD`);
    expect(await client.ask({ event: 'subscribe', channel: 'ticker', symbol: 'tC25:USD' })).toMatchObject({
      code: 10_305,
    });
    expect(await client.ask({ event: 'ping', cid: 5 })).toEqual({ event: 'pong', ts: START_MS, cid: 5 });
  });
});

describe('Bitfinex emulator: notices', () => {
  it('announces a restart, and ends the connections some time later', async () => {
    await start();
    const client = await connect();
    emulator.announceEnd();
    expect(await client.next()).toMatchObject({ event: 'info', code: 20_051 });
    clock.advanceTo(START_MS + 20_000);
    await vi.waitFor(() => expect(client.closeCode()).toBe(1001));
  });

  it('halts as a whole', async () => {
    await start();
    const client = await connect();
    emulator.halt(BTC);
    expect(await client.next()).toMatchObject({ code: 20_060 });
    emulator.halt('tDOGE:USD');
    expect((await get('/v2/platform/status')).body).toEqual([0]);
    emulator.resume(BTC);
    emulator.resume('tDOGE:USD');
    expect(await client.next()).toMatchObject({ code: 20_061 });
    expect((await get('/v2/platform/status')).body).toEqual([1]);
  });
});

describe('Bitfinex emulator: REST', () => {
  it('answers each key of a conf request', async () => {
    await start();
    emulator.delist(BTC);
    const { body } = await get(
      '/v2/conf/pub:list:pair:exchange,pub:list:currency,pub:map:currency:sym,pub:info:pair,x',
    );
    expect(body).toMatchObject([
      ['DOGE:USD'],
      ['DOGE', 'USD'],
      [['UST', 'USDt']],
      [['DOGE:USD', { 4: '2000.0' }]],
      [],
    ]);
  });

  it('tells prices, the low in the digits of the tick', async () => {
    await start();
    expect((await get(`/v2/tickers?symbols=${BTC}`)).body).toMatchObject([{ 0: BTC, 7: 59_999, 10: 10_000 }]);
    emulator.changeTick(BTC, '0.1');
    expect((await get('/v2/tickers?symbols=ALL')).body).toMatchObject([
      { 10: 1000 },
      { 0: 'tDOGE:USD', 10: 0.1 },
    ]);
    expect((await get('/v2/nope')).status).toBe(404);
  });
});
