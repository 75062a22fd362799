import { bookChecksum, isInstrumentId, OrderBook } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { simulatorInstruments } from './index.ts';
import { Market } from './market.ts';
import { PricePath } from './price-path.ts';
import { marketProfiles } from './profiles.ts';
import { Random } from './random.ts';
import { START_MS, startSession } from './test-harness.ts';

const profileOf = (id: string) => marketProfiles.find(({ instrument }) => instrument.id === id)!;

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function correlation(xs: number[], ys: number[]): number {
  let [xy, xx, yy] = [0, 0, 0];
  xs.forEach((x, i) => {
    xy += x * ys[i]!;
    xx += x * x;
    yy += ys[i]! ** 2;
  });
  return xy / Math.sqrt(xx * yy);
}

describe('the simulated instruments', () => {
  it('are many, of every class, and say that they are simulated', () => {
    expect(simulatorInstruments.length).toBeGreaterThanOrEqual(24);
    const kinds = new Set(simulatorInstruments.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['equity', 'future', 'fx', 'perpetual', 'spot']);
    for (const { id, venue, origin } of simulatorInstruments) {
      expect(isInstrumentId(id)).toBe(true);
      expect([venue, origin]).toEqual(['sim', 'simulated']);
    }
    expect(new Set(simulatorInstruments.map(({ id }) => id)).size).toBe(simulatorInstruments.length);
  });

  it('have tick sizes of their own, down to 1e-8 and as fractions', () => {
    const tick = (id: string) => profileOf(id).instrument.tick;
    expect(tick('sim:SHIB-USD')).toEqual({ units: 1, decimals: 8 });
    expect(tick('sim:ES-USD')).toEqual({ units: 25, decimals: 2 });
    expect(tick('sim:ZN-USD')).toEqual({ units: 15625, decimals: 6 });
    expect(tick('sim:EUR-USD')).toEqual({ units: 1, decimals: 5 });
  });

  it('share no more than the whole of their variance with the factors', () => {
    for (const { loadings } of marketProfiles) {
      expect(loadings.reduce((sum, [, loading]) => sum + loading ** 2, 0)).toBeLessThanOrEqual(1);
    }
  });
});

