import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { startOkxEmulator, type OkxEmulator, type OkxMarket } from '../index.ts';

const START_MS = Date.parse('2026-11-20T12:00:00Z');
const SYMBOLS: Record<OkxMarket, [symbol: string, base: string, quote: string][]> = {
  spot: [
    ['BTC-USDT', 'BTC', 'USDT'],
    ['ETH-USDT', 'ETH', 'USDT'],
  ],
  swap: [['BTC-USD-SWAP', 'BTC', 'USD']],
  futures: [['BTC-USD-261225', 'BTC', 'USD']],
  option: [
    ['BTC-USD-261225-60000-C', 'BTC', 'USD'],
    ['ETH-USD-261225-2500-P', 'ETH', 'USD'],
  ],
};
const BOOKS = { channel: 'books', instId: 'BTC-USDT' };
const subscribe = (...args: object[]) => ({ op: 'subscribe', args });

interface BookFrame {
  readonly action: string;
  readonly data: readonly {
    readonly bids: string[][];
    readonly asks: string[][];
    readonly seqId: number;
    readonly prevSeqId: number;
    readonly checksum: number;
    readonly ts: string;
  }[];
}

let emulator: OkxEmulator;
let clock: VirtualClock;
const clients: WebSocket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await emulator.close();
});

async function start(market: OkxMarket = 'spot') {
  clock = new VirtualClock(START_MS);
  const symbols = SYMBOLS[market].map(([symbol, base, quote]) => ({ symbol, base, quote }));
  emulator = await startOkxEmulator({ market, symbols, clock });
}

async function connect(path = '/ws/v5/public') {
  const socket = new WebSocket(emulator.endpoints.ws + path);
  clients.push(socket);
  const frames: string[] = [];
  socket.on('message', (data) => frames.push(String(data)));
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const text = async () => {
    await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), { interval: 1 });
    return frames.shift()!;
  };
  return {
    frames,
    closed,
    text,
    next: async () => JSON.parse(await text()) as unknown,
    ask: (request: unknown) => socket.send(typeof request === 'string' ? request : JSON.stringify(request)),
  };
}

async function list(query: string) {
  const response = await fetch(`${emulator.endpoints.rest}/api/v5/public/instruments?${query}`);
  return (await response.json()) as { code: string; data: Record<string, string>[] };
}

/** A client that has the snapshot of BTC-USDT, and its seqId. */
async function follow() {
  const client = await connect();
  client.ask(subscribe(BOOKS));
  await client.next();
  const frame = (await client.next()) as BookFrame;
  return {
    ...client,
    seqId: frame.data[0]!.seqId,
    next: async () => ((await client.next()) as BookFrame).data[0]!,
  };
}

describe('OKX emulator: REST', () => {
  it('lists instruments by type, with their state', async () => {
    await start();
    emulator.halt('ETH-USDT');
    const { code, data } = await list('instType=SPOT');
    expect(code).toBe('0');
    expect(data).toMatchObject([
      {
        instType: 'SPOT',
        instId: 'BTC-USDT',
        baseCcy: 'BTC',
        quoteCcy: 'USDT',
        tickSz: '0.01',
        state: 'live',
      },
      { instId: 'ETH-USDT', state: 'suspend' },
    ]);
    emulator.delist('ETH-USDT');
    expect((await list('instType=SPOT')).data).toHaveLength(1);
    expect((await list('instType=SWAP')).data).toEqual([]);
    expect((await list('instType=STOCK')).code).toBe('51000');
  });

  it('lists options of one family, with strike, type and expiry', async () => {
    await start('option');
    expect((await list('instType=OPTION')).code).toBe('50014');
    expect((await list('instType=OPTION&instFamily=BTC-USD')).data).toMatchObject([
      {
        instId: 'BTC-USD-261225-60000-C',
        stk: '60000',
        optType: 'C',
        expTime: String(Date.UTC(2026, 11, 25, 8)),
      },
    ]);
  });
});

