import { describe, expect, it } from 'vitest';
import { okx } from './index.ts';
import { instrumentsUrls } from './subscribe.ts';
import { guessInstrument, parseInstruments, type Market } from './symbols.ts';

const answer = (...data: object[]) => JSON.stringify({ code: '0', msg: '', data });
const EXPIRY = String(Date.UTC(2026, 11, 25, 8));
const spotInfo = (base: string, state = 'live') => ({
  instType: 'SPOT',
  instId: `${base}-USDT`,
  baseCcy: base,
  quoteCcy: 'USDT',
  uly: '',
  instFamily: '',
  expTime: '',
  tickSz: '0.1',
  lotSz: '0.00000001',
  state,
});
const contract = (instType: string, instId: string, more: object = {}) => ({
  instType,
  instId,
  baseCcy: '',
  quoteCcy: '',
  uly: 'BTC-USD',
  instFamily: 'BTC-USD',
  expTime: '',
  optType: '',
  stk: '',
  tickSz: '0.1',
  lotSz: '1',
  state: 'live',
  ...more,
});

const spot = answer(
  spotInfo('BTC'),
  spotInfo('ETH', 'suspend'),
  spotInfo('NEW', 'preopen'),
  spotInfo('TEST', 'test'),
);
const swap = answer(
  contract('SWAP', 'BTC-USD-SWAP'),
  contract('SWAP', 'BTC-USDT-SWAP', { uly: 'BTC-USDT', instFamily: undefined }),
);
const futures = answer(contract('FUTURES', 'BTC-USD-261225', { expTime: EXPIRY }));
const option = answer(
  contract('OPTION', 'BTC-USD-261225-60000-C', {
    expTime: EXPIRY,
    stk: '60000',
    optType: 'C',
    tickSz: '0.0005',
  }),
);

const ids = (market: Market, texts: string[], symbols: string[]) =>
  parseInstruments(market, texts, symbols).instruments.map(({ id }) => id);

describe('parseInstruments', () => {
  it('reads names, scales and status', () => {
    expect(parseInstruments('spot', [spot], ['BTC-USDT']).instruments).toEqual([
      {
        id: 'okx:BTC-USDT',
        venue: 'okx',
        symbol: 'BTC-USDT',
        base: 'BTC',
        quote: 'USDT',
        kind: 'spot',
        name: 'BTC / USDT',
        tick: { units: 1, decimals: 1 },
        lot: { units: 1, decimals: 8 },
        status: 'trading',
        origin: 'live',
        staleAfterMs: 60_000,
      },
    ]);
  });

  it('merges answers of every type, whatever the market', () => {
    const symbols = ['BTC-USDT', 'BTC-USD-SWAP', 'BTC-USD-261225', 'BTC-USD-261225-60000-C'];
    const { instruments, refused } = parseInstruments('spot', [spot, swap, futures, option], symbols);
    expect(refused.size).toBe(0);
    expect(instruments.map(({ id, kind, name, staleAfterMs }) => [id, kind, name, staleAfterMs])).toEqual([
      ['okx:BTC-USDT', 'spot', 'BTC / USDT', 60_000],
      ['okx:BTC-USD-PERP', 'perpetual', 'BTC / USD perpetual', 60_000],
      ['okx:BTC-USD-261225', 'future', 'BTC / USD 261225', 60_000],
      ['okx:BTC-USD-261225-60000-C', 'option', 'BTC / USD 261225 60000 C', 600_000],
    ]);
  });

  it.each<[market: Market, text: string, name: string, id: string]>([
    ['spot', spot, 'btc-usdt', 'okx:BTC-USDT'],
    ['spot', spot, 'BTC/USDT', 'okx:BTC-USDT'],
    ['swap', swap, 'BTC-USDT', 'okx:BTC-USDT-PERP'],
    ['swap', swap, 'btc/usdt-perp', 'okx:BTC-USDT-PERP'],
    ['swap', swap, 'BTC-USD-SWAP', 'okx:BTC-USD-PERP'],
    ['futures', futures, 'btc-usd-261225', 'okx:BTC-USD-261225'],
    ['option', option, 'btc-usd-261225-60000-c', 'okx:BTC-USD-261225-60000-C'],
  ])('on %s finds %#', (market, text, name, id) => {
    expect(ids(market, [text], [name])).toEqual([id]);
  });

  it('lists all that is not closed where none is named, and tells what is halted', () => {
    const { instruments } = parseInstruments('spot', [spot], []);
    expect(instruments.map(({ symbol, status }) => `${symbol} ${status}`)).toEqual([
      'BTC-USDT trading',
      'ETH-USDT halted',
      'NEW-USDT halted',
    ]);
    expect(parseInstruments('spot', [spot], ['TEST-USDT']).instruments[0]!.status).toBe('closed');
  });

  it('takes the later of two answers', () => {
    const texts = [spot, answer(spotInfo('BTC', 'suspend'))];
    expect(parseInstruments('spot', texts, ['BTC-USDT']).instruments[0]!.status).toBe('halted');
  });

  it('names every symbol that it cannot tell of, and tells of the others', () => {
    const text = answer(
      spotInfo('BTC'),
      { ...spotInfo('ETH'), tickSz: '' },
      contract('FUTURES', 'X-USD-1', { expTime: 'never' }),
      contract('SWAP', 'Y-USD-SWAP', { uly: '', instFamily: '' }),
      contract('RFQ', 'Z'),
    );
    const names = ['BTC-USDT', 'ETH-USDT', 'X-USD-1', 'Y-USD-SWAP', 'Z', 'NO-PE'];
    const { instruments, refused } = parseInstruments('spot', [text], names);
    expect(instruments).toHaveLength(1);
    expect([...refused].map(([symbol, { code }]) => `${symbol} ${code}`).sort()).toEqual([
      'ETH-USDT malformed_venue_frame',
      'NO-PE unknown_symbol',
      'X-USD-1 malformed_venue_frame',
      'Y-USD-SWAP malformed_venue_frame',
      'Z malformed_venue_frame',
    ]);
  });

  it('lets one error among answers pass, and raises it where there is nothing else', () => {
    const error = '{"code":"50011","msg":"Too Many Requests","data":[]}';
    expect(ids('spot', [error, spot], ['BTC-USDT'])).toEqual(['okx:BTC-USDT']);
    expect(parseInstruments('spot', [error, spot], []).isPartial).toBe(true);
    expect(parseInstruments('spot', [spot], []).isPartial).toBe(false);
    expect(() => parseInstruments('spot', [error], ['BTC-USDT'])).toThrow(/50011.*Too Many Requests/);
  });

  it('takes the error of a family that there is none of for an answer', () => {
    const error = '{"code":"51001","msg":"Instrument ID does not exist"}';
    const { instruments, isPartial } = parseInstruments('spot', [error, spot], ['BTC-USDT']);
    expect(instruments).toHaveLength(1);
    expect(isPartial).toBe(false);
  });

  it.each([
    '<html>',
    'null',
    '{"code":"0"}',
    '{"code":"0","data":[null]}',
    '{"code":"0","data":[{"instId":"X"}]}',
  ])('refuses %s as a whole', (text) => {
    expect(() => parseInstruments('spot', [text], [])).toThrow(
      expect.objectContaining({ code: 'malformed_venue_frame' }) as Error,
    );
  });
});

