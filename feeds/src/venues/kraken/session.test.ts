import { describe, expect, it } from 'vitest';
import { ack, bookFrame, checksumOf, pairs, snapshot, startSession, START_MS } from './test-harness.ts';

const ID = 'kraken:BTC-USD';
const BIDS = ['100.0 1.000', '99.5 2.000'];
const ASKS = ['100.5 3.000'];

/** A session whose two books are live. */
function startLive(depth = 1000) {
  const run = startSession(['BTC/USD', 'ETH/USD']);
  run.session.onOpen();
  run.sent.length = 0;
  for (const symbol of ['BTC/USD', 'ETH/USD']) {
    run.hear(pairs('snapshot', symbol));
    run.hear(ack(symbol, depth));
    run.hear(snapshot(symbol, BIDS, ASKS));
    run.observer.market(symbol).states.length = 0;
  }
  return run;
}

/** An update of one bid, under the checksum of the book that it makes. */
const update = (bid: string, after: string[] = [bid, ...BIDS], timestamp?: string) =>
  bookFrame('update', 'BTC/USD', [bid], [], { checksum: checksumOf(after, ASKS), timestamp });

describe('Kraken session: subscribing', () => {
  it('asks for metadata first, then for the channels of fifty symbols a request', () => {
    const { session, sent } = startSession(Array.from({ length: 60 }, (_, i) => `C${i}/USD`));
    session.onOpen();
    const params = sent.map(
      (request) => request.params as { channel: string; symbol?: string[]; depth?: number },
    );
    expect(params.map(({ channel, symbol }) => [channel, symbol?.length])).toEqual([
      ['instrument', undefined],
      ['book', 50],
      ['trade', 50],
      ['ticker', 50],
      ['book', 10],
      ['trade', 10],
      ['ticker', 10],
    ]);
    expect(params[1]).toMatchObject({ depth: 1000, snapshot: true });
    expect(params[2]).toMatchObject({ snapshot: false });
  });

  it('says so where the venue refuses a symbol, and asks again later', () => {
    const { session, hear, sent, clock, observer } = startSession(['BTC/USD']);
    session.onOpen();
    sent.length = 0;
    hear({
      error: 'Currency pair not supported BTC/USD',
      method: 'subscribe',
      success: false,
      symbol: 'BTC/USD',
    });
    expect(observer.market(ID)).toMatchObject({
      state: 'recovering',
      reason: expect.stringMatching(/refused.*not supported/) as string,
    });
    clock.advanceTo(START_MS + 61_000);
    const methods = sent.map(({ method }) => method).filter((method) => method !== 'ping');
    expect(methods).toEqual(['unsubscribe', 'subscribe']);
  });

  it('pings a venue that says nothing, while the connection lasts', () => {
    const { session, hear, sent, clock } = startSession(['BTC/USD']);
    session.onOpen();
    sent.length = 0;
    const pass = (ms: number) => clock.advanceTo(clock.now() + ms);
    pass(9_000);
    hear({ channel: 'heartbeat' });
    pass(9_999);
    expect(sent).toEqual([]);
    pass(1);
    expect(sent).toEqual([{ method: 'ping' }]);
    hear({ method: 'pong', time_in: '2026-11-20T12:00:00Z', time_out: '2026-11-20T12:00:00Z' });
    pass(10_000);
    expect(sent).toHaveLength(2);
    expect(session.stats.malformed).toBe(0);
    session.onClose('gone');
    pass(60_000);
    expect(sent).toHaveLength(2);
    session.onOpen();
    session.dispose();
    expect(clock.nextDueMs()).toBeNull();
  });

  it('does not take the refusal of another channel for that of a book', () => {
    const { hear, observer } = startLive();
    hear({ error: 'Internal error', method: 'subscribe', success: false, symbol: 'BTC/USD' });
    hear({ error: 'Nope', method: 'subscribe', success: false });
    expect(observer.market(ID).states).toEqual([]);
  });
});

