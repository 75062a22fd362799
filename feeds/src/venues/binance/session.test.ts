import { decimalScale, DepthwireError } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { depth, diff, START_MS, startSession, trade } from './test-harness.ts';

const ID = 'binance:BTC-USDT';

/** A session whose only book is live at id 11. */
function startLive() {
  const run = startSession('spot', ['BTCUSDT']);
  run.open();
  run.answer(depth(10));
  run.hear(diff(11, 11, [['99.99', '3.000']]));
  expect(run.observer.isLive(ID)).toBe(true);
  return run;
}

describe('Binance session: subscribing', () => {
  it('names the streams of fifty symbols a request', () => {
    const symbols = Array.from({ length: 120 }, (_, i) => `C${i}USDT`);
    const { session, sent } = startSession('spot', symbols);
    session.onOpen();
    const requests = sent.map((text) => JSON.parse(text) as { method: string; params: string[]; id: number });
    expect(requests.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(requests.every(({ method, params }) => method === 'SUBSCRIBE' && params.length <= 150)).toBe(true);
    expect(requests[0]!.params.slice(0, 3)).toEqual([
      'c0usdt@depth@100ms',
      'c0usdt@trade',
      'c0usdt@miniTicker',
    ]);
    expect(new Set(requests.flatMap(({ params }) => params)).size).toBe(360);
  });

  it('asks for a snapshot only once the streams are known to flow, so that nothing is lost in between', () => {
    const { session, clock, asked, hear } = startSession('spot', ['BTCUSDT', 'ETHUSDT']);
    session.onOpen();
    clock.advanceTo(START_MS + 60_000);
    expect(asked).toHaveLength(0);
    hear({ result: null, id: 1 });
    expect(asked.map(({ url }) => url)).toEqual([
      'https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=5000',
      'https://api.binance.com/api/v3/depth?symbol=ETHUSDT&limit=5000',
    ]);
    hear({ result: null, id: 1 });
    expect(asked).toHaveLength(2);
  });

  it('takes a diff for the sign that they do, where the answer is late', () => {
    const { session, asked, hear, answer, observer } = startSession('spot', ['BTCUSDT', 'ETHUSDT']);
    session.onOpen();
    hear(diff(11, 12));
    expect(asked).toHaveLength(1);
    answer(depth(11));
    expect(observer.isLive(ID)).toBe(true);
    expect(observer.isLive('binance:ETH-USDT')).toBe(false);
  });

  it.each([
    { result: null, id: 0 },
    { result: null, id: -1 },
    { result: null, id: 0.5 },
    { result: null, id: 7 },
    { result: null },
  ])('makes nothing of an answer to what it did not ask: %j', (frame) => {
    const { session, asked, hear } = startSession('spot', ['BTCUSDT']);
    session.onOpen();
    hear(frame);
    expect(asked).toHaveLength(0);
  });

  it.each([
    ['flat', { code: 2, msg: 'Invalid request', id: 1 }],
    ['in an error', { error: { code: 2, msg: 'Invalid request' }, id: 1 }],
  ])('says so where the venue refuses, %s, and asks again', (_form, refusal) => {
    const { session, clock, asked, hear, observer, sent } = startSession('spot', ['BTCUSDT']);
    session.onOpen();
    hear(refusal);
    expect(observer.market(ID)).toMatchObject({
      state: 'recovering',
      reason: expect.stringMatching(/refused.*2: Invalid request/) as string,
    });
    clock.advanceTo(START_MS + 59_999);
    expect(asked).toHaveLength(0);
    expect(sent).toHaveLength(1);
    clock.advanceTo(START_MS + 60_000);
    expect(sent[1]).toBe(sent[0]);
    hear({ result: null, id: 1 });
    expect(asked).toHaveLength(1);
    clock.advanceTo(START_MS + 600_000);
    expect(sent).toHaveLength(2);
  });

  it('asks again where the venue does not answer, or does not say what it refuses', () => {
    const symbols = Array.from({ length: 60 }, (_, i) => `C${i}USDT`);
    const { session, clock, hear, observer, sent } = startSession('spot', symbols);
    session.onOpen();
    hear({ result: null, id: 1 });
    hear({ code: 3, msg: 'Too many requests' });
    hear(diff(1, 1, [], [], 'C55USDT'));
    expect(observer.market('C59USDT').state).toBe('syncing');
    clock.advanceTo(START_MS + 30_000);
    expect(sent[2]).toBe(sent[1]);
    expect(observer.market('C59USDT')).toMatchObject({
      state: 'recovering',
      reason: expect.stringContaining('3: Too many requests') as string,
    });
    expect(observer.market('C55USDT').state).toBe('syncing'); // its diffs flow
    session.onClose('over');
    clock.advanceTo(START_MS + 600_000);
    expect(sent).toHaveLength(3);
  });

  it('leaves books that flow alone where a subscription asked for again is refused', () => {
    const { session, clock, hear, answer, observer } = startSession('spot', ['BTCUSDT', 'ETHUSDT']);
    session.onOpen();
    hear(diff(11, 11));
    answer(depth(10));
    hear(diff(12, 12));
    clock.advanceTo(START_MS + 31_000); // the other one is asked for again
    hear({ error: { code: 2, msg: 'Too many requests' }, id: 1 });
    expect(observer.market('BTCUSDT').states).toEqual(['syncing', 'live']);
    expect(observer.market('ETHUSDT').state).toBe('recovering');
  });

  it('takes the answers in a recording for those of another’s requests', () => {
    const { session, hear, observer } = startSession('spot', ['BTCUSDT']);
    session.onOpen(true);
    hear({ error: { code: 2, msg: 'Unknown property' }, id: 1 });
    expect(observer.market('BTCUSDT').states).toEqual(['syncing']);
  });

  it.each([
    ['spot', 36, 5000],
    ['spot', 37, 1000],
    ['spot', 341, 500],
    ['usdm', 100, 1000],
    ['usdm', 341, 500],
  ] as const)('on %s asks for snapshots of %i symbols with %i levels', (market, count, levels) => {
    const symbols = Array.from({ length: count }, (_, i) => `C${i}USDT`);
    const { session, asked, hear } = startSession(market, symbols);
    session.onOpen();
    hear({ result: null, id: 1 });
    expect(asked[0]!.url).toContain(`limit=${levels}`);
  });
});

describe('Binance session: books', () => {
  it('goes from syncing to live with snapshot and diffs, in ticks and lots', () => {
    const { observer, session } = startLive();
    expect(observer.market(ID).states).toEqual(['syncing', 'live']);
    expect(observer.text(ID)).toEqual({
      bids: [
        ['100', '1'],
        ['99.99', '3'],
      ],
      asks: [['100.01', '2']],
    });
    expect(session.stats).toMatchObject({ frames: 2, bookUpdates: 1, gaps: 0, resyncs: 0, malformed: 0 });
  });

  it('loses only the book that has a gap', () => {
    const { open, answer, hear, observer, session, asked } = startSession('spot', ['BTCUSDT', 'ETHUSDT']);
    open();
    answer(depth(10));
    answer(depth(50));
    hear(diff(11, 11));
    hear(diff(51, 51, [], [], 'ETHUSDT'));
    hear(diff(13, 13));
    expect(observer.market('BTCUSDT').states).toEqual(['syncing', 'live', 'recovering']);
    expect(observer.market('ETHUSDT').states).toEqual(['syncing', 'live']);
    expect(session.stats).toMatchObject({ gaps: 1, resyncs: 1 });
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['429 with a time', 429, 30_000, 30_000],
    ['418 with a time', 418, 120_000, 120_000],
    ['503 without', 503, null, 1_000],
  ])('asks again after %s', (_name, status, retryAfterMs, waitMs) => {
    const { open, answer, asked, clock } = startSession('spot', ['BTCUSDT']);
    open();
    answer('{}', status, retryAfterMs);
    clock.advanceTo(START_MS + waitMs - 1);
    expect(asked).toHaveLength(0);
    clock.advanceTo(START_MS + waitMs);
    expect(asked).toHaveLength(1);
  });

  it.each<[name: string, body: object | string]>([
    ['is no JSON', '<html>'],
    ['lacks its id', { bids: [], asks: [] }],
    ['has a level that is no number', depth(10, [['abc', '1']])],
    ['has a quantity below zero', depth(10, [['1', '-1']])],
    ['has a price past what integers hold', depth(10, [['99999999999999999', '1']])],
    [
      'has a price so fine that no other fits beside it',
      depth(10, [
        ['1e-250', '1'],
        ['100', '1'],
      ]),
    ],
  ])('takes no snapshot that %s, asks again, and is live with the next one', (_name, body) => {
    const { open, answer, hear, asked, clock, observer, session } = startSession('spot', ['BTCUSDT']);
    open();
    hear(diff(9, 11, [['99.99', '3.000']]));
    const before = observer.market(ID).instrument;
    answer(body);
    expect(session.stats.malformed).toBe(1);
    expect(observer.market(ID)).toMatchObject({ snapshots: 0, state: 'syncing', instrument: before });
    clock.advanceTo(START_MS + 1_000);
    expect(asked).toHaveLength(1);
    answer(depth(10));
    expect(observer.isLive(ID)).toBe(true);
    expect(observer.text(ID).bids).toEqual([
      ['100', '1'],
      ['99.99', '3'],
    ]);
  });

  it.each([
    ['no number', ['abc', '1']],
    ['a quantity below zero', ['1', '-1']],
    ['a price past what integers hold', ['99999999999999999', '1']],
  ])('does not stay live without a diff that holds %s', (_name, level) => {
    const { hear, answer, observer } = startLive();
    hear(diff(12, 12, [['99.98', '1']], [level as [string, string]]));
    hear(diff(13, 13));
    expect(observer.isLive(ID)).toBe(false);
    answer(depth(12));
    expect(observer.isLive(ID)).toBe(true);
    expect(observer.text(ID).bids).toEqual([['100', '1']]);
  });

  it.each([
    ['transaction time', { T: 'soon' }],
    ['bids', { b: {} }],
  ])('does not stay live without a diff whose %s cannot be read', (_name, fields) => {
    const { hear, observer, session } = startLive();
    const frame = diff(12, 12);
    hear({ ...frame, data: { ...frame.data, ...fields } });
    hear(diff(13, 13));
    expect(session.stats).toMatchObject({ malformed: 1, gaps: 1 });
    expect(observer.isLive(ID)).toBe(false);
  });

  it('takes a finer grid where the snapshot has levels between its ticks', () => {
    const { open, answer, hear, observer } = startSession('spot', ['BTCUSDT']);
    open();
    answer(depth(10, [['99.995', '1.0000001']]));
    hear(diff(11, 11));
    expect(observer.market(ID).instrument).toMatchObject({
      tick: { units: 1, decimals: 3 },
      lot: { units: 1, decimals: 7 },
    });
    expect(observer.text(ID).bids).toEqual([['99.995', '1.0000001']]);
    expect(observer.isLive(ID)).toBe(true);
  });

  it('takes a finer grid for a level of a diff, even one too deep for the snapshot to show', () => {
    const { hear, answer, observer, session } = startLive();
    hear(diff(12, 12, [['50.125', '1']]));
    expect(observer.market(ID)).toMatchObject({
      state: 'recovering',
      reason: expect.stringMatching(/^off_grid/) as string,
    });
    answer(depth(12));
    expect(observer.isLive(ID)).toBe(true);
    hear(diff(13, 13, [['50.125', '2']]));
    expect(observer.isLive(ID)).toBe(true);
    expect(observer.text(ID).bids).toEqual([
      ['100', '1'],
      ['50.125', '2'],
    ]);
    expect(session.stats.resyncs).toBe(1);
  });

  it('gives up a grid finer than its snapshot can be counted in', () => {
    const { hear, answer, observer, clock, asked } = startLive();
    hear(diff(12, 12, [['0.000000000000000001', '1']]));
    answer(depth(12));
    expect(observer.isLive(ID)).toBe(false);
    clock.advanceTo(START_MS + 1_000);
    expect(asked).toHaveLength(1);
    answer(depth(12));
    expect(observer.isLive(ID)).toBe(true);
    expect(observer.market(ID).instrument.tick.decimals).toBe(2);
  });

  it('takes one book anew when asked to', () => {
    const { session, hear, answer, observer } = startLive();
    session.resync('binance:ETH-USDT', 'none of ours');
    expect(observer.isLive(ID)).toBe(true);
    session.resync(ID, 'crossed for over a second');
    expect(observer.market(ID)).toMatchObject({ state: 'recovering', reason: 'crossed for over a second' });
    hear(diff(12, 12));
    answer(depth(12));
    expect(observer.isLive(ID)).toBe(true);
  });
});

describe('Binance session: connections', () => {
  it('has every book recovering while the socket is gone, and syncs anew on the next', () => {
    const { session, open, hear, answer, asked, observer } = startLive();
    session.onClose('connection lost');
    expect(observer.market(ID)).toMatchObject({ state: 'recovering', reason: 'connection lost' });
    open();
    expect(observer.market(ID).state).toBe('syncing');
    hear(diff(40, 41));
    expect(asked).toHaveLength(1);
    answer(depth(40));
    expect(observer.isLive(ID)).toBe(true);
  });

  it('is not live by mere quiet after the socket has gone', () => {
    const { session, open, answer, observer, clock } = startSession('spot', ['BTCUSDT']);
    open();
    answer(depth(10));
    session.onClose('connection lost');
    clock.advanceTo(START_MS + 60_000);
    expect(observer.market(ID).state).toBe('recovering');
  });

  it('takes no snapshot that was asked for on the connection before', () => {
    const { session, open, hear, answer, asked, observer, clock } = startLive();
    hear(diff(20, 20));
    session.onClose('connection lost');
    open();
    expect(asked).toHaveLength(2);
    answer(depth(20));
    clock.advanceTo(START_MS + 60_000);
    expect(observer.market(ID)).toMatchObject({ state: 'syncing', snapshots: 1 });
    answer(depth(45));
    clock.advanceTo(START_MS + 120_000);
    expect(observer.isLive(ID)).toBe(true);
  });

  it('takes no snapshot that arrives while the socket is gone', () => {
    const { session, clock, open, answer, observer } = startSession(
      'spot',
      Array.from({ length: 60 }, (_, i) => `C${i}USDT`),
    );
    open();
    session.onClose('connection lost');
    answer(depth(10));
    clock.advanceTo(START_MS + 60_000);
    expect(observer.market('C0USDT').snapshots).toBe(0);
  });

  it('tells nothing more once disposed of', () => {
    const { session, hear, observer, clock } = startLive();
    hear(diff(20, 20));
    const before = observer.market(ID).states.length;
    session.dispose();
    clock.advanceTo(START_MS + 600_000);
    hear(diff(21, 21));
    hear(trade('trade', 1));
    expect(observer.market(ID).states).toHaveLength(before);
    expect(observer.market(ID).trades).toEqual([]);
    expect(clock.nextDueMs()).toBeNull();
  });
});

describe('Binance session: trades', () => {
  it('tells price, size and the side of the taker', () => {
    const { hear, observer } = startLive();
    hear(trade('trade', 1, { m: true }));
    hear(trade('trade', 2, { m: false }));
    expect(observer.market(ID).trades).toMatchObject([
      { id: 1, price: 10_000, size: 500, side: 'sell', venueTimeMs: START_MS },
      { id: 2, side: 'buy' },
    ]);
  });

  it.each([
    ['trade', 'aggTrade'],
    ['aggTrade', 'trade'],
  ] as const)('counts a trade once where both %s and %s tell it', (first, second) => {
    const { hear, observer, session } = startLive();
    hear(trade(first, 1));
    hear(trade(second, 100));
    hear(trade(second, 101));
    hear(trade(first, 2));
    expect(observer.market(ID).trades.map(({ id }) => id)).toEqual([1, 2]);
    expect(session.stats.trades).toBe(2);
  });

  it('leaves out what is no trade of the market', () => {
    const { hear, observer } = startLive();
    hear(trade('trade', 1, { X: 'INSURANCE_FUND' }));
    hear(trade('trade', 2, { q: '0.000' }));
    hear(trade('trade', 3, { s: 'UNKNOWN' }));
    hear(trade('trade', 4, { X: 'MARKET' }));
    expect(observer.market(ID).trades.map(({ id }) => id)).toEqual([4]);
  });

  it.each([{ p: '100.001' }, { p: '-' }, { q: '-0.500' }])(
    'skips one that it cannot read, and the book goes on: %j',
    (fields) => {
      const { hear, observer, session } = startLive();
      hear(trade('trade', 1, fields));
      expect(observer.market(ID).trades).toEqual([]);
      expect(session.stats).toMatchObject({ malformed: 1, trades: 0 });
      expect(observer.isLive(ID)).toBe(true);
    },
  );
});

describe('Binance session: the rest', () => {
  it('tells the venue’s 24 h figures, a trade of contracts without a turnover', () => {
    const ticker = {
      e: '24hrMiniTicker',
      E: START_MS,
      s: 'BTCUSDT',
      c: '2',
      o: '1',
      h: '3',
      l: '0.5',
      v: '10',
      q: '18',
    };
    const { hear, observer } = startSession('spot', ['BTCUSDT']);
    hear({ stream: 'btcusdt@miniTicker', data: ticker });
    expect(observer.market(ID).ticker).toMatchObject({
      last: 200,
      open: 100,
      high: 300,
      low: 50,
      volume: 10_000,
      turnover: 18,
      venueTimeMs: START_MS,
    });
    const coinm = startSession('coinm', ['BTCUSD_PERP']);
    coinm.hear({ ...ticker, s: 'BTCUSD_PERP' });
    expect(coinm.observer.market('BTCUSD_PERP').ticker).toMatchObject({ volume: 10_000, turnover: null });
  });

  it('asks for another connection where the venue announces the end of this one', () => {
    const { hear, ended, observer } = startLive();
    hear({ e: 'serverShutdown', E: START_MS });
    expect(ended).toHaveLength(1);
    expect(observer.isLive(ID)).toBe(true);
  });

  it.each([
    [
      'coinm',
      'BTCUSD_PERP',
      'binance:BTC-USD-PERP',
      'https://dapi.binance.com/dapi/v1/depth?symbol=BTCUSD_PERP&limit=1000',
    ],
    ['us', 'BTCUSD', 'binance-us:BTC-USD', 'https://api.binance.us/api/v3/depth?symbol=BTCUSD&limit=5000'],
  ] as const)('knows %s', (market, symbol, id, url) => {
    const { open, asked, observer } = startSession(market, [symbol]);
    open();
    expect(observer.market(symbol).instrument.id).toBe(id);
    expect(asked[0]!.url).toBe(url);
  });

  it('takes the book anew where the venue has changed the tick size, and not where it has halted', () => {
    const { session, observer, asked, answer, hear } = startLive();
    const { instrument } = observer.market(ID);
    session.update({ ...instrument, status: 'halted' });
    expect(observer.market(ID)).toMatchObject({ state: 'live', instrument: { status: 'halted' } });
    session.update({ ...instrument, tick: decimalScale(3) });
    expect(observer.market(ID)).toMatchObject({
      state: 'recovering',
      reason: 'tick size changed from 0.01 to 0.001',
    });
    expect(asked).toHaveLength(1);
    answer(depth(11, [['100.005', '1.000']]));
    hear(diff(12, 12));
    expect(observer.isLive(ID)).toBe(true);
    expect(observer.text(ID).bids).toEqual([['100.005', '1']]);
  });
});

describe('Binance session: frames', () => {
  it('counts what it cannot read, and goes on', () => {
    const { hear, session, observer } = startLive();
    for (const frame of ['', '[]', 'null', '{"e":5}', '{"e":"trade"}']) hear(frame);
    expect(session.stats.malformed).toBe(5);
    hear(diff(12, 12));
    expect(observer.isLive(ID)).toBe(true);
  });

  it.each([
    ['garbage', '\u0000'],
    ['a diff cut off', JSON.stringify(diff(12, 12)).slice(0, -10)],
    ['a diff with a damaged id', JSON.stringify(diff(12, 12)).replace('"u":12', '"u":"?"')],
  ])('does not trust the book after %s until the next diff links', (_name, text) => {
    const { hear, observer, session } = startLive();
    hear(text);
    expect(observer.market(ID)).toMatchObject({
      state: 'recovering',
      reason: expect.stringMatching(/^malformed_venue_frame/) as string,
    });
    hear(diff(12, 12));
    expect(observer.isLive(ID)).toBe(true);
    expect(session.stats).toMatchObject({ malformed: 1, gaps: 0, resyncs: 0 });
  });

  it('asks for a snapshot where a frame that could not be read was the last one', () => {
    const { hear, observer, session, clock, asked, answer } = startLive();
    hear('{"stream":"btcusdt@depth');
    clock.advanceTo(clock.now() + 5_000);
    expect(asked).toHaveLength(1);
    expect(session.stats).toMatchObject({ malformed: 1, gaps: 0, resyncs: 1 });
    answer(depth(12));
    hear(diff(13, 13));
    expect(observer.isLive(ID)).toBe(true);
  });

  it('doubts only the book that the unreadable frame names, and every one where it names none', () => {
    const { open, answer, hear, observer } = startSession('spot', ['BTCUSDT', 'ETHUSDT']);
    open();
    answer(depth(10));
    answer(depth(50));
    hear(diff(11, 11));
    hear(diff(51, 51, [], [], 'ETHUSDT'));
    const live = () => ['BTCUSDT', 'ETHUSDT'].filter((symbol) => observer.isLive(symbol));
    hear('{"stream":"ethusdt@depth@100ms","data":{"e":');
    expect(live()).toEqual(['BTCUSDT']);
    hear('{"e":"depthUpdate","s":"ETHUSDT","U":');
    expect(live()).toEqual(['BTCUSDT']);
    hear('{"stream":"btcusdt@trade","data":{"e":');
    expect(live()).toEqual(['BTCUSDT']);
    hear('????');
    expect(live()).toEqual([]);
  });

  it('asks again where the request failed', () => {
    const { open, answer, asked, clock } = startSession('usdm', ['BTCUSDT']);
    open();
    expect(asked[0]!.url).toBe('https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000');
    answer(new DepthwireError('venue_http', 'refused'));
    clock.advanceTo(START_MS + 1_000);
    expect(asked).toHaveLength(1);
  });
});