describe('OKX emulator: requests', () => {
  it('acknowledges each argument, and sends the book that it stands for', async () => {
    await start();
    const { ask, next } = await connect();
    ask(subscribe(BOOKS, { channel: 'trades', instId: 'BTC-USDT' }));
    expect(await next()).toMatchObject({
      event: 'subscribe',
      arg: BOOKS,
      connId: expect.any(String) as string,
    });
    expect(await next()).toMatchObject({
      arg: BOOKS,
      action: 'snapshot',
      data: [{ prevSeqId: -1, seqId: emulator.lastId('BTC-USDT'), checksum: 0 }],
    });
    expect(await next()).toMatchObject({ event: 'subscribe', arg: { channel: 'trades' } });
    ask({ op: 'unsubscribe', args: [BOOKS] });
    expect(await next()).toMatchObject({ event: 'unsubscribe', arg: BOOKS });
    expect(emulator.subscriptions()).toEqual(new Set(['trades:BTC-USDT']));
  });

  it('sends no second snapshot to who has subscribed already', async () => {
    await start();
    const { ask, next } = await follow();
    ask(subscribe(BOOKS));
    ask('ping');
    await expect(next()).rejects.toThrow(); // the acknowledgement has no data
    await expect(next()).rejects.toThrow(SyntaxError); // and then it is the pong
  });

  it.each([
    ['no JSON', 'hello', '60012'],
    ['null', 'null', '60012'],
    ['an operation there is not', { op: 'login', args: [] }, '60012'],
    ['arguments that are none', { op: 'subscribe', args: [1] }, '60012'],
    ['too long a request', subscribe({ ...BOOKS, x: 'y'.repeat(70_000) }), '60012'],
    ['an instrument there is not', subscribe({ ...BOOKS, instId: 'NO-PE' }), '60018'],
    ['a channel there is not', subscribe({ ...BOOKS, channel: 'books9' }), '60018'],
  ])('refuses %s', async (_name, request, code) => {
    await start();
    const { ask, next } = await connect();
    ask(request);
    expect(await next()).toMatchObject({ event: 'error', code });
  });

  it('counts requests by the hour', async () => {
    await start();
    const { ask, next, frames } = await connect();
    for (let i = 0; i < 481; i++) ask({ op: 'unsubscribe', args: [BOOKS] });
    await vi.waitFor(() => expect(frames).toHaveLength(481));
    frames.splice(0, 480);
    expect(await next()).toMatchObject({ event: 'error', code: '60014' });
  });

  it('answers the ping, and cuts off who is silent for 30 s', async () => {
    await start();
    const { ask, text, closed } = await connect();
    clock.advanceTo(START_MS + 25_000);
    ask('ping');
    expect(await text()).toBe('pong');
    clock.advanceTo(START_MS + 50_000);
    ask('ping');
    expect(await text()).toBe('pong');
    clock.advanceTo(START_MS + 90_000);
    expect(await closed).toBe(4004);
  });

  it('knows no other path', async () => {
    await start();
    const { closed } = await connect('/ws/v3');
    expect(await closed).toBe(1008);
  });
});

describe('OKX emulator: the sequence', () => {
  it('links each update to the one before, up to the truth', async () => {
    await start();
    const client = await connect();
    client.ask(subscribe(BOOKS));
    await client.next();
    const [first] = ((await client.next()) as BookFrame).data;
    const sides = { bids: new Map<string, string>(), asks: new Map<string, string>() };
    const apply = ({ bids, asks }: BookFrame['data'][number]) => {
      for (const [name, levels] of [
        ['bids', bids],
        ['asks', asks],
      ] as const)
        for (const [price, size] of levels)
          if (size === '0') sides[name].delete(price!);
          else sides[name].set(price!, size!);
    };
    apply(first!);
    let last = first!.seqId;
    for (let i = 0; i < 50; i++) {
      emulator.tick();
      const { action, data } = (await client.next()) as BookFrame;
      expect(action).toBe('update');
      expect(data[0]!.prevSeqId).toBe(last);
      expect(data[0]!.seqId).toBeGreaterThan(last);
      last = data[0]!.seqId;
      apply(data[0]!);
    }
    const { bids, asks } = emulator.truth('BTC-USDT');
    expect([...sides.bids].sort(([a], [b]) => Number(b) - Number(a))).toEqual(bids);
    expect([...sides.asks].sort(([a], [b]) => Number(a) - Number(b))).toEqual(asks);
  });

  it('says of a book that does not change that it is alive', async () => {
    await start();
    const { seqId, next, ask, text } = await follow();
    for (let i = 1; i <= 3; i++) {
      clock.advanceTo(START_MS + 20_000 * i);
      ask('ping');
      expect(await text()).toBe('pong');
    }
    clock.advanceTo(START_MS + 75_000);
    expect(await next()).toMatchObject({ bids: [], asks: [], seqId, prevSeqId: seqId });
  });

  it('begins anew after maintenance, joined to what was before', async () => {
    await start();
    const { seqId, next } = await follow();
    emulator.resetSequence('BTC-USDT');
    emulator.tick();
    const reset = await next();
    expect(reset.prevSeqId).toBe(seqId);
    expect(reset.seqId).toBeLessThan(seqId);
    emulator.tick();
    expect((await next()).prevSeqId).toBe(reset.seqId);
  });

  it('loses an update when told to', async () => {
    await start();
    const { seqId, next } = await follow();
    emulator.dropNext('BTC-USDT');
    emulator.tick();
    emulator.tick();
    expect((await next()).prevSeqId).toBeGreaterThan(seqId);
  });
});

describe('OKX emulator: other channels', () => {
  it('tells trades and statistics', async () => {
    await start();
    const { ask, next, frames } = await connect();
    ask(subscribe({ channel: 'trades', instId: 'BTC-USDT' }, { channel: 'tickers', instId: 'BTC-USDT' }));
    for (let i = 0; i < 2; i++) await next();
    expect(await next()).toMatchObject({
      arg: { channel: 'tickers', instId: 'BTC-USDT' },
      data: [{ instType: 'SPOT', open24h: '1000', vol24h: '1000' }],
    });
    while (emulator.trades('BTC-USDT').length === 0) emulator.tick();
    await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), { interval: 1 });
    const [{ id, side, price, size }] = emulator.trades('BTC-USDT') as [
      ReturnType<OkxEmulator['trades']>[number],
    ];
    expect(await next()).toMatchObject({
      arg: { channel: 'trades' },
      data: [{ tradeId: String(id), side, px: price, sz: size, ts: String(START_MS) }],
    });
  });

  it('announces the end of a connection, and ends it', async () => {
    await start();
    const { next, closed } = await connect();
    emulator.announceEnd();
    expect(await next()).toMatchObject({ event: 'notice', code: '64008' });
    clock.advanceTo(START_MS + 30_000);
    expect(await closed).toBe(4002);
  });
});
