import { decimalScale, type Instrument } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import {
  candleWindows,
  fetchCandles,
  fetchTrades,
  MAX_PAST_PAGES,
  newestTrades,
  PAST_LIMIT_MS,
  toCandles,
  toPastTrades,
  tradePages,
} from './past.ts';
import type { CandleAsk, CandlePage, TradeAsk, TradePage, VenueCandle, VenuePastTrade } from './venue.ts';
import { startWire } from './past-test-harness.ts';

const instrument: Instrument = {
  id: 'made-up:AAA-USD',
  venue: 'made-up',
  symbol: 'AAA',
  base: 'AAA',
  quote: 'USD',
  kind: 'spot',
  name: 'AAA',
  tick: decimalScale(2),
  lot: decimalScale(3),
  status: 'trading',
  origin: 'live',
  staleAfterMs: 60_000,
};
const endpoints = { ws: 'ws://venue.test', rest: 'http://venue.test' };
const candleAsk = (fromS: number, toS: number): CandleAsk => {
  return { market: 'spot', endpoints, instrument, nowMs: 1e12, interval: '1m', fromS, toS };
};
const tradeAsk: TradeAsk = { market: 'spot', endpoints, instrument, nowMs: 1e12, fromMs: 1_000, toMs: 5_000 };

const row = (time: number): VenueCandle => {
  return { time, open: '1.50', high: '2', low: '1', close: '1.75', volume: '0.125', trades: 3 };
};
const candle = (time: number) => {
  return { time, open: 150, high: 200, low: 100, close: 175, volume: 125, trades: 3 };
};
const trade = (id: number, timeMs: number): VenuePastTrade => {
  return { id, price: '1.5', size: '0.1', side: 'buy', timeMs };
};

function startWalk(spacingMs = 0) {
  const wire = startWire(0);
  const stop = new AbortController();
  const way = { http: wire.http, clock: wire.clock, spacingMs, stopped: stop.signal };
  return { ...wire, way, stop: () => stop.abort() };
}

/** Pages that are a number each, the next one smaller. */
const countdown = (n: number): CandlePage => ({
  url: `http://venue.test/${n}`,
  read: (body) => [row(Number(body) * 60)],
  next: () => (n > 0 ? countdown(n - 1) : null),
});

describe('candle pages', () => {
  it('are windows of as many candles as an answer holds, the newest first', () => {
    const urls: string[] = [];
    const windows = { size: 3, url: (from: number, last: number) => `${from}-${last}`, read: () => [] };
    let page = candleWindows(candleAsk(60, 480), windows);
    for (; page !== null; page = page.next()) urls.push(page.url);
    expect(urls).toEqual(['300-420', '120-240', '60-60']);
  });

  it('are asked for one after the other, as far apart as the venue wants', async () => {
    const { way, asked, pass } = startWalk(500);
    const rows = fetchCandles(countdown(2), way);
    for (const n of [2, 1, 0]) {
      await pass(500);
      await asked.at(-1)!.answer(String(n));
    }
    expect((await rows).map(({ time }) => time)).toEqual([120, 60, 0]);
    expect(asked.map(({ path }) => path)).toEqual(['/2', '/1', '/0']);
  });

  it('are no more than a call may take', async () => {
    const { way, asked, pass } = startWalk();
    const rows = fetchCandles(countdown(1_000), way);
    for (let i = 0; i < MAX_PAST_PAGES; i++) {
      await pass(0);
      await asked.at(-1)!.answer(String(1_000 - i));
    }
    expect(await rows).toHaveLength(MAX_PAST_PAGES);
    expect(asked).toHaveLength(MAX_PAST_PAGES);
  });

  it('that are not all there in time are an error: a part of them would be taken for all', async () => {
    const { way, asked, pass } = startWalk();
    const rows = expect(fetchCandles(countdown(9), way)).rejects.toThrow(/came within 25 s/);
    await pass(0);
    for (let i = 0; i < 2; i++) {
      await pass(9_000);
      await asked[i]!.answer(String(9 - i));
    }
    await pass(PAST_LIMIT_MS - 18_000);
    await rows;
    expect(asked[2]!.isAborted()).toBe(true);
  });

  it('are not asked for any more once the feed is stopped', async () => {
    const { way, asked, pass, stop } = startWalk();
    const rows = expect(fetchCandles(countdown(2), way)).rejects.toMatchObject({ code: 'venue_http' });
    await pass(0);
    stop();
    await rows;
    expect(asked[0]!.isAborted()).toBe(true);
  });

  it('are asked for again when the venue allows it, unless that is too late', async () => {
    const { way, asked, pass } = startWalk();
    const rows = fetchCandles(countdown(0), way);
    await pass(0);
    await asked[0]!.answer('', 429, { 'retry-after': '10' });
    await pass(10_000);
    const late = expect(rows).rejects.toMatchObject({
      code: 'venue_http',
      details: { retryAfterMs: 60_000 },
    });
    await asked[1]!.answer('', 418, { 'retry-after': '60' });
    await late;
  });

  it('that the venue refuses are an error with its words', async () => {
    const { way, asked, pass } = startWalk();
    const rows = expect(fetchCandles(countdown(0), way)).rejects.toThrow(/answered 400: "no such symbol"/);
    await pass(0);
    await asked[0]!.answer('no such symbol', 400);
    await rows;
  });
});

