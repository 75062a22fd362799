import { readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { VirtualClock } from '../core/virtual-clock.ts';
import { FeedObserver, startLoopbackServer, respondJson } from '../kit/index.ts';
import { sleep } from '../kit/sleep.ts';
import { createCcxtFeed, type CcxtFeedOptions } from './ccxt.ts';
import {
  CCXT_VERSION,
  createExchange,
  loadLibrary,
  type CcxtLibrary,
  type CcxtOrderBook,
} from './library.ts';

const real = await loadLibrary();
const ID = 'ccxt-fake:BTC-USDT';

/** What the next call of a method of the library comes to. */
class Stream<News> {
  #waiting: { resolve(news: News): void; reject(error: unknown): void } | null = null;
  #next: (() => Promise<News>) | null = null;
  watch = (): Promise<News> => {
    const next = this.#next;
    this.#next = null;
    return next?.() ?? new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  };
  async send(news: News): Promise<void> {
    if (this.#waiting) this.#waiting.resolve(news);
    else this.#next = () => Promise.resolve(news);
    this.#waiting = null;
    await sleep(0);
  }
  async fail(error: unknown): Promise<void> {
    if (this.#waiting) this.#waiting.reject(error);
    else this.#next = () => Promise.reject(error as Error);
    this.#waiting = null;
    await sleep(0);
  }
}

/** A library with one venue, which says what it is told to say. */
class FakeVenue {
  readonly exchanges: { isClosed: boolean; books: Stream<CcxtOrderBook>; trades: Stream<object[]> }[] = [];
  readonly clock = new VirtualClock(1_000_000);
  readonly observer = new FeedObserver(this.clock);
  readonly library: CcxtLibrary;

  constructor() {
    const { exchanges } = this;
    const precision = { price: 0.01, amount: 0.001 };
    const market = { id: 'BTCUSDT', symbol: 'BTC/USDT', base: 'BTC', quote: 'USDT', type: 'spot', precision };
    class Fake {
      has = { watchOrderBook: true, watchTrades: true };
      precisionMode = 4;
      clients = {};
      state = { isClosed: false, books: new Stream<CcxtOrderBook>(), trades: new Stream<object[]>() };
      constructor() {
        exchanges.push(this.state);
      }
      client = () => ({});
      sleep = () => sleep(0);
      loadHttpProxyAgent = () => Promise.resolve();
      setMarketsFromExchange = () => this;
      loadMarkets = () => Promise.resolve({ 'BTC/USDT': market });
      watchOrderBook = () => this.state.books.watch();
      watchTrades = () => this.state.trades.watch();
      close = () => {
        this.state.isClosed = true;
        return Promise.resolve();
      };
    }
    this.library = { ...real, pro: { fake: Fake } } as unknown as CcxtLibrary;
  }

  async start(): Promise<this> {
    const feed = createCcxtFeed({
      exchange: 'fake',
      symbols: ['BTC/USDT'],
      random: () => 0,
      load: () => Promise.resolve({ default: this.library }),
    });
    onTestFinished(() => feed.stop());
    await feed.start(this.observer.context);
    await this.pass(0);
    return this;
  }

  /** Lets so many milliseconds of the feed's time go by. */
  async pass(ms: number): Promise<void> {
    this.clock.advanceTo(this.clock.now() + ms);
    await sleep(1);
  }

  /** The exchange that is in use; the first is for the metadata. */
  get line() {
    return this.exchanges.at(-1)!;
  }

  get market() {
    return this.observer.market(ID);
  }

  states() {
    return this.market.states.splice(0);
  }
}

const book = (bid: number, ask: number, nonce?: number): CcxtOrderBook => ({
  bids: [[bid, 1]],
  asks: [[ask, 2]],
  nonce,
});

describe('a book of the library', () => {
  test('is a snapshot first and deltas then', async () => {
    const venue = await new FakeVenue().start();
    await venue.line.books.send(book(100, 101));
    await venue.line.books.send({ bids: [[100, 3], [99.5, 1]], asks: [[101, 2]] }); // prettier-ignore
    await venue.line.books.send({ bids: [[99.5, 1]], asks: [[101, 2]] });
    expect(venue.observer.text(ID)).toEqual({ bids: [['99.5', '1']], asks: [['101', '2']] });
    expect(venue.market).toMatchObject({ snapshots: 1, deltas: 2 });
    expect(venue.states()).toEqual(['syncing', 'live']);
  });

  test('is never told live while it is crossed, and goes on when it is not any more', async () => {
    const venue = await new FakeVenue().start();
    await venue.line.books.send(book(100, 101));
    await venue.line.books.send(book(102, 101));
    expect(venue.market).toMatchObject({
      state: 'recovering',
      reason: 'the book is crossed: 102 bid, 101 asked',
    });
    expect(venue.observer.text(ID).bids).toEqual([['100', '1']]);
    await venue.line.books.send(book(100, 102));
    expect(venue.states()).toEqual(['syncing', 'live', 'recovering', 'live']);
    expect(venue.exchanges).toHaveLength(2);
  });

  test.each([
    ['crossed', book(102, 101)],
    ['empty', { bids: [], asks: [] }],
  ])('is taken anew where it stays %s', async (_, wrong) => {
    const venue = await new FakeVenue().start();
    await venue.line.books.send(book(100, 101));
    const { line } = venue;
    await line.books.send(wrong);
    await venue.pass(6_000);
    expect(line.isClosed).toBe(true);
    expect(venue.exchanges).toHaveLength(3);
    await venue.line.books.send(book(103, 104));
    expect(venue.observer.text(ID)).toEqual({ bids: [['103', '1']], asks: [['104', '2']] });
    expect(venue.market).toMatchObject({ state: 'live', snapshots: 2 });
  });

  test.each([
    ['NaN in it', book(NaN, 101), 'malformed_venue_frame'],
    ['an older number', book(100, 101, 6), 'went back from 7 to 6'],
  ])('is taken anew where it has %s', async (_, wrong, reason) => {
    const venue = await new FakeVenue().start();
    await venue.line.books.send(book(100, 101, 7));
    await venue.line.books.send(wrong);
    expect(venue.states()).toEqual(['syncing', 'live', 'recovering']);
    expect(venue.market.reason).toContain(reason);
    await venue.pass(1_000);
    await venue.line.books.send(book(100, 102, 8));
    expect(venue.market.state).toBe('live');
  });

  test('is taken anew after an error, later each time', async () => {
    const venue = await new FakeVenue().start();
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      await venue.line.books.fail(new real.InvalidNonce('fake BTC/USDT : a gap. You can do this or that'));
      expect(venue.market).toMatchObject({
        state: 'recovering',
        reason: 'InvalidNonce: fake BTC/USDT : a gap',
      });
      const count = venue.exchanges.length;
      const startMs = venue.clock.now();
      while (venue.exchanges.length === count) await venue.pass(50);
      waits.push(venue.clock.now() - startMs);
    }
    expect(waits).toEqual([100, 200, 400, 800]);
  });

  test('waits after a loss while it is older than what was published, and not for ever', async () => {
    const venue = await new FakeVenue().start();
    await venue.line.books.send(book(100, 101, 50));
    await venue.line.books.fail(new Error('lost'));
    await venue.pass(1_000);
    await venue.line.books.send(book(90, 91, 40));
    expect(venue.market.state).toBe('recovering');
    await venue.line.books.send(book(102, 103, 51));
    expect(venue.market.state).toBe('live');
    expect(venue.observer.text(ID).bids).toEqual([['102', '1']]);

    await venue.line.books.fail(new Error('the venue was restarted'));
    await venue.pass(1_000);
    await venue.line.books.send(book(104, 105, 1));
    expect(venue.market.state).toBe('recovering');
    await venue.pass(3_000);
    expect(venue.market.state).toBe('live');
    expect(venue.observer.text(ID).bids).toEqual([['104', '1']]);
  });

  test('is taken anew after two minutes without any', async () => {
    const venue = await new FakeVenue().start();
    await venue.line.books.send(book(100, 101));
    await venue.pass(119_000);
    expect(venue.market.state).toBe('live');
    await venue.pass(1_000);
    expect(venue.market).toMatchObject({ state: 'recovering', reason: 'no book for 120 s' });
  });

  test('gets a finer grid for numbers between its ticks or lots', async () => {
    const venue = await new FakeVenue().start();
    await venue.line.books.send(book(100, 101));
    await venue.line.books.send({ bids: [[100.005, 0.30004]], asks: [[101, 0.1 + 0.2]] });
    expect(venue.observer.text(ID)).toEqual({ bids: [['100.005', '0.30004']], asks: [['101', '0.3']] });
    expect(venue.market).toMatchObject({
      state: 'live',
      instrument: { tick: { units: 1, decimals: 3 }, lot: { units: 1, decimals: 5 } },
    });
  });
});

describe('trades of the library', () => {
  const trade = (id: string | undefined, price = 100, more: object = {}) => {
    return { id, price, amount: 0.5, side: 'sell', timestamp: 1_700_000_000_000, ...more };
  };

  test('come once each, with the taker’s side', async () => {
    const venue = await new FakeVenue().start();
    await venue.line.trades.send([trade('1'), trade('2')]);
    await venue.line.trades.send([trade('2'), trade('3', 101, { side: 'buy' })]);
    expect(venue.market.trades.map(({ id, price, side }) => [id, price, side])).toEqual([
      ['1', 10_000, 'sell'],
      ['2', 10_000, 'sell'],
      ['3', 10_100, 'buy'],
    ]);
  });

  test('are told by time, side, price and size where they have no id', async () => {
    const venue = await new FakeVenue().start();
    await venue.line.trades.send([trade(undefined)]);
    await venue.line.trades.send([trade(undefined), trade(undefined, 101)]);
    expect(venue.market.trades.map(({ price }) => price)).toEqual([10_000, 10_100]);
  });

  test('without a side, a price or a size are left out', async () => {
    const venue = await new FakeVenue().start();
    await venue.line.trades.send([trade('1', 100, { side: undefined }), trade('2', NaN), trade('3', 100, { amount: null })]); // prettier-ignore
    expect(venue.market.trades).toEqual([]);
  });

  test('between the ticks make the grid finer', async () => {
    const venue = await new FakeVenue().start();
    await venue.line.books.send(book(100, 101));
    await venue.line.trades.send([trade('1', 100.005)]);
    expect(venue.market).toMatchObject({ state: 'live', instrument: { tick: { units: 1, decimals: 3 } } });
    expect(venue.market.trades.map(({ price }) => price)).toEqual([100_005]);
    expect(venue.observer.text(ID).bids).toEqual([['100', '1']]);
  });

  test('that fail leave the book alone, and are asked for again', async () => {
    const venue = await new FakeVenue().start();
    await venue.line.books.send(book(100, 101));
    await venue.line.trades.fail(new real.NetworkError('gone'));
    await venue.pass(1_000);
    await venue.line.trades.send([trade('1')]);
    expect(venue.market.trades).toHaveLength(1);
    expect(venue.states()).toEqual(['syncing', 'live']);
    await venue.line.trades.fail(new real.NotSupported('no trades here'));
    await venue.pass(100_000);
    await venue.line.trades.send([trade('2')]);
    expect(venue.market.trades).toHaveLength(1);
  });
});

describe('a feed', () => {
  const start = (options: Partial<CcxtFeedOptions>) => {
    const feed = createCcxtFeed({ exchange: 'binance', symbols: ['BTC/USDT'], ...options });
    onTestFinished(() => feed.stop());
    return feed.start(new FeedObserver(new VirtualClock(0)).context);
  };

  test('names the package and the command where the library is not installed', async () => {
    const absent = Object.assign(new Error("Cannot find package 'ccxt' imported from ccxt.ts"), {
      code: 'ERR_MODULE_NOT_FOUND',
    });
    await expect(start({ load: () => Promise.reject(absent) })).rejects.toMatchObject({
      code: 'missing_package',
      message: expect.stringContaining(`npm install --no-save ccxt@${CCXT_VERSION}`) as string,
      retry: false,
    });
  });

  test('names the version that it was tested with', () => {
    const manifest = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as typeof import('../../package.json');
    expect(manifest.devDependencies.ccxt).toBe(CCXT_VERSION);
    expect(manifest.peerDependenciesMeta.ccxt.optional).toBe(true);
  });

  test.each(['nowhere', 'exchanges', 'Exchange', 'constructor', 'mudrex'])(
    'refuses %s, which has no books over WebSockets',
    async (exchange) => {
      await expect(start({ exchange })).rejects.toMatchObject({ code: 'unknown_venue' });
    },
  );

  test('refuses no symbols, and more than it can hold', () => {
    for (const symbols of [[], Array<string>(51).fill('BTC/USDT')])
      expect(() => createCcxtFeed({ exchange: 'kraken', symbols })).toThrow(
        expect.objectContaining({ code: 'invalid_config' }),
      );
  });

  test('tells a venue that is away from one that lists no such symbol', async () => {
    let isAway = true;
    const server = await startLoopbackServer({
      onRequest: (_, response) =>
        isAway ? respondJson(response, 503, 'busy') : respondJson(response, 200, { symbols: [] }),
      onSocket: () => {},
    });
    onTestFinished(() => server.close());
    const options = { fetchMarkets: { types: ['spot'] } };
    const urls = { api: { public: `${server.rest}/api/v3` } };
    await expect(start({ options, urls })).rejects.toMatchObject({ code: 'venue_http', retry: true });
    isAway = false;
    await expect(start({ options, urls })).rejects.toMatchObject({ code: 'unknown_symbol', retry: false });
  });

  test('closes its exchanges when it is stopped, and tells nothing more', async () => {
    const venue = await new FakeVenue().start();
    await venue.line.books.send(book(100, 101));
    const feed = createCcxtFeed({
      exchange: 'fake',
      symbols: ['BTC/USDT'],
      load: () => Promise.resolve({ default: venue.library }),
    });
    const observer = new FeedObserver(venue.clock);
    await feed.start(observer.context);
    await venue.pass(0);
    const { line } = venue;
    await line.books.send(book(100, 101));
    await feed.stop();
    expect(venue.exchanges.slice(-2).every(({ isClosed }) => isClosed)).toBe(true);
    await line.books.send(book(100, 102));
    await venue.pass(600_000);
    expect(observer.market(ID)).toMatchObject({ state: 'live', deltas: 0 });
    await feed.stop();
  });
});

test('a promise that the library leaves to nobody does not end the process', async () => {
  const seen: unknown[] = [];
  const listen = (reason: unknown) => seen.push(reason);
  process.on('unhandledRejection', listen);
  onTestFinished(() => void process.off('unhandledRejection', listen));
  const exchange = createExchange(real, 'binance', {}, new FeedObserver(new VirtualClock(0)).context.log);
  await exchange.loadHttpProxyAgent();
  const client = exchange.client('ws://127.0.0.1:9');
  void client.send('to a socket that was never opened');
  const rejected = client.future('nobody waits for it') as Promise<unknown> & { reject(error: Error): void };
  rejected.reject(new Error('of no interest'));
  await sleep(20);
  expect(seen).toEqual([]);
});
