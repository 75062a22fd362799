import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { startDeribitEmulator, type DeribitEmulator } from '../index.ts';

const START_MS = Date.parse('2026-11-20T12:00:00Z');

let emulator: DeribitEmulator;
let clock: VirtualClock;
const clients: WebSocket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await emulator.close();
});

async function start() {
  clock = new VirtualClock(START_MS);
  emulator = await startDeribitEmulator({
    symbols: [
      {
        symbol: 'BTC-PERPETUAL',
        kind: 'future',
        base: 'BTC',
        quote: 'USD',
        tick: '0.5',
        lot: '10',
        price: '60000',
      },
      {
        symbol: 'SOL_USDC-27SEP24-150-P',
        kind: 'option',
        base: 'SOL',
        quote: 'USDC',
        right: 'put',
        strike: 150,
      },
      { symbol: 'BTC_USDC', kind: 'spot', base: 'BTC', quote: 'USDC' },
    ],
    clock,
  });
}

interface Frame {
  readonly id?: unknown;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { code: number; message: string };
  readonly params?: { channel?: string; type?: string; data?: Record<string, unknown> };
}

async function connect() {
  const socket = new WebSocket(`${emulator.endpoints.ws}/ws/api/v2`);
  clients.push(socket);
  const frames: Frame[] = [];
  let closeCode: number | null = null;
  socket.on('message', (data) => frames.push(JSON.parse(String(data)) as Frame));
  socket.on('close', (code) => (closeCode = code));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  let id = 0;
  const client = {
    frames,
    closeCode: () => closeCode,
    async next(): Promise<Frame> {
      await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), { interval: 1 });
      return frames.shift()!;
    },
    send: (request: object | string) =>
      socket.send(typeof request === 'string' ? request : JSON.stringify(request)),
    ask(method: string, params: object = {}) {
      client.send({ jsonrpc: '2.0', id: (id += 1), method, params });
      return client.next();
    },
  };
  return client;
}

async function get(query: string) {
  const response = await fetch(`${emulator.endpoints.rest}/api/v2/public/get_instruments?${query}`);
  return { status: response.status, body: (await response.json()) as Frame };
}

