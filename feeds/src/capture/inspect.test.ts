import { afterAll, describe, expect, it } from 'vitest';
import { inspectCapture } from './inspect.ts';
import { CaptureFolder, diff, open, rest, T0, toJsonl, trade, USDM_URL, type Line } from './test-harness.ts';

const folder = new CaptureFolder();
afterAll(() => folder.remove());

const inspect = (lines: readonly Line[], selection = {}) => inspectCapture(folder.write(lines), selection);
const failure = (code: string, details: object = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) as unknown }) as Error;

const exchangeInfo = (symbol: string, tickSize: string, stepSize: string): Line => ({
  t: T0,
  conn: 'rest',
  kind: 'rest',
  url: 'https://api.binance.com/api/v3/exchangeInfo',
  data: JSON.stringify({
    symbols: [
      {
        symbol,
        status: 'TRADING',
        baseAsset: symbol.slice(0, 3),
        quoteAsset: symbol.slice(3),
        filters: [
          { filterType: 'PRICE_FILTER', tickSize },
          { filterType: 'LOT_SIZE', stepSize },
        ],
      },
    ],
  }),
});

describe('inspectCapture', () => {
  it('tells venue, market, instruments and span from the frames', async () => {
    const info = await inspect([
      open(0),
      diff(10, 1, 2, { b: [['1.50000000', '2.00100000']] }),
      trade(20, 'trade', 1, 'ETHBTC'),
      rest(30, 1, { asks: [['1.5125', '7']] }),
    ]);
    expect(info).toMatchObject({
      market: 'spot',
      records: 4,
      firstMs: T0,
      lastMs: T0 + 30,
      scales: 'digits',
    });
    expect(info.adapter.venue).toBe('binance');
    expect(info.instruments).toMatchObject([
      { id: 'binance:BTC-USDT', tick: { units: 1, decimals: 4 }, lot: { units: 1, decimals: 3 } },
      { id: 'binance:ETH-BTC', tick: { units: 1, decimals: 0 }, lot: { units: 1, decimals: 1 } },
    ]);
    expect(info.bookless).toEqual(['ETHBTC']);
    expect(info.notes.map((note) => note.replace(/^\S+: /, ''))).toEqual([
      expect.stringContaining('no instrument metadata'),
      'ETHBTC: trades alone, there is no book to verify',
    ]);
  });

  it('takes scales from the metadata, unless the wire is finer', async () => {
    const exact = await inspect([
      exchangeInfo('BTCUSDT', '0.05', '0.001'),
      open(0),
      diff(10, 1, 2, { b: [['1.50', '2']] }),
    ]);
    expect(exact).toMatchObject({ scales: 'metadata', notes: [] });
    expect(exact.instruments).toMatchObject([
      { tick: { units: 5, decimals: 2 }, lot: { units: 1, decimals: 3 } },
    ]);

    const finer = await inspect([
      exchangeInfo('BTCUSDT', '0.05', '0.001'),
      open(0),
      diff(10, 1, 2, { b: [['1.505', '2']] }),
    ]);
    expect(finer.instruments).toMatchObject([
      { tick: { units: 1, decimals: 3 }, lot: { units: 1, decimals: 3 } },
    ]);
    expect(finer.notes).toEqual([expect.stringMatching(/BTCUSDT: the wire has finer digits/)]);

    const larger = await inspect([
      exchangeInfo('BTCUSDT', '0.00000001', '0.001'),
      open(0),
      diff(10, 1, 2, { b: [['99999997.25', '2']] }),
    ]);
    expect(larger.instruments).toMatchObject([
      { tick: { units: 1, decimals: 2 }, lot: { units: 1, decimals: 3 } },
    ]);
    expect(larger.notes).toEqual([expect.stringMatching(/BTCUSDT: the wire has larger numbers/)]);
  });

  it('takes from the metadata what it has, and tells the rest from the digits', async () => {
    const info = await inspect([
      exchangeInfo('ETHUSDT', '0.05', '0.001'),
      open(0),
      diff(10, 1, 2, { b: [['1.5', '2']] }),
      diff(10, 1, 2, { s: 'ETHUSDT' }),
    ]);
    expect(info.scales).toBe('digits');
    expect(info.instruments).toMatchObject([
      { symbol: 'BTCUSDT', tick: { units: 1, decimals: 1 } },
      { symbol: 'ETHUSDT', tick: { units: 5, decimals: 2 } },
    ]);
    expect(info.notes).toEqual([expect.stringMatching(/no instrument metadata of BTCUSDT in the capture/)]);
  });

  it('says what is wrong with metadata', async () => {
    const broken = { ...exchangeInfo('BTCUSDT', '0.05', '0.001'), data: '<html>' };
    const noTick = exchangeInfo('BTCUSDT', 'zero', '0.001');
    const frames = [open(0), diff(10, 1, 2, { b: [['1.5', '2']] })];
    for (const [line, note] of [
      [broken, /recorded metadata is of no use: exchangeInfo: not JSON/],
      [noTick, /BTCUSDT: its metadata is of no use/],
    ] as const) {
      const info = await inspect([line, ...frames]);
      expect(info.instruments).toMatchObject([{ tick: { units: 1, decimals: 1 } }]);
      expect(info.notes.slice(1)).toEqual([expect.stringMatching(note)]);
    }
  });

  it('leaves numbers out that no scale could hold', async () => {
    const info = await inspect([
      open(0),
      diff(10, 1, 2, {
        b: [
          ['60000.5', '1'],
          ['1.0000000000000000001', '1'],
          ['0.000000000001', '0.001'],
        ],
      }),
    ]);
    expect(info.instruments).toMatchObject([{ tick: { decimals: 10 }, lot: { decimals: 3 } }]);
    expect(info.notes.slice(1)).toEqual([
      expect.stringMatching(/BTCUSDT: price: .*10 decimals.*1\.0000000000000000001/),
    ]);
  });

  it('finds no instruments where there is no book or trade, whatever the metadata lists', async () => {
    const info = await inspect([exchangeInfo('ETHUSDT', '0.01', '0.001'), open(0)]);
    expect(info.instruments).toEqual([]);
  });

  it('picks the symbols asked for', async () => {
    const lines = [open(0), diff(10, 1, 2), diff(20, 1, 2, { s: 'ETHUSDT' })];
    expect((await inspect(lines, { symbols: ['ETHUSDT'] })).instruments).toMatchObject([
      { symbol: 'ETHUSDT' },
    ]);
    expect((await inspect(lines, { symbols: ['ethusdt'] })).instruments).toMatchObject([
      { symbol: 'ETHUSDT' },
    ]);
    await expect(inspect(lines, { symbols: ['ETHUSDT', 'NOPE'] })).rejects.toEqual(failure('unknown_symbol'));
  });

  it.each([
    ['wss://stream.binance.com:9443/stream', 'spot'],
    ['wss://stream.binance.com/ws/btcusdt@depth', 'spot'],
    ['wss://data-stream.binance.vision/stream', 'spot'],
    [USDM_URL, 'usdm'],
  ])('tells the market by %s', async (url, market) => {
    expect((await inspect([open(0, 'ws', url), diff(1, 1, 2)])).market).toBe(market);
  });

  it('names the line of a socket that no adapter knows, and how to go on', async () => {
    const lines = [rest(0, 1), open(1, 'ws', 'wss://stream.example.org/feed'), diff(2, 1, 2)];
    await expect(inspect(lines)).rejects.toEqual(failure('capture_unknown_venue', { line: 2 }));
    await expect(inspectCapture(folder.write(`\n\n${toJsonl(lines)}`))).rejects.toEqual(
      failure('capture_unknown_venue', { line: 4 }),
    );
    await expect(inspect(lines)).rejects.toThrow(/--venue and --market/);
    expect((await inspect(lines, { venue: 'binance', market: 'spot' })).market).toBe('spot');
  });

  it('needs venue and market named where no socket is recorded', async () => {
    const lines = [diff(0, 1, 2)];
    await expect(inspect(lines)).rejects.toEqual(failure('capture_unknown_venue'));
    await expect(inspect(lines, { venue: 'binance' })).rejects.toThrow(
      'nothing in the capture tells the market of binance; name it with --market: spot, usdm',
    );
    await expect(inspect(lines, { venue: 'binance', market: 'options' })).rejects.toEqual(
      failure('unknown_venue'),
    );
    await expect(inspect(lines, { venue: 'nasdaq' })).rejects.toEqual(failure('unknown_venue'));
    expect((await inspect(lines, { venue: 'binance', market: 'usdm' })).instruments).toMatchObject([
      { id: 'binance:BTC-USDT-PERP' },
    ]);
  });

  it('tells venue and market by the hosts of answers where no socket is recorded', async () => {
    const lines = [diff(0, 1, 2), rest(1, 1)];
    expect(await inspect(lines)).toMatchObject({ adapter: { venue: 'binance' }, market: 'spot' });
    const answer = (url: string) => [{ ...rest(0, 1), url, data: '{}' }, diff(1, 1, 2)];
    const bybit = 'https://api.bybit.com/v5/market';
    expect(await inspect(answer(`${bybit}/instruments-info?category=linear`))).toMatchObject({
      adapter: { venue: 'bybit' },
      market: 'linear',
    });
    await expect(inspect(answer(`${bybit}/time`))).rejects.toThrow(
      /market of bybit; name it with --market: spot/,
    );
    expect(await inspect(answer('https://www.okx.com/api/v5/public/time'))).toMatchObject({
      adapter: { venue: 'okx' },
    });
    await expect(inspect(answer('https://api.example.org/'))).rejects.toEqual(
      failure('capture_unknown_venue'),
    );
    await expect(inspect(answer('nowhere'))).rejects.toEqual(failure('capture_unknown_venue'));
  });

  it('needs no market named of a venue that has but one', async () => {
    expect(await inspect([diff(0, 1, 2)], { venue: 'kraken' })).toMatchObject({ market: 'spot' });
  });

  it('tells where what was named is not what the URL says', async () => {
    const lines = [open(0), diff(1, 1, 2)];
    expect((await inspect(lines, { venue: 'kraken' })).notes.join()).toContain(
      'is of binance, and was read as of kraken',
    );
    expect((await inspect(lines, { venue: 'binance', market: 'usdm' })).notes.join()).toContain(
      'is of market spot, and was read as of usdm',
    );
    expect((await inspect(lines, { venue: 'binance', market: 'spot' })).notes).toHaveLength(1);
  });

  it('tells of silence on a socket, and of a clock that was set back', async () => {
    const { notes } = await inspect([
      open(0),
      diff(1_000, 1, 2),
      diff(601_000, 3, 3),
      open(900_000),
      diff(900_100, 9, 9),
      diff(890_100, 10, 10),
    ]);
    expect(notes.join('\n')).toMatch(
      /ws\.1: nothing for 600 s before line 3;.*\n.*line 6: .*set back by 10 s/,
    );
    expect(notes).toHaveLength(3);
  });

  it('reads a capture up to where its end was cut off', async () => {
    const text = toJsonl([open(0), diff(1, 1, 2), diff(2, 3, 3)]).slice(0, -9);
    const info = await inspectCapture(folder.write(text, 'cut.jsonl'));
    expect(info).toMatchObject({ records: 2, cut: { code: 'capture_truncated' } });
    expect(info.notes.join()).toContain('cut off: line 3 ends in the middle of a record');
    await expect(inspectCapture(folder.write(text.slice(0, 20), 'cut2.jsonl'))).rejects.toEqual(
      failure('capture_truncated', { line: 1 }),
    );
  });

  it('reads answers recorded before the socket whose URL tells the venue', async () => {
    const info = await inspect([rest(0, 1, { bids: [['1.23456', '1']] }), open(1), diff(2, 1, 2)]);
    expect(info.instruments).toMatchObject([{ tick: { decimals: 5 } }]);
  });

  it('tells that a capture is empty', async () => {
    await expect(inspect([])).rejects.toEqual(failure('capture_corrupt', { line: 1 }));
  });

  it('reads the digits past frames that make no sense, and answers with a strange URL', async () => {
    const info = await inspect([
      open(0),
      { ...diff(1, 1, 2), data: '{"e":{"toString":1}}' },
      { ...rest(2, 1), data: '<html>' },
      { ...rest(3, 1), url: 'https://api.binance.com/api/v3/depth?symbol=%E0%A4%A' },
      diff(4, 1, 2, { b: [['1.5', '2']] }),
    ]);
    expect(info.instruments.some(({ symbol }) => symbol === 'BTCUSDT')).toBe(true);
  });
});
