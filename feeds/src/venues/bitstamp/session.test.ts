import { DepthwireError } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { accepted, diff, micros, snapshot, START_MS, startSession } from './test-harness.ts';

const ID = 'bitstamp:BTC-USD';
const TICKERS = 'https://www.bitstamp.net/api/v2/ticker/';

/** A session whose only book is live at one second, by a snapshot and a diff. */
function startLive() {
  const run = startSession('btcusd');
  run.open();
  for (let ms = 100; ms <= 600; ms += 100) run.hear(diff(ms));
  run.answer('btcusd', snapshot(600));
  run.hear(diff(1_000, [['99.99', '3.00000000']]));
  expect(run.observer.isLive(ID)).toBe(true);
  return run;
}

describe('Bitstamp session: subscribing', () => {
  it('asks for one channel a frame, books first', () => {
    const { session, sent } = startSession('btcusd', 'etheur');
    session.onOpen();
    expect(sent.map((text) => JSON.parse(text) as unknown)).toEqual(
      ['diff_order_book_btcusd', 'diff_order_book_etheur', 'live_trades_btcusd', 'live_trades_etheur'].map(
        (channel) => ({ event: 'bts:subscribe', data: { channel } }),
      ),
    );
    expect(sent.every((text) => text.length < 512)).toBe(true);
  });

  it('asks for a snapshot only once six diffs have come, or some seconds have passed', () => {
    const { open, hear, wait, waiting } = startSession('btcusd', 'etheur');
    open();
    for (let ms = 1; ms <= 5; ms++) hear(diff(ms));
    expect(waiting('btcusd')).toHaveLength(0);
    hear(diff(6));
    expect(waiting('btcusd').map(({ url }) => url)).toEqual([
      'https://www.bitstamp.net/api/v2/order_book/btcusd/?group=1',
    ]);
    expect(waiting('etheur')).toHaveLength(0);
    wait(5_000);
    expect(waiting('etheur')).toHaveLength(1);
  });

  it('sends heartbeats while the connection lasts, and none in a recording', () => {
    const { session, sent, open, wait } = startSession('btcusd');
    open();
    sent.splice(0);
    wait(41_000);
    expect(sent).toEqual(Array(2).fill('{"event":"bts:heartbeat"}'));
    session.onClose('gone');
    wait(60_000);
    expect(sent).toHaveLength(2);
    const recorded = startSession('btcusd');
    recorded.session.onOpen(true);
    recorded.sent.splice(0);
    recorded.wait(60_000);
    expect(recorded.sent).toEqual([]);
    expect(recorded.asked.filter(({ url }) => url === TICKERS)).toEqual([]);
  });

  it('asks again for what the venue did not confirm, and says so', () => {
    const { session, sent, hear, wait, observer } = startSession('btcusd', 'etheur');
    session.onOpen();
    hear(accepted('etheur'));
    hear({ event: 'bts:error', channel: '', data: { code: null, message: 'Invalid channel provided.' } });
    sent.splice(0);
    wait(60_000);
    expect(observer.market(ID)).toMatchObject({
      state: 'recovering',
      reason: expect.stringContaining('Invalid channel provided.') as string,
    });
    expect(observer.market('etheur').state).toBe('syncing');
    expect(sent.filter((text) => text.includes('subscribe'))).toEqual([
      '{"event":"bts:subscribe","data":{"channel":"diff_order_book_btcusd"}}',
    ]);
  });

  it('has another connection opened when the venue asks for it', () => {
    const { hear, open, replaced } = startSession('btcusd');
    open();
    hear({ event: 'bts:request_reconnect', channel: '', data: null });
    expect(replaced).toEqual(['the venue asks to reconnect']);
  });
});