describe('Deribit emulator', () => {
  it('sends the whole book first, then changes that name the change before', async () => {
    await start();
    const client = await connect();
    const channel = 'book.BTC-PERPETUAL.100ms';
    expect(await client.ask('public/subscribe', { channels: [channel, 'book.NOPE.100ms'] })).toMatchObject({
      id: 1,
      result: [channel],
    });
    const first = await client.next();
    expect(first).toMatchObject({ method: 'subscription', params: { channel, data: { type: 'snapshot' } } });
    const book = { bids: new Map<number, number>(), asks: new Map<number, number>() };
    let last: unknown = null;
    const apply = (data: Record<string, unknown>) => {
      for (const side of ['bids', 'asks'] as const) {
        for (const [action, price, amount] of data[side] as [string, number, number][]) {
          expect(action === 'new').toBe(!book[side].has(price));
          if (action === 'delete') {
            expect(amount).toBe(0);
            book[side].delete(price);
          } else book[side].set(price, amount);
        }
      }
      last = data.change_id;
    };
    expect(first.params!.data).not.toHaveProperty('prev_change_id');
    apply(first.params!.data!);
    for (let i = 0; i < 40; i++) {
      emulator.change('BTC-PERPETUAL'); // one at a time: a level that comes and goes at once is no change
      emulator.publish('BTC-PERPETUAL');
      const { data } = (await client.next()).params!;
      expect(data).toMatchObject({ type: 'change', prev_change_id: last });
      expect(data!.change_id).toBeGreaterThan(last as number);
      for (const side of ['bids', 'asks'] as const)
        for (const level of data![side] as [string, number, number][])
          if (level[0] === 'delete' && !book[side].has(level[1])) book[side].set(level[1], 0);
      apply(data!);
    }
    const truth = emulator.truth('BTC-PERPETUAL');
    for (const side of ['bids', 'asks'] as const)
      expect(new Map(truth[side].map(([price, amount]) => [Number(price), Number(amount)]))).toEqual(
        book[side],
      );
  });

  it('tells trades with the side of the taker, and 24 h figures', async () => {
    await start();
    const client = await connect();
    const channels = ['trades.BTC-PERPETUAL.100ms', 'ticker.BTC-PERPETUAL.agg2'];
    await client.ask('public/subscribe', { channels });
    while (emulator.trades('BTC-PERPETUAL').length === 0) emulator.change('BTC-PERPETUAL');
    const [trade] = emulator.trades('BTC-PERPETUAL');
    expect(await client.next()).toMatchObject({
      params: {
        channel: channels[0],
        data: [
          {
            trade_id: String(trade!.id),
            direction: trade!.side,
            price: Number(trade!.price),
            amount: Number(trade!.size),
          },
        ],
      },
    });
    clock.advanceTo(START_MS + 1_000);
    expect(await client.next()).toMatchObject({ params: { channel: channels[1], data: { state: 'open' } } });
    await client.ask('public/unsubscribe', { channels });
    clock.advanceTo(START_MS + 3_000);
    expect(await client.ask('public/test')).toMatchObject({
      result: { version: expect.any(String) as string },
    });
  });

  it('sends heartbeats once asked to, and ends a connection that does not answer', async () => {
    await start();
    const [answers, mute] = [await connect(), await connect()];
    for (const client of [answers, mute])
      expect(await client.ask('public/set_heartbeat', { interval: 10 })).toMatchObject({ result: 'ok' });
    clock.advanceTo(START_MS + 10_000);
    for (const client of [answers, mute]) {
      expect(await client.next()).toMatchObject({ method: 'heartbeat', params: { type: 'heartbeat' } });
      expect(await client.next()).toMatchObject({ method: 'heartbeat', params: { type: 'test_request' } });
    }
    await answers.ask('public/test');
    clock.advanceTo(START_MS + 20_000);
    await vi.waitFor(() => expect(mute.closeCode()).toBe(1000));
    expect(answers.closeCode()).toBeNull();
    expect(emulator.heartbeats).toEqual({ sent: 3, answered: 1, cutOff: 1 });
  });

  it.each([
    ['no JSON', 'hello', -32700],
    ['no version', { id: 1, method: 'public/test' }, -32600],
    ['no request', [], -32600],
    ['params that are none', { jsonrpc: '2.0', id: 1, method: 'public/test', params: [1] }, -32602],
    ['a method there is not', { jsonrpc: '2.0', id: 1, method: 'public/nope' }, -32601],
    ['no channels', { jsonrpc: '2.0', id: 1, method: 'public/subscribe', params: {} }, -32602],
    [
      'an interval too short',
      { jsonrpc: '2.0', id: 1, method: 'public/set_heartbeat', params: { interval: 5 } },
      -32602,
    ],
    [
      'a raw channel without a login',
      { jsonrpc: '2.0', id: 1, method: 'public/subscribe', params: { channels: ['book.BTC-PERPETUAL.raw'] } },
      13778,
    ],
  ])('answers %s with the error of the venue', async (_name, request, code) => {
    await start();
    const client = await connect();
    client.send(request);
    expect(await client.next()).toMatchObject({ jsonrpc: '2.0', error: { code } });
  });

  it('refuses more than ten requests at once', async () => {
    await start();
    const client = await connect();
    const ask = () => client.ask('public/unsubscribe', { channels: [] });
    for (let i = 0; i < 10; i++) expect(await ask()).toMatchObject({ result: [] });
    expect(await ask()).toMatchObject({ error: { code: 10028, message: 'too_many_requests' } });
    clock.advanceTo(START_MS + 300);
    expect(await ask()).toMatchObject({ result: [] });
    expect(await ask()).toMatchObject({ error: { code: 10028 } });
  });

  it('lists instruments by kind and settlement currency', async () => {
    await start();
    emulator.halt('BTC_USDC');
    const names = async (query: string) =>
      ((await get(query)).body.result as { instrument_name: string }[]).map(
        ({ instrument_name }) => instrument_name,
      );
    expect(await names('currency=any')).toHaveLength(3);
    expect(await names('currency=BTC&kind=future')).toEqual(['BTC-PERPETUAL']);
    expect(await names('currency=USDC')).toEqual(['SOL_USDC-27SEP24-150-P']);
    expect((await get('currency=any&kind=option&expired=false')).body.result).toMatchObject([
      { option_type: 'put', strike: 150, quote_currency: 'USDC', counter_currency: 'USDC', tick_size: 0.01 },
    ]);
    expect((await get('currency=any&kind=spot')).body.result).toMatchObject([{ state: 'locked' }]);
    emulator.delist('BTC_USDC');
    expect(await names('currency=any&kind=spot')).toEqual([]);
  });

  it.each(['', 'currency=XYZ', 'currency=any&kind=x', 'currency=any&expired=maybe'])(
    'refuses the query %s',
    async (query) => {
      await start();
      expect(await get(query)).toMatchObject({ status: 400, body: { error: { code: -32602 } } });
    },
  );
});