describe('trade pages', () => {
  const pages = {
    size: 2,
    url: (fromMs: number) => `http://venue.test/${fromMs}`,
    read: (body: string) => (JSON.parse(body) as [number, number][]).map(([id, ms]) => trade(id, ms)),
  };

  async function read(...answers: [id: number, timeMs: number][][]) {
    const { way, asked, pass, paths } = startWalk();
    const found = fetchTrades(tradePages(tradeAsk, pages), way);
    for (const answer of answers) {
      await pass(0);
      await asked.at(-1)!.answer(JSON.stringify(answer));
    }
    return { ...toPastTrades(await found, tradeAsk, false), paths: paths() };
  }

  it('begin in the millisecond in which the one before ended, and tell each trade once', async () => {
    const { trades, isWhole, paths } = await read(
      [[1, 1_000], [2, 2_000]],
      [[2, 2_000], [3, 2_500.7]],
      [[3, 2_500.7]],
    ); // prettier-ignore
    expect(trades.map(({ id, timeMs }) => [id, timeMs])).toEqual([[1, 1_000], [2, 2_000], [3, 2_500]]); // prettier-ignore
    expect(isWhole).toBe(true);
    expect(paths).toEqual(['/1000', '/2000', '/2500']);
  });

  it('end with one that reaches past what was asked for', async () => {
    const { trades, isWhole } = await read([[1, 1_000], [9, 5_000]]); // prettier-ignore
    expect(trades).toHaveLength(1);
    expect(isWhole).toBe(true);
  });

  it('end before a millisecond that holds more trades than an answer', async () => {
    const { trades, isWhole, fromMs, toMs } = await read([[1, 1_500], [2, 2_000]], [[2, 2_000], [3, 2_000]]); // prettier-ignore
    expect(trades).toHaveLength(3);
    expect({ isWhole, fromMs, toMs }).toEqual({ isWhole: false, fromMs: 1_000, toMs: 2_000 });
  });

  it('that do not come in time leave what came before, and say how far it goes', async () => {
    const { way, asked, pass } = startWalk();
    const found = fetchTrades(tradePages(tradeAsk, pages), way);
    await pass(0);
    const answers = ['[[1,1000],[2,2000]]', '[[2,2000],[3,2500]]', '[[3,2500],[4,2600]]'];
    for (const [i, body] of answers.entries()) {
      await pass(8_000);
      await asked[i]!.answer(body);
    }
    await pass(PAST_LIMIT_MS - 24_000);
    const { trades, isWhole, toMs } = toPastTrades(await found, tradeAsk, false);
    expect({ count: trades.length, isWhole, toMs }).toEqual({ count: 4, isWhole: false, toMs: 2_600 });
  });

  it('are known no further than to the answer', async () => {
    const { way, asked, pass, clock } = startWalk();
    const ask = { ...tradeAsk, fromMs: clock.now() - 1_000, toMs: clock.now() + 60_000 };
    const found = fetchTrades(tradePages(ask, pages), way);
    await pass(5_000);
    await asked[0]!.answer('[]');
    expect(toPastTrades(await found, ask, false)).toMatchObject({ isWhole: false, toMs: clock.now() });
  });

  it.each<[string, VenuePastTrade[], number, boolean]>([
    ['hold all there are', [trade(1, 3_000)], 1_000, true],
    ['may hold not all', [trade(1, 3_000), trade(2, 3_500)], 3_001, false],
  ])('of the newest trades that %s', async (_name, trades, fromMs, isWhole) => {
    const page: TradePage = { url: 'http://venue.test/', read: () => newestTrades(tradeAsk, trades, 2) };
    const { way, asked, pass } = startWalk();
    const found = fetchTrades(page, way);
    await pass(0);
    await asked[0]!.answer('');
    expect(toPastTrades(await found, tradeAsk, false)).toMatchObject({ fromMs, toMs: 5_000, isWhole });
  });
});