describe('Kraken session: books', () => {
  it('is live with a snapshot whose checksum is right', () => {
    const { observer, session } = startLive();
    expect(observer.text(ID)).toEqual({
      bids: [
        ['100', '1'],
        ['99.5', '2'],
      ],
      asks: [['100.5', '3']],
    });
    expect(session.stats).toMatchObject({
      bookUpdates: 2,
      checksumsOk: 2,
      checksumsBad: 0,
      links: 0,
      gaps: 0,
    });
  });

  it('is never live with a snapshot whose checksum is wrong', () => {
    const { session, hear, observer, sent } = startSession(['BTC/USD']);
    session.onOpen();
    sent.length = 0;
    hear(bookFrame('snapshot', 'BTC/USD', BIDS, ASKS, { checksum: 1 }));
    expect(observer.market(ID)).toMatchObject({ state: 'recovering', snapshots: 0 });
    expect(sent.map(({ method, params }) => [method, params])).toEqual([
      ['unsubscribe', { channel: 'book', symbol: ['BTC/USD'], depth: 1000 }],
      ['subscribe', { channel: 'book', symbol: ['BTC/USD'], depth: 1000, snapshot: true }],
    ]);
  });

  it('takes that book alone anew where an update does not lead to its checksum, and never shows it', () => {
    const { hear, observer, sent, session } = startLive();
    hear(bookFrame('update', 'BTC/USD', ['100.1 9.000'], [], { checksum: 7 }));
    expect(observer.market(ID)).toMatchObject({ states: ['recovering'], deltas: 0 });
    expect(observer.market(ID).reason).toMatch(
      /checksum_mismatch: the venue's checksum is 7, this book's \d+/,
    );
    expect(observer.market('ETH/USD').states).toEqual([]);
    expect(sent).toHaveLength(2);
    hear(update('100.2 1.000')); // of the subscription before
    expect(observer.market(ID).deltas).toBe(0);
    hear(snapshot('BTC/USD', BIDS, ASKS));
    expect(observer.market(ID).states).toEqual(['recovering', 'live']);
    expect(session.stats).toMatchObject({ checksumsBad: 1, resyncs: 1 });
  });

  it('applies the levels of a message in their order', () => {
    const { hear, observer } = startLive();
    const bids = ['100.2 5.000', '100.2 0.000', '100.3 1.000', '100.3 4.000'];
    hear(bookFrame('update', 'BTC/USD', bids, [], { checksum: checksumOf(['100.3 4.000', ...BIDS], ASKS) }));
    expect(observer.text(ID).bids[0]).toEqual(['100.3', '4']);
    expect(observer.isLive(ID)).toBe(true);
  });

  it('takes every entry of a message, each under its own checksum', () => {
    const { hear, observer, session } = startLive();
    const entry = (symbol: string, checksum: number) =>
      `{"symbol":"${symbol}","bids":[{"price":100.1,"qty":1.000}],"asks":[],"checksum":${checksum}}`;
    const right = checksumOf(['100.1 1.000', ...BIDS], ASKS);
    const entries = [entry('BTC/USD', right), entry('NOT/OURS', 1), entry('ETH/USD', (right ^ 1) >>> 0)];
    hear(`{"channel":"book","type":"update","data":[${entries.join(',')}]}`);
    expect(observer.market(ID)).toMatchObject({ states: [], deltas: 1 });
    expect(observer.market('ETH/USD').states).toEqual(['recovering']);
    expect(session.stats).toMatchObject({ checksumsOk: 3, checksumsBad: 1, bookUpdates: 4 });
  });

  it('cuts the book off at the depth that was acknowledged, and tells what fell out', () => {
    const { session, hear, observer } = startSession(['BTC/USD']);
    session.onOpen();
    hear(pairs('snapshot', 'BTC/USD'));
    hear(ack('BTC/USD', 10));
    const bids = Array.from({ length: 10 }, (_, i) => `${90 - i}.0 1.000`);
    hear(snapshot('BTC/USD', bids, ASKS));
    hear(
      bookFrame('update', 'BTC/USD', ['85.5 2.000'], [], {
        checksum: checksumOf([...bids.slice(0, 5), '85.5 2.000', ...bids.slice(5)], ASKS),
      }),
    );
    expect(observer.text(ID).bids).toHaveLength(10);
    // The level that fell out is gone at the venue: once one above it goes, another moves up.
    const after = [...bids.slice(1, 5), '85.5 2.000', ...bids.slice(5, 9), '80.5 3.000'];
    hear(
      bookFrame('update', 'BTC/USD', ['90.0 0.000', '80.5 3.000'], [], { checksum: checksumOf(after, ASKS) }),
    );
    expect(observer.market(ID).state).toBe('live');
    expect(observer.text(ID).bids.at(-1)).toEqual(['80.5', '3']);
  });

  it('takes the depth that it asked for, where the acknowledgement tells none', () => {
    const { session, hear, observer } = startSession(['BTC/USD']);
    session.onOpen();
    const bids = Array.from({ length: 10 }, (_, i) => `${90 - i}.0 1.000`);
    hear({ method: 'subscribe', result: { channel: 'book', symbol: 'BTC/USD' }, success: true });
    hear(bookFrame('snapshot', 'BTC/USD', bids, ASKS));
    hear(bookFrame('update', 'BTC/USD', ['85.5 2.000'], []));
    expect(observer.text(ID).bids).toHaveLength(11);
  });

  describe('of a recording without acknowledgements', () => {
    const deep = (count: number) => Array.from({ length: count }, (_, i) => `${90 - i}.0 1.000`);

    function startRecorded(count: number) {
      const run = startSession(['BTC/USD']);
      run.session.onOpen(true);
      run.hear(bookFrame('snapshot', 'BTC/USD', deep(count), ASKS));
      return {
        ...run,
        update: (...bids: string[]) => run.hear(bookFrame('update', 'BTC/USD', bids, [])),
        bids: () => run.observer.text(ID).bids.map(([price]) => Number(price)),
      };
    }

    it('is deeper once a level is told below that depth', () => {
      const { update, bids, observer } = startRecorded(10);
      for (let price = 80; price > 75; price--) update(`${price}.0 1.000`);
      expect(bids()).toHaveLength(15);
      expect(observer.isLive(ID)).toBe(true);
    });

    it('is not, where the level that is told moves up for another, or is pushed out with the same message', () => {
      const { update, bids, observer } = startRecorded(10);
      update('90.0 0.000', '80.0 1.000');
      expect([bids().length, bids().at(-1)]).toEqual([10, 80]);
      update('80.5 1.000', '90.0 1.000', '91.0 1.000');
      expect([bids().length, bids().at(-1)]).toEqual([10, 82]);
      expect(observer.isLive(ID)).toBe(true);
    });

    it('is lost where levels had been cut off before that was known', () => {
      const { hear, update, bids, observer } = startRecorded(10);
      update('90.5 1.000');
      expect(bids()).toHaveLength(10);
      update('80.0 1.000');
      expect(observer.market(ID)).toMatchObject({
        state: 'recovering',
        reason: expect.stringContaining('is deeper') as string,
      });
      hear(bookFrame('snapshot', 'BTC/USD', deep(10), ASKS));
      update('90.5 1.000');
      expect(bids()).toHaveLength(11);
      expect(observer.isLive(ID)).toBe(true);
    });

    it('has the depth of an acknowledgement that comes late', () => {
      const { hear, update, bids } = startRecorded(10);
      hear(ack('BTC/USD', 25));
      update('90.5 1.000');
      expect(bids()).toHaveLength(11);
    });
  });

  it('takes the smallest depth that holds the snapshot, where none was acknowledged', () => {
    const { session, hear, observer } = startSession(['BTC/USD']);
    session.onOpen(true);
    const bids = Array.from({ length: 25 }, (_, i) => `${90 - i}.0 1.000`);
    hear(snapshot('BTC/USD', bids, ASKS));
    hear(bookFrame('update', 'BTC/USD', ['85.5 2.000'], [], {}));
    expect(observer.text(ID).bids).toHaveLength(25);
  });

  it('reads the precision from the wire where no metadata came', () => {
    const { session, hear, observer } = startSession(['ADA/BTC'], 8, 3);
    session.onOpen(true);
    const [bids, asks] = [['0.000022890 31.750'], ['0.000022900 1.000']];
    hear(snapshot('ADA/BTC', bids, asks));
    expect(observer.market('ADA/BTC')).toMatchObject({ state: 'live' });
  });

  it('finds the precision that makes the checksum right where neither tells it, and keeps to it', () => {
    const { session, hear, observer } = startSession(['BTC/USD']);
    session.onOpen(true);
    const checksum = checksumOf(BIDS, ASKS);
    hear(bookFrame('snapshot', 'BTC/USD', ['100 1', '99.5 2'], ['100.5 3'], { checksum }));
    expect(observer.isLive(ID)).toBe(true);
    hear(bookFrame('update', 'BTC/USD', ['100.1 9'], [], { checksum: 7 }));
    expect(observer.market(ID)).toMatchObject({ state: 'recovering', deltas: 0 });
  });

  it('follows the metadata where the wire leaves zeros out', () => {
    const { session, hear, observer } = startSession(['BTC/USD']);
    session.onOpen();
    hear(pairs('snapshot', 'BTC/USD'));
    hear(
      bookFrame('snapshot', 'BTC/USD', ['100 1', '99.5 2'], ['100.5 3'], {
        checksum: checksumOf(BIDS, ASKS),
      }),
    );
    expect(observer.isLive(ID)).toBe(true);
  });

  it('uses a finer grid for a level between the ticks, under a right checksum', () => {
    const { hear, observer } = startLive();
    hear(update('100.25 1.000'));
    expect(observer.market(ID).reason).toMatch(/off_grid/);
    hear(snapshot('BTC/USD', ['100.25 1.000', ...BIDS], ASKS));
    expect(observer.market(ID)).toMatchObject({
      state: 'live',
      instrument: { tick: { units: 1, decimals: 2 } },
    });
  });

  it('loses a book whose messages come in the wrong order, though their checksums be right', () => {
    const { hear, observer, session } = startLive();
    const at = (micros: number) => `2026-11-20T12:00:00.00000${micros}Z`;
    hear(update('99.0 1.000', [...BIDS, '99.0 1.000'], at(2)));
    hear(update('99.0 1.000', [...BIDS, '99.0 1.000'], at(2))); // twice does no harm
    expect(observer.market(ID).states).toEqual([]);
    hear(update('99.0 1.000', [...BIDS, '99.0 1.000'], at(1)));
    expect(observer.market(ID).states).toEqual(['recovering']);
    expect(session.stats.gaps).toBe(1);
  });

  it('loses the book of an update that cannot be read: what lay deep in it no checksum would prove', () => {
    const { hear, observer, session } = startLive();
    hear(update('100.1 1.000').slice(0, -9));
    expect(observer.market(ID)).toMatchObject({ states: ['recovering'] });
    expect(observer.market('ETH/USD').states).toEqual([]);
    expect(session.stats).toMatchObject({ malformed: 1, resyncs: 1 });
  });

  it('loses every book where such an update names none', () => {
    const { hear, observer } = startLive();
    hear('{"channel":"book","type":"upd');
    expect(observer.market(ID).states).toEqual(['recovering']);
    expect(observer.market('ETH/USD').states).toEqual(['recovering']);
  });

  it('doubts all books after a frame that tells nothing, until a checksum is right', () => {
    const { hear, observer } = startLive();
    hear('{"');
    expect(observer.market(ID).states).toEqual(['recovering']);
    hear(update('100.1 1.000'));
    expect(observer.market(ID).states).toEqual(['recovering', 'live']);
  });

  it('has nothing to do with a broken frame of another channel', () => {
    const { hear, observer, session } = startLive();
    hear('{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bi');
    expect(observer.market(ID).states).toEqual([]);
    expect(session.stats.malformed).toBe(1);
  });

  it('forgets depth and order with the connection', () => {
    const { session, hear, observer } = startLive(10);
    session.onClose('cut');
    session.onOpen();
    expect(observer.market(ID).states).toEqual(['recovering', 'syncing']);
    const bids = Array.from({ length: 12 }, (_, i) => `${90 - i}.0 1.000`);
    hear(snapshot('BTC/USD', bids, ASKS));
    expect(observer.text(ID).bids).toHaveLength(12);
    expect(observer.isLive(ID)).toBe(true);
  });
});