describe('Bitstamp session: books', () => {
  it('goes from syncing to live, with every digit', () => {
    const { observer, session } = startLive();
    expect(observer.market(ID).states).toEqual(['syncing', 'live']);
    expect(observer.text(ID)).toEqual({
      bids: [
        ['100', '1'],
        ['99.99', '3'],
      ],
      asks: [['100.01', '2']],
    });
    expect(session.stats).toMatchObject({ bookUpdates: 7, links: 6, gaps: 0, resyncs: 0, malformed: 0 });
  });

  it('holds a size that is past 2^53 lots next to one of a single lot', () => {
    const { open, hear, answer, observer } = startSession('xrpeur');
    open();
    for (let ms = 1; ms <= 6; ms++) hear(diff(ms, [], [], 'xrpeur'));
    const bids: [string, string][] = [
      ['0.73', '0.00000001'],
      ['0.01', '112716000.00000000'],
    ];
    answer('xrpeur', snapshot(6, bids));
    expect(observer.isLive('xrpeur')).toBe(true);
    expect(observer.text('xrpeur').bids).toEqual([
      ['0.73', '0.00000001'],
      ['0.01', '112716000'],
    ]);
  });

  it('takes no snapshot that is older than the first diff', () => {
    const { open, hear, answer, wait, waiting, observer } = startSession('btcusd');
    open();
    for (let ms = 1_000; ms <= 1_005; ms++) hear(diff(ms));
    answer('btcusd', snapshot(999));
    expect(observer.market(ID)).toMatchObject({ state: 'syncing', snapshots: 0 });
    wait(1_000);
    expect(waiting('btcusd')).toHaveLength(1);
    answer('btcusd', snapshot(1_005));
    expect(observer.isLive(ID)).toBe(true);
  });

  it('finds a diff that comes late, and takes no snapshot that lacks the one that came early', () => {
    const { hear, answer, wait, waiting, observer, session } = startLive();
    hear(diff(1_200, [['99.98', '1']]));
    hear(diff(1_100, [['99.97', '1']]));
    expect(observer.market(ID)).toMatchObject({
      state: 'recovering',
      reason: expect.stringContaining('came after') as string,
    });
    expect(session.stats).toMatchObject({ gaps: 1, resyncs: 1 });
    for (let ms = 1_300; ms <= 1_305; ms++) hear(diff(ms));
    answer('btcusd', snapshot(1_150));
    expect(observer.isLive(ID)).toBe(false);
    wait(1_000);
    answer('btcusd', snapshot(1_302));
    expect(observer.isLive(ID)).toBe(true);
    expect(waiting('btcusd')).toHaveLength(0);
  });

  it('does not trust a book after a frame that may have been one of its diffs', () => {
    const { hear, observer } = startLive();
    const text = JSON.stringify(diff(1_100, [['99.98', '1']]));
    hear(text.slice(0, -9));
    expect(observer.isLive(ID)).toBe(false);
    hear(diff(1_200)); // proves nothing
    expect(observer.isLive(ID)).toBe(false);
  });

  it.each([
    ['a price that is no number', ['abc', '1']],
    ['an amount below zero', ['1', '-1']],
    ['an amount that no number holds', ['1', '99999999999999999.00000001']],
  ])('does not stay live with a diff of %s', (_name, level) => {
    const { hear, observer, session } = startLive();
    hear(diff(1_100, [level as [string, string]]));
    expect(observer.isLive(ID)).toBe(false);
    expect(session.stats.malformed).toBe(1);
  });

  it('tells trades with the side of the taker', () => {
    const { hear, observer } = startLive();
    const data = {
      id: 5,
      id_str: '2001939623936278528',
      type: 1,
      price_str: '100.01',
      amount_str: '0.50000000',
    };
    hear({
      event: 'trade',
      channel: 'live_trades_btcusd',
      data: { ...data, microtimestamp: String(micros(7)) },
    });
    expect(observer.market(ID).trades).toEqual([
      expect.objectContaining({
        id: data.id_str,
        side: 'sell',
        price: 10001,
        size: 5e7,
        venueTimeMs: START_MS + 7,
      }),
    ]);
  });

  it('tells the 24 h figures, which it asks for every minute', () => {
    const { asked, observer, wait, clock } = startLive();
    const tickers = () => asked.filter(({ url }) => url === TICKERS);
    expect(tickers()).toHaveLength(1);
    const figures = {
      last: '101',
      open: '1',
      open_24: '99',
      high: '102',
      low: '98',
      volume: '10',
      vwap: '100.5',
    };
    const body = JSON.stringify([
      { ...figures, pair: 'BTC/USD', timestamp: String(START_MS / 1000) },
      { pair: 'X/Y' },
    ]);
    tickers()[0]!.callback({ status: 200, body, retryAfterMs: null, receiveTimeMs: clock.now() });
    expect(observer.market(ID).ticker).toMatchObject({
      ...{
        last: 10_100,
        open: 9_900,
        high: 10_200,
        low: 9_800,
        volume: 10e8,
        turnover: 1_005,
        venueTimeMs: START_MS,
      },
    });
    for (const result of [new DepthwireError('venue_http', 'no'), '<html>', '[5]']) {
      const callback = tickers()[0]!.callback;
      if (typeof result === 'string')
        callback({ status: 200, body: result, retryAfterMs: null, receiveTimeMs: clock.now() });
      else callback(result);
    }
    wait(60_000);
    expect(tickers()).toHaveLength(2);
  });
});