describe('rows', () => {
  const ask = candleAsk(60, 300);

  it('become candles of the query, oldest first, each once', () => {
    const rows = [row(300), row(240), row(120), row(120), row(60), row(0)];
    expect(toCandles(rows, ask, false)).toEqual([60, 120, 240].map(candle));
  });

  it('may have a volume between two lots, which is the nearest', () => {
    const [summed] = toCandles([{ ...row(60), volume: '0.30000000000000004' }], ask, false);
    expect(summed!.volume).toBe(300);
  });

  it.each<[string, Partial<VenueCandle>, RegExp]>([
    ['a price between two ticks', { open: '1.505' }, /^open: .*"1.505"/],
    ['a price that is no number', { close: 'NaN' }, /^close: .*"NaN"/],
    ['a price below zero', { low: '-1' }, /^low: .*"-1"/],
    ['a price past all bounds', { high: '9'.repeat(20) }, /^high: .*"9999/],
    ['a low above the open', { low: '1.60' }, /^low: expected the lowest, got "1.60"/],
    ['a high below the close', { high: '1.70' }, /^high: expected the highest, got "1.70"/],
    ['a volume below zero', { volume: '-1' }, /^volume: .*"-1"/],
    ['a volume past 2^53', { volume: '9'.repeat(14) }, /^volume: .*"9999/],
    ['a time between', { time: 61 }, /^time: expected a multiple of 60 s, got 61/],
    ['no time', { time: Number.NaN }, /^time: /],
    ['half a trade', { trades: 0.5 }, /^trades: /],
  ])('with %s are an error that names it', (_name, wrong, message) => {
    const run = () => toCandles([{ ...row(60), ...wrong }], ask, false);
    expect(run).toThrow(expect.objectContaining({ code: 'malformed_venue_frame' }) as Error);
    expect(run).toThrow(message);
  });

  it('end before an older price that lies between two ticks, for the tick size has changed since', () => {
    const told: unknown[] = [];
    const rows = [row(60), { ...row(120), low: '1.005' }, row(180), row(240)];
    const candles = toCandles(rows, ask, false, ({ message }, timeS) => told.push([timeS, message]));
    expect(candles).toEqual([180, 240].map(candle));
    expect(told).toEqual([[120, expect.stringMatching(/^low: .*"1.005"/)]]);
    expect(() => toCandles([row(60), { ...row(120), low: 'x' }, row(180)], ask, false)).toThrow(/^low: /);
  });

  it('may have prices below zero where the venue says so', () => {
    const spread = { ...row(60), open: '-1', high: '0', low: '-2', close: '-1' };
    expect(toCandles([spread], ask, true)).toMatchObject([{ open: -100, high: 0, low: -200, close: -100 }]);
  });

  it.each<[string, Partial<VenuePastTrade>, RegExp]>([
    ['a price between two ticks', { price: '1.505' }, /^price: .*"1.505"/],
    ['a size between two lots', { size: '0.0001' }, /^size: .*"0.0001"/],
    ['a size below zero', { size: '-1' }, /^size: .*"-1"/],
  ])('of trades with %s are an error that names it', (_name, wrong, message) => {
    const found = { trades: [{ ...trade(1, 2_000), ...wrong }], fromMs: 1_000, toMs: 5_000 };
    expect(() => toPastTrades(found, tradeAsk, false)).toThrow(message);
  });

  it('of trades without a size are left out, as on the stream', () => {
    const found = { trades: [{ ...trade(1, 2_000), size: '0' }], fromMs: 1_000, toMs: 5_000 };
    expect(toPastTrades(found, tradeAsk, false).trades).toEqual([]);
  });
});