describe('simulated books', () => {
  it('equal what a reader makes of the deltas', () => {
    const profile = profileOf('sim:BTC-USD');
    const replica = new OrderBook();
    const random = new Random(1, 2, 3);
    const market = new Market(profile, new PricePath(1, profile, 1), random, 1, START_MS, {
      onDelta: (bids, asks) => replica.applyDelta(bids, asks),
      onTrade: () => {},
    });
    replica.loadSnapshot(market.book.bids.toFlat(), market.book.asks.toFlat());
    for (let timeMs = START_MS; timeMs < START_MS + 60_000; timeMs = market.nextStepMs()) {
      market.step(timeMs);
      expect(bookChecksum(replica)).toBe(bookChecksum(market.book));
    }
    expect(replica.bids.toFlat()).toEqual(market.book.bids.toFlat());
    expect(replica.asks.toFlat()).toEqual(market.book.asks.toFlat());
  });

  it('are at every event uncrossed, deep enough, and made of positive whole levels', async () => {
    const wrong: string[] = [];
    const session = await startSession({ seed: 3 }, (event, { markets }) => {
      // The market as it stood after the event before this one.
      if (event.type === 'instrument' || event.type === 'book-snapshot') return;
      const { book } = markets.get(event.instrument)!;
      if (book.isCrossed) wrong.push(`${event.instrument} crossed`);
      if (Math.min(book.bids.count, book.asks.count) < 5) wrong.push(`${event.instrument} empty`);
      if (event.type !== 'book-delta') return;
      for (const levels of [event.bids, event.asks]) {
        for (let i = 0; i < levels.length; i += 2) {
          if (!(levels[i]! > 0 && Number.isSafeInteger(levels[i])))
            wrong.push(`${event.instrument} at ${levels[i]}`);
          if (!(levels[i + 1]! >= 0 && Number.isSafeInteger(levels[i + 1])))
            wrong.push(`${event.instrument} size`);
        }
        const prices = Array.from({ length: levels.length / 2 }, (_, i) => levels[2 * i]);
        if (new Set(prices).size !== prices.length) wrong.push(`${event.instrument} names a price twice`);
      }
    });
    session.advanceS(90);
    expect(wrong).toEqual([]);
  });

  it('stay sound over hours, with all levels within reach', async () => {
    const session = await startSession({
      seed: 11,
      instruments: ['sim:SHIB-USD', 'sim:BRK.A-USD', 'sim:LINK-USD'],
    });
    for (let hour = 0; hour < 6; hour++) {
      session.advanceS(3600);
      for (const { book, instrument } of session.markets.values()) {
        const { levels } = profileOf(instrument.id);
        expect(book.isCrossed).toBe(false);
        for (const side of [book.bids, book.asks]) {
          expect(side.count).toBeGreaterThan(levels * 0.4);
          expect(side.count).toBeLessThan(levels * 1.3);
        }
      }
    }
  });

  it('trade at resting levels and lose exactly what traded', async () => {
    let trades = 0;
    const wrong: string[] = [];
    let expected = new Map<string, number>();
    const session = await startSession(
      { instruments: ['sim:BTC-USD-PERP', 'sim:ES-USD', 'sim:NVDA-USD'] },
      (event, { market }) => {
        if (event.type === 'trade') {
          trades += 1;
          const { book } = market(event.instrument);
          const key = `${event.instrument} ${event.side === 'buy' ? 'ask' : 'bid'} ${event.price}`;
          const resting = (event.side === 'buy' ? book.asks : book.bids).lotsAtPrice(event.price);
          const left = (expected.get(key) ?? resting) - event.size;
          if (left < 0) wrong.push(`${key}: ${event.size} of ${resting}`);
          expected.set(key, left);
        } else if (event.type === 'book-delta' && expected.size > 0) {
          const got = new Map<string, number>();
          for (let i = 0; i < event.bids.length; i += 2)
            got.set(`${event.instrument} bid ${event.bids[i]}`, event.bids[i + 1]!);
          for (let i = 0; i < event.asks.length; i += 2)
            got.set(`${event.instrument} ask ${event.asks[i]}`, event.asks[i + 1]!);
          if (JSON.stringify([...got]) !== JSON.stringify([...expected]))
            wrong.push(`${event.instrument}: delta is not the trades`);
          expected = new Map();
        }
      },
    );
    session.advanceS(60);
    expect(trades).toBeGreaterThan(500);
    expect(wrong).toEqual([]);
  });

  it('keep their typical spread, in ticks', async () => {
    const spreads = new Map<string, number[]>();
    const session = await startSession();
    for (let second = 0; second < 240; second++) {
      session.advanceS(1);
      for (const [id, { book }] of session.markets) {
        const seen = spreads.get(id) ?? [];
        seen.push(book.bestAsk! - book.bestBid!);
        spreads.set(id, seen);
      }
    }
    for (const [id, seen] of spreads) {
      const { spreadTicks } = profileOf(id);
      expect(median(seen), id).toBeGreaterThanOrEqual(Math.max(1, Math.floor(spreadTicks * 0.4)));
      expect(median(seen), id).toBeLessThanOrEqual(Math.ceil(spreadTicks * 3));
    }
    expect(median(spreads.get('sim:ES-USD')!)).toBe(1);
    expect(median(spreads.get('sim:ZN-USD')!)).toBe(1);
  });

  it('hold more size behind the touch than at it, and most at round prices', async () => {
    const session = await startSession({ instruments: ['sim:AAPL-USD'] });
    const { roundTicks } = profileOf('sim:AAPL-USD');
    let [touch, behind] = [0, 0];
    const walls: number[] = [];
    const others: number[] = [];
    for (let second = 0; second < 120; second++) {
      session.advanceS(1);
      const { bids, asks } = session.market('sim:AAPL-USD').book;
      touch += bids.lotsAt(0) + asks.lotsAt(0);
      behind += bids.lotsAt(8) + asks.lotsAt(8);
      for (const side of [bids, asks]) {
        for (let rank = 5; rank < side.count; rank++) {
          (side.ticksAt(rank) % roundTicks === 0 ? walls : others).push(side.lotsAt(rank));
        }
      }
    }
    expect(behind).toBeGreaterThan(touch);
    expect(median(walls)).toBeGreaterThan(3 * median(others));
  });

  it('range from an update in seconds to thousands a second', async () => {
    const [quiet, firehose] = ['sim:BRK.A-USD', 'sim:BTC-USD-PERP'];
    const session = await startSession({ instruments: [quiet, firehose] });
    session.advanceS(900);
    expect(session.market(quiet).updates / 900).toBeLessThan(3);
    const rates = [...session.market(firehose).updatesBySecond.values()].sort((a, b) => b - a);
    expect(median(rates)).toBeGreaterThan(300);
    expect(rates[10]).toBeGreaterThan(4500);
    expect(rates[0]).toBeLessThan(6000);
  });

  it('move together where their markets do', async () => {
    const ids = ['sim:BTC-USD', 'sim:ETH-USD', 'sim:ES-USD', 'sim:NQ-USD', 'sim:EUR-USD', 'sim:USD-JPY'];
    const session = await startSession({ instruments: ids, rate: 0.3 });
    const mids = new Map(ids.map((id) => [id, [] as number[]]));
    for (let step = 0; step <= 180; step++) {
      for (const id of ids) {
        const { book } = session.market(id);
        mids.get(id)!.push(Math.log((book.bestBid! + book.bestAsk!) / 2));
      }
      session.advanceS(20);
    }
    const returns = (id: string) =>
      mids
        .get(id)!
        .slice(1)
        .map((mid, i) => mid - mids.get(id)![i]!);
    expect(correlation(returns(ids[0]!), returns(ids[1]!))).toBeGreaterThan(0.5);
    expect(correlation(returns(ids[2]!), returns(ids[3]!))).toBeGreaterThan(0.5);
    expect(correlation(returns(ids[4]!), returns(ids[5]!))).toBeLessThan(-0.2);
  });

  it('trade in clusters', async () => {
    const id = 'sim:BTC-USD';
    const session = await startSession({ instruments: [id] });
    session.advanceS(900);
    const counts = new Map<number, number>();
    for (const { receiveTimeMs } of session.market(id).trades) {
      const second = Math.floor(receiveTimeMs / 1000);
      counts.set(second, (counts.get(second) ?? 0) + 1);
    }
    const mean = session.market(id).trades.length / 900;
    let variance = (mean * mean * (900 - counts.size)) / 900;
    for (const count of counts.values()) variance += (count - mean) ** 2 / 900;
    // Independent arrivals would have a variance equal to their mean.
    expect(variance / mean).toBeGreaterThan(2);
  });
});