describe('Bitstamp session: comparing a live book with later snapshots', () => {
  /** A live book whose comparison has begun: diffs are held from 21 s on. */
  function startComparing() {
    const run = startLive();
    run.wait(20_000);
    expect(run.waiting('btcusd')).toHaveLength(0);
    for (let ms = 21_000; ms <= 21_005; ms++) run.hear(diff(ms, [['99.00', String(ms)]]));
    expect(run.waiting('btcusd')).toHaveLength(1);
    run.observer.market(ID).states.splice(0);
    return run;
  }

  const bids = (at99: string): [string, string][] => [
    ['100.00', '1'],
    ['99.99', '3'],
    ['99.00', at99],
  ];

  it('leaves a book alone that is right', () => {
    const { answer, observer, session } = startComparing();
    answer('btcusd', snapshot(21_003, bids('21003')));
    expect(observer.market(ID).states).toEqual([]);
    expect(session.stats).toMatchObject({ gaps: 0, resyncs: 0 });
  });

  it('takes a book anew that lacks a level', () => {
    const { answer, hear, observer, session, waiting } = startComparing();
    answer('btcusd', snapshot(21_003, [...bids('21003'), ['98.00', '7']]));
    expect(observer.market(ID)).toMatchObject({
      states: ['recovering'],
      reason: "the book differs from the venue's, an update was lost: bid 98 has 0, not 7",
    });
    expect(session.stats).toMatchObject({ gaps: 1, resyncs: 1 });
    for (let ms = 22_000; ms <= 22_005; ms++) hear(diff(ms));
    expect(waiting('btcusd')).toHaveLength(1);
    answer('btcusd', snapshot(22_005, [...bids('21005'), ['98.00', '7']]));
    expect(observer.isLive(ID)).toBe(true);
    expect(observer.text(ID).bids.at(-1)).toEqual(['98', '7']);
  });

  it.each<[name: string, levels: [string, string][], asks: [string, string][], told: string]>([
    ['a size', bids('21003').with(0, ['100.00', '5']), [['100.01', '2']], 'bid 100 has 1, not 5'],
    ['a level too many', bids('21003').slice(1), [['100.01', '2']], 'bid 100 has 1, not 0'],
    ['an ask', bids('21003'), [['100.02', '2']], 'ask 100.01 has 2, not 0'],
    [
      'a level off the grid',
      [...bids('21003'), ['98.001', '1']],
      [['100.01', '2']],
      '98.001 is not a multiple',
    ],
  ])('finds %s', (_name, levels, asks, told) => {
    const { answer, observer } = startComparing();
    answer('btcusd', snapshot(21_003, levels, asks));
    expect(observer.market(ID).reason).toContain(told);
  });

  it('waits for the stream where the snapshot is ahead of it', () => {
    const { answer, hear, observer } = startComparing();
    answer('btcusd', snapshot(21_500, bids('21500')));
    expect(observer.market(ID).states).toEqual([]);
    hear(diff(21_600, [['99.00', '21500']]));
    expect(observer.market(ID).states).toEqual([]);
  });

  it('or for the stream to stay quiet', () => {
    const { answer, wait, observer } = startComparing();
    answer('btcusd', snapshot(21_500, bids('21500')));
    wait(4_999);
    expect(observer.market(ID).states).toEqual([]);
    wait(1);
    expect(observer.market(ID).states).toEqual(['recovering']);
  });

  it.each<[name: string, body: object | string | DepthwireError, status: number]>([
    ['is older than the diffs held', snapshot(20_999, []), 200],
    ['makes no sense', '<html>', 200],
    ['is refused', '{}', 503],
    ['cannot be had', new DepthwireError('venue_http', 'no route'), 200],
  ])('asks again for a snapshot that %s', (_name, body, status) => {
    const { answer, hear, wait, waiting, observer } = startComparing();
    answer('btcusd', body, status);
    expect(observer.market(ID).states).toEqual([]);
    wait(10_000);
    for (let ms = 32_000; ms <= 32_005; ms++) hear(diff(ms, [['99.00', String(ms)]]));
    expect(waiting('btcusd')).toHaveLength(1);
  });

  it('compares every few minutes, a quiet book too', () => {
    const { answer, wait, waiting, observer } = startComparing();
    answer('btcusd', snapshot(21_003, bids('21003')));
    for (let round = 0; round < 3; round++) {
      wait(184_000);
      expect(waiting('btcusd')).toHaveLength(0);
      wait(1_000);
      answer('btcusd', snapshot(100_000 + round, bids('21005')));
      wait(5_000);
    }
    expect(observer.market(ID).states).toEqual([]);
  });

  it('learns nothing about a quiet book from a snapshot of before its newest diff', () => {
    const { answer, wait, waiting, observer } = startComparing();
    answer('btcusd', snapshot(21_003, bids('21003')));
    wait(185_000);
    answer('btcusd', snapshot(21_004, [['1.00', '1']]));
    wait(5_000);
    expect(observer.market(ID).states).toEqual([]);
    wait(10_000);
    expect(waiting('btcusd')).toHaveLength(1);
  });

  describe('where a diff changes nothing', () => {
    const NO_CHANGE = expect.stringContaining('tells of no change') as string;

    /** A live book that was told at 22 s to remove what it does not have, and whose snapshot is asked for. */
    function startSuspect() {
      const run = startComparing();
      run.answer('btcusd', snapshot(21_003, bids('21003')));
      run.hear(diff(22_000, [['97.00', '0']]));
      expect(run.observer.market(ID)).toMatchObject({ states: ['recovering'], reason: NO_CHANGE });
      for (let ms = 23_000; ms <= 23_004; ms++) run.hear(diff(ms, [['99.00', String(ms)]]));
      expect(run.waiting('btcusd')).toHaveLength(1);
      return run;
    }

    it('takes the book anew where the venue has another one', () => {
      const { answer, observer, session } = startSuspect();
      answer('btcusd', snapshot(23_002, [...bids('23002'), ['98.00', '7']]));
      expect(observer.market(ID)).toMatchObject({
        states: ['recovering', 'recovering'],
        reason: expect.stringContaining('bid 98 has 0, not 7') as string,
      });
      expect(session.stats).toMatchObject({ gaps: 1, resyncs: 1 });
    });

    it('trusts the book again where it is the venue’s, and does not suspect it for that any more', () => {
      const { answer, hear, observer, session } = startSuspect();
      answer('btcusd', snapshot(23_002, bids('23002')));
      expect(observer.market(ID).states).toEqual(['recovering', 'live']);
      hear(diff(24_000, [['97.00', '0']]));
      expect(observer.isLive(ID)).toBe(true);
      expect(session.stats).toMatchObject({ gaps: 0, resyncs: 0 });
    });

    it('does not trust it by a snapshot from before', () => {
      const { answer, hear, waiting, observer } = startSuspect();
      hear(diff(23_500, [['100.00', '1']])); // the size it has: something else is missing
      answer('btcusd', snapshot(23_002, bids('23002')));
      expect(observer.isLive(ID)).toBe(false);
      for (let ms = 24_000; ms <= 24_005; ms++) hear(diff(ms, [['99.00', String(ms)]]));
      expect(waiting('btcusd')).toHaveLength(1);
      answer('btcusd', snapshot(24_001, bids('24001')));
      expect(observer.market(ID).states).toEqual(['recovering', 'live']);
    });

    it('trusts it after some comparisons where the venue goes on like that', () => {
      const { answer, hear, observer } = startSuspect();
      for (let second = 23; second <= 25; second++) {
        expect(observer.isLive(ID)).toBe(false);
        for (let ms = second * 1_000 + 100; ms < second * 1_000 + 106; ms++) hear(diff(ms, [['97.00', '0']]));
        answer('btcusd', snapshot(second * 1_000 + (second === 23 ? 4 : 100), bids('23004')));
      }
      expect(observer.isLive(ID)).toBe(true);
    });

    describe('in a recording', () => {
      /** A recorded book that is live, and whose snapshots nobody will answer. */
      function startRecorded() {
        const run = startSession('btcusd');
        run.session.onOpen(true);
        for (let ms = 100; ms <= 600; ms += 100) run.hear(diff(ms));
        run.answer('btcusd', snapshot(600));
        run.hear(diff(700, [['99.99', '3']]));
        return run;
      }

      it('takes one removal of what is not there for harmless, and asks all the same', () => {
        const { hear, wait, waiting, observer, session } = startRecorded();
        hear(diff(800, [['97.00', '0']], [['109.00', '0']]));
        expect(observer.isLive(ID)).toBe(true);
        wait(5_000);
        expect(waiting('btcusd')).toHaveLength(1);
        hear(diff(70_000, [['96.00', '0']])); // long after
        hear(diff(131_000, [['97.00', '0']]));
        expect(observer.isLive(ID)).toBe(true);
        expect(session.stats).toMatchObject({ gaps: 0, resyncs: 0 });
      });

      it('trusts it no more where a snapshot was recorded that differs', () => {
        const { hear, wait, answer, observer } = startRecorded();
        hear(diff(800, [['97.00', '0']]));
        wait(5_000);
        answer('btcusd', snapshot(5_000));
        hear(diff(5_100));
        expect(observer.market(ID).reason).toContain('bid 99.99 has 3, not 0');
      });

      it.each<[name: string, second: [string, string]]>([
        ['a second one within a minute', ['96.00', '0']],
        ['a level that is told the size it has', ['99.99', '3']],
      ])('is not live after %s', (_name, level) => {
        const { hear, observer } = startRecorded();
        hear(diff(800, [['97.00', '0']]));
        hear(diff(60_000, [level]));
        expect(observer.market(ID)).toMatchObject({ state: 'recovering', reason: NO_CHANGE });
      });

      it('forgets with a new snapshot what came before it', () => {
        const { hear, answer, observer } = startRecorded();
        hear(diff(800, [['97.00', '0']]));
        hear(diff(750)); // late: the book is taken anew
        for (let ms = 900; ms <= 1_400; ms += 100) hear(diff(ms));
        answer('btcusd', 'to the comparison', 503);
        answer('btcusd', snapshot(1_400));
        hear(diff(1_500));
        hear(diff(1_600, [['97.00', '0']]));
        expect(observer.isLive(ID)).toBe(true);
      });
    });

    it('lets the first diff after a snapshot tell what the snapshot has', () => {
      const { session, hear, answer, observer } = startSession('btcusd');
      session.onOpen(true);
      for (let ms = 100; ms <= 600; ms += 100) hear(diff(ms));
      answer('btcusd', snapshot(650));
      hear(diff(700, [['100.00', '1']]));
      hear(diff(800, [['99.00', '1']]));
      expect(observer.market(ID).states).toEqual(['syncing', 'live']);
      hear(diff(900, [['99.00', '1']]));
      expect(observer.isLive(ID)).toBe(false);
    });
  });

  it('compares nothing with a connection that is gone, and spreads the books over the time', () => {
    const { open, session, wait, waiting, hear, answer } = startSession('btcusd', 'etheur');
    open();
    for (const symbol of ['btcusd', 'etheur']) {
      for (let ms = 1; ms <= 6; ms++) hear(diff(ms, [], [], symbol));
      answer(symbol, snapshot(6));
    }
    wait(25_000);
    expect([waiting('btcusd').length, waiting('etheur').length]).toEqual([1, 0]);
    wait(90_000);
    expect(waiting('etheur')).toHaveLength(1);
    session.onClose('gone');
    answer('btcusd', snapshot(25_000, [['1.00', '1']]));
    expect(session.stats.gaps).toBe(0);
  });
});
