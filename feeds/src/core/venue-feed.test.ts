import { decimalScale, DepthwireError, type FeedEvent, type Instrument } from '@depthwire/shared';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FeedObserver, startLoopbackServer } from '../kit/index.ts';
import { createVenueFeed, type VenueFeed } from './venue-feed.ts';
import type { Metadata, VenueAdapter, VenuePast } from './venue.ts';
import { VirtualClock } from './virtual-clock.ts';

const instrument = (symbol: string): Instrument => ({
  id: `made-up:${symbol}-USD`,
  venue: 'made-up',
  symbol,
  base: symbol,
  quote: 'USD',
  kind: 'spot',
  name: symbol,
  tick: decimalScale(0),
  lot: decimalScale(0),
  status: 'trading',
  origin: 'live',
  staleAfterMs: 60_000,
});

const unknown = (symbol: string) => new DepthwireError('unknown_symbol', `made-up lists no ${symbol}`);

/** Lists what its answer names; `!` for an answer that is an error in part, `?` for a symbol that makes no sense. */
function parseMetadata(texts: readonly string[], symbols: readonly string[]): Metadata {
  const [text = ''] = texts;
  if (text.startsWith('<')) throw new DepthwireError('malformed_venue_frame', 'not JSON');
  const refused = new Map<string, DepthwireError>();
  const instruments: Instrument[] = [];
  for (const symbol of symbols) {
    if (text.includes(`${symbol}?`))
      refused.set(symbol, new DepthwireError('malformed_venue_frame', `${symbol}: no tick size`));
    else if (text.includes(symbol)) instruments.push(instrument(symbol));
    else refused.set(symbol, unknown(symbol));
  }
  return { instruments, refused, isPartial: text.includes('!') };
}

const adapter: VenueAdapter = {
  venue: 'made-up',
  markets: { spot: { ws: 'ws://127.0.0.1:9', rest: 'http://127.0.0.1:9' } },
  limits: { symbolsPerConnection: 9, sendSpacingMs: 0, httpSpacingMs: 0, silenceMs: 1e9, maxAgeMs: null },
  metadata: { via: 'http', urls: (_market, { rest }) => [`${rest}/list`] },
  parseMetadata: (_market, texts, symbols) => parseMetadata(texts, symbols),
  guessInstrument: (_market, symbol) => instrument(symbol),
  socketUrl: (_market, { ws }) => ws,
  createSession: () => ({
    stats: {
      ...{ frames: 0, bookUpdates: 0, trades: 0, links: 0, gaps: 0, checksumsOk: 0, checksumsBad: 0 },
      ...{ resyncs: 0, malformed: 0 },
    },
    onOpen: () => undefined,
    onFrame: () => undefined,
    onClose: () => undefined,
    resync: () => undefined,
    update: (next) => updates.push(next),
    dispose: () => undefined,
  }),
  capture: {
    marketOf: () => null,
    snapshotSymbol: () => null,
    isMetadata: () => false,
    look: () => undefined,
  },
};

/** One candle, on half a tick. */
const past: VenuePast = {
  intervals: () => ['1m'],
  spacingMs: 0,
  candles: (ask) => ({
    url: `${ask.endpoints.rest}/candles`,
    read: () => [
      { time: ask.toS - 60, open: '7', high: '7.5', low: '7', close: '7.5', volume: '2', trades: 1 },
    ],
    next: () => null,
  }),
};

let updates: Instrument[] = [];
let tell: (event: FeedEvent) => void = () => undefined;
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
  updates = [];
});

/** A feed of a venue that gives one of these answers after the other, and the last one from then on. */
async function start(answers: string[], symbols: readonly string[], of = adapter) {
  let asked = 0;
  const server = await startLoopbackServer({
    onRequest(_url, response) {
      response.end(answers[Math.min(asked, answers.length - 1)]);
      asked += 1;
    },
    onSocket: () => undefined,
  });
  const feed: VenueFeed = createVenueFeed(of, {
    market: 'spot',
    symbols,
    endpoints: { ws: server.ws, rest: server.rest },
  });
  open.push(async () => {
    await feed.stop();
    await server.close();
  });
  const clock = new VirtualClock(1.8e12);
  const observer = new FeedObserver(clock);
  const starting = feed.start(observer.context);
  starting.catch(() => undefined);
  const answered = (count: number) =>
    vi.waitFor(() => {
      clock.advanceTo(clock.now()); // what is due now, no time-out
      expect(asked).toBe(count);
    });
  await answered(1);
  return {
    feed,
    observer,
    starting,
    /** Lets the time pass after which metadata is asked for again: five minutes, or seconds to be sure. */
    async renewed(afterMs = 300_000) {
      const before = asked;
      await vi.waitFor(() => expect(clock.nextDueMs()).toBeLessThanOrEqual(clock.now() + afterMs));
      clock.advanceTo(clock.now() + afterMs);
      await answered(before + 1);
    },
  };
}

