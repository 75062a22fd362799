import { describe, expect, it } from 'vitest';
import { deribitCapture } from './capture.ts';

const look = (data: string) => {
  const seen: string[] = [];
  deribitCapture.look(
    { kind: 'in', url: '', data },
    {
      level: (...level) => seen.push(['level', ...level].join(' ')),
      trade: (...trade) => seen.push(['trade', ...trade].join(' ')),
      book: (symbol) => seen.push(`book ${symbol}`),
      stranger() {},
    },
  );
  return seen;
};
const frame = (channel: string, data: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params: { channel, data } });

describe('Deribit captures', () => {
  it.each([
    ['wss://www.deribit.com/ws/api/v2', 'futures'],
    ['wss://streams.deribit.com/ws/api/v2', 'futures'],
    ['wss://test.deribit.com/ws/api/v2/', 'futures'],
    ['wss://www.deribit.com/ws/api/v1', null],
    ['wss://stream.binance.com:9443/ws', null],
  ])('knows %s', (url, market) => {
    expect(deribitCapture.marketOf(url)).toBe(market);
  });

  it('knows its metadata', () => {
    const url = 'https://www.deribit.com/api/v2/public/get_instruments?currency=BTC&expired=false';
    expect(deribitCapture.isMetadata({ kind: 'rest', url, data: '' }, 'options')).toBe(true);
    expect(deribitCapture.isMetadata({ kind: 'in', url: '', data: '' }, 'options')).toBe(false);
    expect(deribitCapture.snapshotSymbol(url)).toBeNull();
  });

  it('sees books, empty ones too, and trades', () => {
    const book = {
      type: 'snapshot',
      timestamp: 1,
      instrument_name: 'A-1',
      change_id: 5,
      bids: [['new', 1e-7, 2]],
      asks: [],
    };
    expect(look(frame('book.A-1.raw', book))).toEqual(['book A-1', 'level A-1 0.0000001 2']);
    expect(look(frame('book.A-1.raw', { ...book, bids: [] }))).toEqual(['book A-1']);
    const trade = {
      instrument_name: 'A-1',
      trade_id: '1',
      timestamp: 1,
      price: 2,
      amount: 3,
      direction: 'buy',
    };
    expect(look(frame('trades.A-1.raw', [trade]))).toEqual(['trade A-1 2 3']);
  });

  it.each(['', '{', '[]', '{"method":"heartbeat","params":{}}', frame('book.A-1.raw', null)])(
    'sees nothing in %s',
    (data) => {
      expect(look(data)).toEqual([]);
    },
  );
});
