import type { Clock } from '@depthwire/shared';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createVenueFeed, type VenueFeedOptions } from '../../core/venue-feed.ts';
import type { Feed } from '../../core/feed.ts';
import {
  canonicalBook,
  fastClock,
  FeedObserver,
  startBinanceEmulator,
  type BinanceEmulator,
} from '../../kit/index.ts';
import { binance } from './index.ts';

/** Retries and back-offs of seconds take a twentieth of them. */
const SPEED = 20;
const SYMBOLS = [
  { symbol: 'BTCUSDT', base: 'BTC', quote: 'USDT', tick: '0.01', lot: '0.00001', price: '60000' },
  { symbol: 'ETHUSDT', base: 'ETH', quote: 'USDT', tick: '0.01', lot: '0.0001', price: '2500' },
];

type Market = 'spot' | 'usdm';

/** A live feed on an emulated venue, watched: a live book must at any time be one the venue had. */
class Run {
  readonly wrong: string[] = [];
  readonly observer: FeedObserver;
  readonly feed: Feed;
  readonly #emulator: BinanceEmulator;
  /** Every state a book was in, and which it was, by symbol. */
  readonly #truths = new Map<string, Map<string, number>>();
  readonly #reached = new Map<string, number>();

  constructor(emulator: BinanceEmulator, market: Market, clock: Clock, options: Partial<VenueFeedOptions>) {
    this.#emulator = emulator;
    this.observer = new FeedObserver(clock, (event, market) => {
      if (event.type !== 'instrument' && event.type !== 'trade' && market.state === 'live')
        this.#check(market.instrument.symbol);
    });
    this.feed = createVenueFeed(binance, {
      market,
      symbols: SYMBOLS.map(({ symbol }) => symbol),
      endpoints: emulator.endpoints,
      httpSpacingMs: 0,
      random: () => 0,
      ...options,
    });
    for (const { symbol } of SYMBOLS) {
      this.#truths.set(symbol, new Map());
      this.#remember(symbol);
    }
  }

  /** Changes each book several times, and publishes each. */
  tick(times = 1): void {
    for (let i = 0; i < times; i++) {
      for (const { symbol } of SYMBOLS) {
        this.change(symbol, 4);
        this.#emulator.publish(symbol);
      }
    }
  }

  change(symbol: string, times: number): void {
    for (let i = 0; i < times; i++) {
      this.#emulator.change(symbol, 1);
      this.#remember(symbol);
    }
  }