describe('metadata at the start of a feed', () => {
  it('goes on without a symbol that the venue does not list, and says so', async () => {
    const { feed, observer, starting } = await start(['AAA'], ['AAA', 'GONE']);
    await starting;
    expect([...observer.markets.keys()]).toEqual(['made-up:AAA-USD']);
    expect(feed.problems!()).toEqual(['made-up lists no GONE']);
  });

  it.each([
    ['no symbol is listed', ['BBB'], 'unknown_symbol', false],
    ['no symbol is listed in what could be had', ['BBB!'], 'venue_metadata', true],
    ['what is listed makes no sense', ['AAA?'], 'venue_metadata', true],
    ['the answer makes no sense', ['<html>'], 'venue_metadata', true],
  ])('fails where %s', async (_name, answers, code, retry) => {
    const { starting } = await start(answers, ['AAA', 'GONE']);
    await expect(starting).rejects.toMatchObject({ code, retry });
  });
});

describe('metadata renewed', () => {
  it('closes an instrument that the venue lists no more, once it was missing twice', async () => {
    const { starting, renewed } = await start(['AAA BBB', 'BBB'], ['AAA', 'BBB']);
    await starting;
    await renewed();
    await renewed(15_000);
    await vi.waitFor(() => expect(updates).toMatchObject([{ symbol: 'AAA', status: 'closed' }]));
  });

  it('closes none for a list that was empty once', async () => {
    const { starting, renewed } = await start(['AAA BBB', '', 'AAA', 'AAA'], ['AAA', 'BBB']);
    await starting;
    await renewed();
    await renewed(15_000);
    await vi.waitFor(() => expect(updates).toMatchObject([{ symbol: 'BBB', status: 'closed' }]));
  });

  it.each([
    ['an answer was an error', 'BBB!'],
    ['an entry makes no sense', 'AAA? BBB'],
    ['nothing makes sense', '<html>'],
  ])('leaves all as it was where %s', async (_name, text) => {
    const { starting, renewed, observer } = await start(['AAA BBB', text, 'BBB'], ['AAA', 'BBB']);
    await starting;
    await renewed();
    await renewed();
    await renewed(15_000);
    await vi.waitFor(() => expect(updates).not.toEqual([]));
    expect(updates).toMatchObject([{ symbol: 'AAA', status: 'closed' }]); // by the two after it, and once
    expect(observer.failures).toEqual([]);
  });
});

describe('the past', () => {
  const query = { instrument: 'made-up:AAA-USD', interval: '1m', fromS: 1.8e9 - 600, toS: 1.8e9 } as const;

  it('is told in the ticks of the instrument as it was announced last', async () => {
    const { feed, starting } = await start(['AAA'], ['AAA'], {
      ...adapter,
      past,
      createSession(options) {
        tell = options.io.emit;
        return adapter.createSession(options);
      },
    });
    await starting;
    expect(feed.candlesEnd).toBe('now');
    expect(feed.trades).toBeUndefined();
    await expect(feed.candles!(query)).rejects.toMatchObject({
      code: 'malformed_venue_frame',
      message: expect.stringMatching(/high: .*"7.5"/) as string,
    });
    tell({ type: 'instrument', instrument: { ...instrument('AAA'), tick: decimalScale(1) } });
    const [candle] = await feed.candles!(query);
    expect(candle).toEqual({
      time: 1.8e9 - 60,
      open: 70,
      high: 75,
      low: 70,
      close: 75,
      volume: 2,
      trades: 1,
    });
    expect(await feed.candles!({ ...query, interval: '5m' })).toEqual([]);
    expect(await feed.candles!({ ...query, fromS: 1.8e9 + 60, toS: Infinity })).toEqual([]);
    await expect(feed.candles!({ ...query, instrument: 'made-up:BBB-USD' })).rejects.toMatchObject({
      code: 'unknown_instrument',
    });
  });

  it('is not told before the start, after the stop, or where the venue has none', async () => {
    const { feed, starting } = await start(['AAA'], ['AAA'], { ...adapter, past });
    await starting;
    await feed.stop();
    await expect(feed.candles!(query)).rejects.toMatchObject({ code: 'unavailable' });
    const options = { market: 'spot', symbols: ['AAA'] };
    await expect(createVenueFeed({ ...adapter, past }, options).candles!(query)).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(createVenueFeed(adapter, options)).not.toHaveProperty('candles');
  });
});