describe('Kraken session: trades, statistics, metadata', () => {
  const trade = (type: string, tradeId: number) => ({
    channel: 'trade',
    type,
    data: [
      {
        symbol: 'BTC/USD',
        side: 'sell',
        price: 100.5,
        qty: 0.25,
        ord_type: 'market',
        trade_id: tradeId,
        timestamp: '2026-11-20T12:00:00.123456Z',
      },
    ],
  });

  it('tells trades with the side of the taker, and leaves past ones out', () => {
    const { hear, observer } = startLive();
    hear(trade('snapshot', 1));
    hear(trade('update', 2));
    expect(observer.market(ID).trades).toMatchObject([
      { id: 2, side: 'sell', price: 1005, size: 250, venueTimeMs: START_MS + 123 },
    ]);
  });

  it('tells the figures of 24 hours, zero being none', () => {
    const { hear, observer } = startLive();
    const figures = { last: 100.5, volume: 10, vwap: 99.5, low: 0, high: 101, change: -1.3 };
    hear({ channel: 'ticker', type: 'update', data: [{ symbol: 'BTC/USD', ...figures }] });
    expect(observer.market(ID).ticker).toMatchObject({
      last: 1005,
      open: 1018,
      high: 1010,
      low: null,
      volume: 10_000,
      turnover: 995,
    });
  });

  it('tells a halt as it is pushed, and nothing where nothing changed', () => {
    const { hear, observer } = startLive();
    const told = observer.market(ID).instrument;
    hear(pairs('update', 'BTC/USD'));
    expect(observer.market(ID).instrument).toBe(told);
    hear(pairs('update', 'BTC/USD', { status: 'cancel_only' }));
    expect(observer.market(ID)).toMatchObject({ instrument: { status: 'halted' }, states: [] });
    hear(pairs('update', 'BTC/USD', { status: 'online' }));
    expect(observer.market(ID).instrument.status).toBe('trading');
  });

  it('takes a book anew whose tick size changed', () => {
    const { hear, observer, sent } = startLive();
    hear(pairs('update', 'BTC/USD', { price_increment: 0.01, price_precision: 2 }));
    expect(observer.market(ID).instrument.tick).toEqual({ units: 1, decimals: 2 });
    expect(observer.market(ID).state).toBe('recovering');
    expect(sent).toHaveLength(2);
    hear(snapshot('BTC/USD', ['100.00 1.000'], ['100.50 3.000']));
    expect(observer.isLive(ID)).toBe(true);
  });

  it('keeps the grid of a recording, which may be another than the metadata in it', () => {
    const { session, hear, observer } = startSession(['BTC/USD'], 4, 3);
    session.onOpen(true);
    hear(pairs('snapshot', 'BTC/USD', { price_increment: 0.00000001, price_precision: 8 }));
    expect(observer.market(ID).instrument.tick).toEqual({ units: 1, decimals: 4 });
    hear(snapshot('BTC/USD', ['100.00000000 1.000'], ['100.50000000 3.000']));
    expect(observer.isLive(ID)).toBe(true);
  });

  it('is not harmed by metadata of no use', () => {
    const { hear, observer, session } = startLive();
    hear(pairs('update', 'BTC/USD', { price_increment: 'much' }));
    hear(pairs('update', 'BTC/USD', { status: 7 }));
    expect(observer.market(ID).states).toEqual([]);
    expect(session.stats.malformed).toBe(0);
  });
});