  /** Ticks with time for frames to arrive in between. */
  async flow(ticks: number): Promise<void> {
    for (let i = 0; i < ticks; i++) {
      this.tick();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Waits until every book is live and is the venue's. */
  async settled(): Promise<void> {
    await vi.waitFor(
      () => {
        for (const { symbol } of SYMBOLS) {
          expect(this.observer.isLive(symbol)).toBe(true);
          expect(this.observer.text(symbol)).toEqual(this.#emulator.truth(symbol));
        }
      },
      { interval: 5, timeout: 10_000 },
    );
    expect(this.wrong).toEqual([]);
  }

  async state(symbol: string, state: string): Promise<void> {
    await vi.waitFor(() => expect(this.observer.market(symbol).state).toBe(state), {
      interval: 1,
      timeout: 10_000,
    });
  }

  /** States of a book since the last look. */
  states(symbol: string): string[] {
    return this.observer.market(symbol).states.splice(0);
  }

  #remember(symbol: string): void {
    const truths = this.#truths.get(symbol)!;
    truths.set(canonicalBook(this.#emulator.truth(symbol)), truths.size);
  }

  #check(symbol: string): void {
    const position = this.#truths.get(symbol)!.get(canonicalBook(this.observer.text(symbol)));
    if (position === undefined) this.wrong.push(`${symbol} is live, but never was like this`);
    else if (position < (this.#reached.get(symbol) ?? 0)) this.wrong.push(`${symbol} went back in time`);
    else this.#reached.set(symbol, position);
  }
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(market: Market, options: Partial<VenueFeedOptions> = {}) {
  const clock = fastClock(SPEED);
  const emulator = await startBinanceEmulator({ market, symbols: SYMBOLS, seed: 7, clock });
  cleanups.push(() => emulator.close());
  const run = new Run(emulator, market, clock, options);
  cleanups.push(() => run.feed.stop());
  return { emulator, run };
}

/** A feed whose books are all live. */
async function startLive(market: Market) {
  const { emulator, run } = await start(market);
  await run.feed.start(run.observer.context);
  await subscribed(emulator);
  await run.flow(5);
  await run.settled();
  for (const { symbol } of SYMBOLS) expect(run.states(symbol)).toEqual(['syncing', 'live']);
  return { emulator, run };
}

const subscribed = (emulator: BinanceEmulator) =>
  vi.waitFor(() => expect(emulator.subscriptions().size).toBe(3 * SYMBOLS.length), {
    interval: 2,
    timeout: 10_000,
  });
const snapshotsOf = (emulator: BinanceEmulator, symbol: string) =>
  emulator.requests.filter((path) => path.includes('/depth') && path.includes(symbol)).length;

describe.each<Market>(['spot', 'usdm'])(
  'live feed of Binance %s against the emulator',
  { timeout: 30_000 },
  (market) => {
    it('has the books and the trades of the venue', async () => {
      const { emulator, run } = await startLive(market);
      await run.flow(40);
      await run.settled();
      const { instrument, trades, states } = run.observer.market('BTCUSDT');
      expect(instrument).toMatchObject({
        id: market === 'spot' ? 'binance:BTC-USDT' : 'binance:BTC-USDT-PERP',
        tick: { units: 1, decimals: 2 },
        lot: { units: 1, decimals: 5 },
        origin: 'live',
      });
      expect(states).toEqual([]);
      expect(trades.length).toBeGreaterThan(10);
      expect(new Set(trades.map(({ id }) => id)).size).toBe(trades.length);
      expect(snapshotsOf(emulator, 'BTCUSDT') + snapshotsOf(emulator, 'ETHUSDT')).toBe(2);
    });

    it('finds a dropped diff, and takes that book alone anew', async () => {
      const { emulator, run } = await startLive(market);
      emulator.dropNext('BTCUSDT');
      run.tick();
      await run.flow(1);
      await run.state('BTCUSDT', 'live');
      await run.flow(10);
      await run.settled();
      expect(run.states('BTCUSDT')).toEqual(['recovering', 'live']);
      expect(run.states('ETHUSDT')).toEqual([]);
      expect(snapshotsOf(emulator, 'ETHUSDT')).toBe(1);
    });

    it('doubts the book that an unreadable frame names, and finds the gap it leaves', async () => {
      const { emulator, run } = await startLive(market);
      emulator.truncateNext('ETHUSDT');
      await run.flow(10);
      await run.settled();
      expect(run.states('ETHUSDT')).toEqual(['recovering', 'recovering', 'live']);
      expect(run.states('BTCUSDT')).toEqual([]);
    });

    it('is not disturbed by a diff that comes twice', async () => {
      const { emulator, run } = await startLive(market);
      emulator.duplicateNext('BTCUSDT', 3);
      await run.flow(10);
      await run.settled();
      expect(run.states('BTCUSDT')).toEqual([]);
    });

    it('reconnects after a cut, and takes every book anew', async () => {
      const { emulator, run } = await startLive(market);
      for (let i = 2; i <= 4; i++) {
        run.tick();
        emulator.disconnectAll();
        run.tick(); // on nobody's socket
        await run.state('BTCUSDT', 'recovering');
        await vi.waitFor(() => expect(emulator.connectionCount).toBe(i), { interval: 2, timeout: 10_000 });
        await subscribed(emulator);
        await run.flow(5);
        await run.settled();
        for (const { symbol } of SYMBOLS)
          expect(run.states(symbol)).toEqual(['recovering', 'syncing', 'live']);
      }
    });

    it('does not go live with a snapshot that lags behind the diffs', async () => {
      const { emulator, run } = await startLive(market);
      emulator.staleSnapshot('BTCUSDT', 2, 60);
      emulator.dropNext('BTCUSDT');
      await run.flow(3);
      await run.state('BTCUSDT', 'recovering');
      await run.flow(30);
      await run.settled();
      expect(run.states('BTCUSDT')).toEqual(['recovering', 'live']);
      expect(snapshotsOf(emulator, 'BTCUSDT')).toBe(4);
    });

    it.each([429, 418])('waits out a %i with Retry-After before it asks again', async (status) => {
      const { emulator, run } = await startLive(market);
      emulator.refuseSnapshots(status, 1, 5);
      emulator.dropNext('ETHUSDT');
      await run.flow(2);
      await run.state('ETHUSDT', 'live');
      await run.flow(5);
      await run.settled();
      expect(run.states('ETHUSDT')).toEqual(['recovering', 'live']);
      expect(run.states('BTCUSDT')).toEqual([]);
      expect(snapshotsOf(emulator, 'ETHUSDT')).toBe(3);
    });

    it('joins a snapshot that arrives long after it was taken', async () => {
      const { emulator, run } = await start(market);
      const release = emulator.holdSnapshots();
      await run.feed.start(run.observer.context);
      await subscribed(emulator);
      for (let i = 0; i < SYMBOLS.length; i++) {
        await vi.waitFor(() => expect(emulator.requests).toHaveLength(2), { interval: 2 });
        await run.flow(20);
        expect(run.observer.isLive('BTCUSDT')).toBe(false);
      }
      release();
      emulator.delaySnapshots(1_000);
      await run.flow(20);
      await run.settled();
      for (const { symbol } of SYMBOLS) expect(run.states(symbol)).toEqual(['syncing', 'live']);
    });

    it('joins a snapshot that was taken in the middle of a diff', async () => {
      const { emulator, run } = await start(market);
      await run.feed.start(run.observer.context);
      run.change('BTCUSDT', 3);
      run.change('ETHUSDT', 3);
      await vi.waitFor(() => expect(snapshotsOf(emulator, 'ETHUSDT')).toBe(1), { interval: 2 });
      run.change('BTCUSDT', 3);
      await run.flow(5);
      await run.settled();
      for (const { symbol } of SYMBOLS) expect(run.states(symbol)).toEqual(['syncing', 'live']);
    });

    it('is live on a market where nothing happens', async () => {
      const { run } = await start(market);
      await run.feed.start(run.observer.context);
      await run.settled();
      await run.flow(3);
      await run.settled();
      for (const { symbol } of SYMBOLS) expect(run.states(symbol)).toEqual(['syncing', 'live']);
    });

    it('takes a finer grid when the venue puts a level between its ticks', async () => {
      const { emulator, run } = await startLive(market);
      emulator.setLevel('BTCUSDT', 'bid', '1000.125', '0.00001');
      run.tick();
      await run.state('BTCUSDT', 'recovering');
      await run.flow(3);
      await vi.waitFor(() => expect(run.observer.text('BTCUSDT')).toEqual(emulator.truth('BTCUSDT')), {
        timeout: 10_000,
      });
      expect(run.observer.market('BTCUSDT').instrument.tick).toEqual({ units: 1, decimals: 3 });
      expect(run.states('ETHUSDT')).toEqual([]);
    });

    it('has the right books after trouble of every kind at once', async () => {
      const { emulator, run } = await startLive(market);
      for (let round = 0; round < 4; round++) {
        emulator.staleSnapshot('BTCUSDT', 1, 2);
        emulator.dropNext('BTCUSDT');
        emulator.duplicateNext('ETHUSDT');
        emulator.refuseSnapshots(503, 1);
        await run.flow(3);
        emulator.truncateNext('ETHUSDT');
        if (round % 2 === 1) emulator.disconnectAll();
        await run.flow(3);
      }
      await subscribed(emulator);
      await run.flow(3);
      await run.settled();
    });

    it('emits nothing once stopped', async () => {
      const { emulator, run } = await startLive(market);
      run.tick();
      await run.feed.stop();
      const before = run.observer.text('BTCUSDT');
      await run.flow(5);
      await vi.waitFor(() => expect(emulator.subscriptions().size).toBe(0));
      expect(run.states('BTCUSDT')).toEqual([]);
      expect(run.observer.text('BTCUSDT')).toEqual(before);
      await run.feed.stop();
    });
  },
);

describe('live feed of Binance, starting', () => {
  it.each([
    ['a symbol that the venue does not list', { symbols: ['NOPE-USDT'] }, 'unknown_symbol'],
    ['a venue that cannot be reached', { endpoints: { rest: 'http://127.0.0.1:9' } }, 'venue_http'],
    ['an address that answers something else', { market: 'usdm' }, 'venue_http'],
  ])('fails with %s', async (_name, options, code) => {
    const { run } = await start('spot', options);
    await expect(run.feed.start(run.observer.context)).rejects.toMatchObject({ code });
    expect(run.observer.markets.size).toBe(0);
  });

  it.each([
    ['no symbol', { symbols: [] }, 'invalid_config'],
    ['a market there is not', { market: 'moon' }, 'unknown_venue'],
  ])('refuses %s', (_name, options, code) => {
    expect(() => createVenueFeed(binance, { market: 'spot', symbols: ['BTCUSDT'], ...options })).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });

  it('comes to an end where it is stopped before the venue has answered', async () => {
    const { run } = await start('spot');
    const starting = run.feed.start(run.observer.context);
    await run.feed.stop();
    await starting;
    expect(run.observer.markets.size).toBe(0);
  });
});