describe('guessInstrument', () => {
  it.each([
    ['BTC-USDT', 'okx:BTC-USDT', 'spot'],
    ['UNI-USD-SWAP', 'okx:UNI-USD-PERP', 'perpetual'],
    ['BTC-USD-220527', 'okx:BTC-USD-220527', 'future'],
    ['BTC-USD-220527-30000-P', 'okx:BTC-USD-220527-30000-P', 'option'],
    ['ODD', 'okx:ODD', 'spot'],
  ])('%s', (symbol, id, kind) => {
    expect(guessInstrument(symbol, 1, 8)).toMatchObject({
      id,
      kind,
      symbol,
      tick: { units: 1, decimals: 1 },
    });
  });
});

describe('URLs', () => {
  const base = okx.markets.spot!;

  it('asks for options by family', () => {
    expect(instrumentsUrls('swap', base, ['BTC-USDT'])).toEqual([
      'https://www.okx.com/api/v5/public/instruments?instType=SWAP',
    ]);
    expect(
      instrumentsUrls('option', base, [
        'btc-usd-261225-60000-C',
        'BTC-USD-261225-60000-P',
        'ETH-USD-261225-1-C',
      ]),
    ).toEqual(
      ['BTC-USD', 'ETH-USD'].map(
        (family) => `https://www.okx.com/api/v5/public/instruments?instType=OPTION&instFamily=${family}`,
      ),
    );
  });

  it.each([
    ['wss://ws.okx.com:8443/ws/v5/public', 'spot'],
    ['wss://wsus.okx.com:8443/ws/v5/public', 'spot'],
    ['wss://wseea.okx.com/ws/v5/business', 'spot'],
    ['wss://ws.okex.com:8443/ws/v5/public', 'spot'],
    ['wss://real.okex.com:8443/ws/v3', null],
    ['wss://stream.bybit.com/v5/public/spot', null],
    ['wss://ws.okx.com.example.org/ws/v5/public', null],
  ])('%s is of %s', (url, market) => {
    expect(okx.capture.marketOf(url)).toBe(market);
  });

  it('tells metadata of every type', () => {
    const url = 'https://www.okx.com/api/v5/public/instruments?instType=SWAP';
    expect(okx.capture.isMetadata({ kind: 'rest', url, data: '' }, 'spot')).toBe(true);
    expect(okx.capture.isMetadata({ kind: 'in', url: '', data: '' }, 'spot')).toBe(false);
  });
});
