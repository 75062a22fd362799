import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import {
  CaptureFolder,
  diff,
  FakePacemaker,
  frame,
  open,
  prepareReplay,
  replay,
  rest,
  T0,
  toJsonl,
  trade,
  USDM_URL,
  type Line,
  type ReplaySetup,
} from './test-harness.ts';

const folder = new CaptureFolder();
afterAll(() => folder.remove());

const play = (lines: readonly Line[], setup?: ReplaySetup) => replay([folder.write(lines)], setup);

describe('replay: one book', () => {
  it('joins the recorded diffs to the snapshot in their middle', async () => {
    const { observer, stats } = await play([
      open(0),
      diff(100, 1, 3, { b: [['99.00', '9.000']] }),
      diff(200, 4, 6, { b: [['99.50', '1.500']] }),
      rest(300, 5),
      diff(400, 7, 7, { a: [['100.01', '0.000']], b: [['99.98', '0.001']] }),
    ]);
    expect(observer.isLive('BTCUSDT')).toBe(true);
    expect(observer.text('BTCUSDT')).toEqual({
      bids: [
        ['100', '1'],
        ['99.98', '0.001'],
        ['99.5', '1.5'],
      ],
      asks: [],
    });
    expect(stats).toMatchObject({ frames: 3, bookUpdates: 3, links: 2, gaps: 0, resyncs: 0, malformed: 0 });
    expect(observer.market('BTCUSDT').instrument.origin).toBe('replayed');
  });

  it('gives every event its recorded time', async () => {
    const times: number[] = [];
    await play([open(0), rest(50.25, 2), diff(100.5, 3, 3)], {
      onEvent: (event) => {
        if ('receiveTimeMs' in event) times.push(event.receiveTimeMs);
      },
    });
    expect(times).toEqual([T0 + 50.25, T0 + 100.5]);
  });

  it('is live with the later snapshot after a gap', async () => {
    const { observer, stats } = await play([
      open(0),
      diff(100, 1, 2),
      rest(200, 2),
      diff(300, 5, 6, { b: [['99.00', '1']] }),
      rest(400, 5, { bids: [['98.00', '2']] }),
      diff(500, 7, 7),
    ]);
    expect(observer.market('BTCUSDT').states).toEqual(['syncing', 'live', 'recovering', 'live']);
    expect(observer.text('BTCUSDT').bids).toEqual([
      ['99', '1'],
      ['98', '2'],
    ]);
    expect(stats).toMatchObject({ gaps: 1, resyncs: 1 });
  });

  it('stays recovering after a gap that no snapshot mends', async () => {
    const { observer, stats } = await play([
      open(0),
      diff(100, 1, 2),
      rest(200, 2),
      diff(300, 5, 6),
      diff(90_000, 7, 7),
    ]);
    expect(observer.market('BTCUSDT')).toMatchObject({
      state: 'recovering',
      reason: expect.stringMatching(/^sequence gap/) as string,
    });
    expect(stats).toMatchObject({ gaps: 1, resyncs: 1 });
  });

  it('does not mend a gap with a snapshot from before it', async () => {
    const { observer } = await play([
      open(0),
      rest(100, 2),
      rest(200, 2),
      diff(300, 3, 3),
      diff(400, 8, 8),
      diff(90_000, 9, 9),
    ]);
    expect(observer.market('BTCUSDT').states).toEqual(['syncing', 'live', 'recovering']);
  });

  it('takes a finer grid for a number that inspection could not count', async () => {
    const { observer } = await play([
      open(0),
      rest(100, 2),
      diff(200, 3, 3),
      diff(300, 4, 4, { b: [['1e-3', '1']] }), // digits are told from plain decimals only
      rest(400, 4, { bids: [['1e-3', '1']] }),
      diff(500, 5, 5),
    ]);
    expect(observer.isLive('BTCUSDT')).toBe(true);
    expect(observer.text('BTCUSDT').bids).toEqual([['0.001', '1']]);
  });

  it('counts a trade once where trades and aggregate trades are recorded', async () => {
    const { observer, stats } = await play([
      open(0),
      trade(100, 'aggTrade', 1),
      trade(101, 'trade', 10),
      trade(102, 'trade', 11),
      trade(200, 'aggTrade', 2),
    ]);
    expect(observer.market('BTCUSDT').trades.map(({ id }) => id)).toEqual([1, 2]);
    expect(stats.trades).toBe(2);
  });

  it('counts frames that make no sense, and goes on', async () => {
    const { observer, stats } = await play([open(0), frame(50, 'nonsense'), rest(100, 2), diff(200, 3, 3)]);
    expect(stats.malformed).toBe(1);
    expect(observer.isLive('BTCUSDT')).toBe(true);
  });

  it('does not report a book as live whose last frame could not be read', async () => {
    const damaged = { ...diff(300, 4, 4), data: diff(300, 4, 4).data!.slice(0, -5) };
    const lines = [open(0), rest(100, 2), diff(200, 3, 3), damaged];
    const last = await play(lines);
    expect(last.observer.market('BTCUSDT')).toMatchObject({
      state: 'recovering',
      reason: expect.stringMatching(/^malformed_venue_frame/) as string,
    });
    expect((await play([...lines, diff(400, 4, 5)])).observer.isLive('BTCUSDT')).toBe(true);
    expect((await play([...lines, diff(400, 5, 5)])).stats).toMatchObject({ malformed: 1, gaps: 1 });
  });

  it('replays the same events, whatever the speed', async () => {
    const file = folder.write([
      open(0),
      diff(100, 1, 3),
      rest(2_000, 3),
      diff(9_000, 4, 4),
      diff(9_500, 7, 7),
      trade(9_600, 'trade', 1),
    ]);
    const runs: string[][] = [];
    for (const speed of [Infinity, 1, 7.5]) {
      const events: string[] = [];
      await replay([file], { speed, onEvent: (event) => events.push(JSON.stringify(event)) });
      runs.push(events);
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
    expect(runs[0]!.length).toBeGreaterThan(5);
  });
});

describe('replay: snapshots recorded before they are asked for', () => {
  it('takes one from before the socket opened', async () => {
    const { observer } = await play([rest(0, 2), open(100), diff(200, 3, 3)]);
    expect(observer.isLive('BTCUSDT')).toBe(true);
  });

  it('takes the newest of several, and of each symbol its own', async () => {
    const { observer } = await play([
      rest(0, 2, { bids: [['1', '1']] }),
      rest(10, 7, { s: 'ETHUSDT', bids: [['7', '7']] }),
      rest(20, 3, { bids: [['2', '2']] }),
      open(100),
      diff(200, 4, 4),
      diff(300, 8, 8, { s: 'ETHUSDT' }),
    ]);
    expect(observer.text('BTCUSDT').bids).toEqual([['2', '2']]);
    expect(observer.text('ETHUSDT').bids).toEqual([['7', '7']]);
  });

  it('does not take one from before the socket for the book of a quiet stream', async () => {
    const { observer } = await play([
      open(0),
      rest(100, 2),
      diff(200, 3, 3),
      rest(5_000, 3),
      open(10_000),
      diff(10_100, 9, 9, { s: 'ETHUSDT' }),
      diff(40_000, 10, 10, { s: 'ETHUSDT' }),
    ]);
    expect(observer.isLive('BTCUSDT')).toBe(false);
  });

  it('takes none of another market', async () => {
    const futures = {
      ...rest(0, 2),
      url: 'https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000',
    };
    const { observer } = await play([futures, open(100), diff(200, 3, 3)]);
    expect(observer.market('BTCUSDT').state).toBe('syncing');
  });

  it('finds one too old out by the first diff', async () => {
    const { observer } = await play([rest(0, 2), open(100), diff(200, 9, 9)]);
    expect(observer.market('BTCUSDT')).toMatchObject({ state: 'recovering' });
  });
});

describe('replay: sockets', () => {
  it('has the books recovering over a reconnect, and syncs them anew', async () => {
    const lines = [open(0), rest(100, 2), diff(200, 3, 3), open(5_000), diff(5_100, 90, 91)];
    const { observer, stats } = await play([...lines, rest(5_200, 91)]);
    expect(observer.market('BTCUSDT').states).toEqual(['syncing', 'live', 'recovering', 'syncing', 'live']);
    expect(stats.resyncs).toBe(1);
    expect((await play(lines)).observer.market('BTCUSDT')).toMatchObject({
      state: 'syncing',
      reason: 'connection lost in the recording',
    });
  });

  it('takes several sockets of a recording for one connection', async () => {
    const { observer } = await play([
      open(0, 'ws.1'),
      rest(100, 2),
      diff(200, 3, 3),
      open(300, 'ws.2'),
      diff(400, 51, 51, { s: 'ETHUSDT', conn: 'ws.2' }),
      rest(500, 51, { s: 'ETHUSDT' }),
    ]);
    expect(observer.market('BTCUSDT').states).toEqual(['syncing', 'live']);
    expect(observer.isLive('ETHUSDT')).toBe(true);
  });

  it('does not call a book live whose socket ended while another one goes on with it', async () => {
    const first = [open(0, 'ws.1'), rest(100, 2), diff(200, 3, 3)];
    const second = [
      open(300, 'ws.2'),
      diff(400, 4, 4, { conn: 'ws.2' }),
      diff(5_000, 5, 5, { conn: 'ws.2' }),
    ];
    const { observer } = await play([...first, ...second]);
    expect(observer.market('BTCUSDT')).toMatchObject({
      states: ['syncing', 'live', 'recovering'],
      reason: 'its socket ended in the recording',
    });
    const short = await play([...first, ...second.slice(0, 2)]); // even where it goes on for 200 ms only
    expect(short.observer.isLive('BTCUSDT')).toBe(false);
    const healed = await play([...first, ...second, rest(5_100, 5), diff(5_200, 6, 6, { conn: 'ws.2' })]);
    expect(healed.observer.isLive('BTCUSDT')).toBe(true);
  });

  it('leaves books alone whose sockets end side by side', async () => {
    const { observer } = await play([
      open(0, 'ws.1'),
      open(1, 'ws.2'),
      rest(100, 2),
      diff(200, 3, 3),
      diff(201, 3, 3, { conn: 'ws.2' }),
      diff(300, 4, 4),
      diff(350, 4, 4, { conn: 'ws.2' }),
    ]);
    expect(observer.isLive('BTCUSDT')).toBe(true);
  });

  it('goes on with the other of two sockets side by side where one ends', async () => {
    const { observer } = await play([
      open(0, 'ws.1'),
      open(1, 'ws.2'),
      rest(100, 2),
      diff(200, 3, 3),
      diff(201, 3, 3, { conn: 'ws.2' }),
      diff(9_000, 4, 4, { conn: 'ws.2', b: [['99', '7']] }),
    ]);
    expect(observer.isLive('BTCUSDT')).toBe(true);
    expect(observer.text('BTCUSDT').bids).toContainEqual(['99', '7']);
  });

  it('does not call a book live whose socket was opened anew under another name', async () => {
    const lines = [open(0, 'ws.1'), rest(100, 2), diff(200, 3, 3), open(5_000, 'ws.2')];
    const { observer } = await play([...lines, { ...trade(5_100, 'trade', 1), conn: 'ws.2' }]);
    expect(observer.isLive('BTCUSDT')).toBe(false);
    const beside = [open(0, 'ws.1'), open(1, 'ws.2'), rest(100, 2), diff(200, 3, 3)];
    const { observer: other } = await play([...beside, { ...trade(5_100, 'trade', 1), conn: 'ws.2' }]);
    expect(other.isLive('BTCUSDT')).toBe(true); // trades alone, all the time
  });

  it('needs no socket recorded where venue and market are named', async () => {
    const { observer } = await play([diff(0, 1, 2), rest(100, 2), diff(200, 3, 3)], {
      selection: { venue: 'binance', market: 'spot' },
    });
    expect(observer.isLive('BTCUSDT')).toBe(true);
  });
});

describe('replay: several files', () => {
  it('merges those of one market by time into one session', async () => {
    const one = folder.write([open(0), rest(100, 2, { bids: [['1.5', '1']] }), diff(300, 3, 3)]);
    const two = folder.write([
      open(0),
      rest(200, 50, { s: 'ETHUSDT' }),
      diff(250, 51, 51, { s: 'ETHUSDT', b: [['1.25', '1.125']] }),
    ]);
    const times: number[] = [];
    const { observer, feed } = await replay([one, two], {
      onEvent: (event) => {
        if (event.type === 'book-snapshot' || event.type === 'book-delta')
          times.push(event.receiveTimeMs - T0);
      },
    });
    expect(feed.sessions()).toHaveLength(1);
    expect(times).toEqual([100, 200, 250, 300]);
    expect([...observer.markets.values()].map(({ state }) => state)).toEqual(['live', 'live']);
  });

  it('uses the finer scale where two files differ', async () => {
    const one = folder.write([open(0), rest(100, 2, { bids: [['1.5', '1.25']], asks: [] })]);
    const two = folder.write([open(0), diff(200, 3, 3, { b: [['1.125', '1.5']] })]);
    const { observer } = await replay([one, two]);
    expect(observer.market('BTCUSDT').instrument).toMatchObject({
      tick: { decimals: 3 },
      lot: { decimals: 2 },
    });
    expect(observer.isLive('BTCUSDT')).toBe(true);
  });

  it('keeps markets apart, even where they use the same symbol', async () => {
    const spot = folder.write([open(0), rest(100, 2), diff(300, 3, 3)]);
    const usdm = folder.write([
      open(0, 'ws', USDM_URL),
      {
        ...rest(100, 40, { bids: [['99.9', '1']] }),
        url: 'https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000',
      },
      diff(200, 45, 46, { pu: 40 }),
    ]);
    const { observer, feed, stats } = await replay([spot, usdm]);
    expect(feed.sessions().map(({ market }) => market)).toEqual(['spot', 'usdm']);
    expect(observer.text('binance:BTC-USDT').bids).toEqual([['100', '1']]);
    expect(observer.text('binance:BTC-USDT-PERP').bids).toEqual([['99.9', '1']]);
    expect(stats.bookUpdates).toBe(2);
  });
});

describe('replay: the end', () => {
  it('leaves the books as they are where time ends with the recording', async () => {
    const { observer, clock } = await play([open(0), rest(50, 2), diff(60, 3, 3)]);
    expect(observer.isLive('BTCUSDT')).toBe(true);
    expect(clock.now()).toBe(T0 + 60);
  });

  it('tells that the books are stale where time goes on', async () => {
    const run = await prepareReplay([folder.write([open(0), rest(50, 2), diff(60, 3, 3)])], {
      afterEnd: 'stale',
      pacemaker: new FakePacemaker(),
    });
    await run.feed.start(run.observer.context);
    await run.ended;
    const later = Promise.withResolvers<void>();
    run.clock.at(T0 + 10_000, later.resolve);
    await later.promise;
    await run.feed.stop();
    expect(run.observer.market('BTCUSDT')).toMatchObject({
      state: 'stale',
      reason: 'the recording has ended',
    });
  });

  it('does not tell so where it was stopped before', async () => {
    const run = await prepareReplay([folder.write([open(0), rest(50, 2), diff(60, 3, 3), diff(70, 4, 4)])], {
      afterEnd: 'stale',
      onEvent: (event) => {
        if (event.type === 'book-delta') void run.feed.stop();
      },
    });
    await run.feed.start(run.observer.context);
    await run.feed.stop();
    expect(run.observer.market('BTCUSDT').states).not.toContain('stale');
  });

  it('tells where the file is damaged, after the frames before it', async () => {
    const lines = toJsonl([open(0), rest(100, 2), diff(200, 3, 3)]);
    const file = folder.write(lines, 'damaged-later.jsonl');
    const run = await prepareReplay([file]);
    folder.write(`${lines}{"t":\n`, 'damaged-later.jsonl');
    await run.feed.start(run.observer.context);
    expect(await run.ended).toMatchObject({ code: 'capture_corrupt', details: { line: 4 } });
    await run.feed.stop();
  });

  it('emits nothing after it was stopped, and closes its files', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => diff(100 + i, 3 + i, 3 + i));
    const file = folder.write([open(0), rest(50, 2), ...lines], 'long.jsonl');
    let count = 0;
    const run = await prepareReplay([file], {
      onEvent: () => {
        count += 1;
        if (count === 500) void run.feed.stop();
      },
    });
    await run.feed.start(run.observer.context);
    await run.feed.stop();
    const before = count;
    await run.feed.stop();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(count).toBe(before);
    expect(before).toBeLessThan(600);
    expect(openFiles()).not.toContain(file);
  });

  it('can be stopped while it waits to begin', async () => {
    const run = await prepareReplay([folder.write([open(0), rest(50, 2)])], { begin: new Promise(() => {}) });
    await run.feed.start(run.observer.context);
    await run.feed.stop();
    expect(run.observer.market('BTCUSDT').states).toEqual([]);
  });

  it('begins when it may', async () => {
    const begin = Promise.withResolvers<void>();
    const run = await prepareReplay([folder.write([open(0), rest(50, 2), diff(60, 3, 3)])], {
      begin: begin.promise,
    });
    await run.feed.start(run.observer.context);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(run.observer.market('BTCUSDT').states).toEqual([]);
    begin.resolve();
    expect(await run.ended).toBeNull();
    expect(run.observer.isLive('BTCUSDT')).toBe(true);
  });
});

/** Files this process has open; none where the system does not tell. */
function openFiles(): string[] {
  const list = '/proc/self/fd';
  if (!existsSync(list)) return [];
  return readdirSync(list).flatMap((name) => {
    try {
      return [readlinkSync(`${list}/${name}`)];
    } catch {
      return []; // closed since it was listed
    }
  });
}
