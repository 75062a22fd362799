import type { CandleQuery } from '@depthwire/feeds';
import { DepthwireError, type Candle } from '@depthwire/shared';
import { expect, test } from 'vitest';
import { ScriptedFeed, START_MS, startMarket, testInstrument } from '../../test/markets.ts';

const ID = 'test:AAA-USD';
const MINUTE = 60;
const START_S = START_MS / 1000;

function bar(time: number, price: number): Candle {
  const at = price as Candle['open'];
  return { time, open: at, high: at, low: at, close: at, volume: 10 as Candle['volume'], trades: 3 };
}

/** A market whose feed has a candle for each minute of the past, and counts how often it is asked. */
async function start() {
  const asked: CandleQuery[] = [];
  let price = 100;
  const answer = (query: CandleQuery): Promise<Candle[]> => {
    const candles: Candle[] = [];
    const first = Math.ceil(query.fromS / MINUTE) * MINUTE;
    for (let time = first; time < query.toS; time += MINUTE) candles.push(bar(time, price));
    return Promise.resolve(query.interval === '1m' ? candles : []);
  };
  const feed = Object.assign(new ScriptedFeed(), { candles: answer });
  const running = await startMarket(feed);
  feed.candles = (query) => {
    asked.push(query);
    return answer(query);
  };
  const pricesBefore = async (beforeS: number, limit = 3) =>
    (await running.candles(ID, '1m', limit, beforeS)).map(({ open }) => open as number);
  const setPrice = (next: number) => void (price = next);
  return { ...running, feed, asked, pricesBefore, setPrice, answer };
}

const oldest = START_S - 2 * 86_400;

test('a page of the past is asked of its feed once', async () => {
  const { asked, pricesBefore } = await start();
  const first = await pricesBefore(oldest);
  expect(await pricesBefore(oldest)).toEqual(first);
  expect(first).toEqual([100, 100, 100]);
  expect(asked).toHaveLength(1);
  await pricesBefore(oldest, 4);
  await pricesBefore(oldest - MINUTE);
  expect(asked).toHaveLength(3);
});

test('a page that can still change is asked for each time, until its last candle has settled', async () => {
  const feed = Object.assign(new ScriptedFeed(), {
    candles: (): Promise<Candle[]> => Promise.resolve([]),
  });
  const { candles, clock } = await startMarket(feed);
  let price = 100;
  let count = 0;
  feed.candles = () => {
    count += 1;
    return Promise.resolve([bar(openS - MINUTE, price), bar(openS, price)]);
  };
  const openS = Math.floor(START_S / MINUTE) * MINUTE;
  const last = async () => (await candles(ID, '1m', 2, openS + MINUTE)).at(-1)!.open as number;
  for (const [nowS, next] of [
    [START_S, 101], // open
    [openS + MINUTE, 102], // has just closed
    [openS + 2 * MINUTE - 1, 103],
    [openS + 2 * MINUTE, 104], // settled
  ] as const) {
    clock.advanceTo(nowS * 1000);
    price = next;
    expect(await last()).toBe(next);
  }
  price = 105;
  expect(await last()).toBe(104);
  expect(count).toBe(4);
});

test('nothing is kept of a failure or of an empty answer, which may be for want of better', async () => {
  const { feed, asked, pricesBefore, answer } = await start();
  feed.candles = () => Promise.reject(new DepthwireError('venue_http', 'busy'));
  expect(await pricesBefore(oldest)).toEqual([]);
  feed.candles = () => Promise.resolve([]);
  expect(await pricesBefore(oldest)).toEqual([]);
  feed.candles = (query) => (asked.push(query), answer(query));
  expect(await pricesBefore(oldest)).toEqual([100, 100, 100]);
  expect(asked).toHaveLength(1);
});

test('a market of another scale, and a feed that starts anew, are asked again', async () => {
  const { engine, feed, pricesBefore, setPrice } = await start();
  await pricesBefore(oldest);
  setPrice(200);
  expect(await pricesBefore(oldest)).toEqual([100, 100, 100]);
  feed.emit({ type: 'instrument', instrument: testInstrument(ID, { tick: { units: 5, decimals: 2 } }) });
  expect(await pricesBefore(oldest)).toEqual([200, 200, 200]);
  setPrice(300);
  Object.assign(feed, { instruments: [testInstrument(ID, { tick: { units: 5, decimals: 2 } })] });
  await engine.addFeed(feed);
  expect(await pricesBefore(oldest)).toEqual([300, 300, 300]);
});

test('what was asked for longest ago makes room', async () => {
  const { asked, pricesBefore } = await start();
  for (let page = 0; page < 64; page++) await pricesBefore(oldest - page * MINUTE);
  await pricesBefore(oldest);
  expect(asked).toHaveLength(64);
  await pricesBefore(oldest - 64 * MINUTE); // in place of the second
  await pricesBefore(oldest);
  expect(asked).toHaveLength(65);
  await pricesBefore(oldest - MINUTE);
  expect(asked).toHaveLength(66);
});
