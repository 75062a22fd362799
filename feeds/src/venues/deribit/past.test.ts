import { describe, expect, it } from 'vitest';
import { errorOf, pastOf } from '../test-harness.ts';
import { deribit } from './index.ts';

const chart = { status: 'ok', ticks: [1554373800000], open: [4963.42], high: [5185.45], low: [4728.94], close: [5052.95], volume: [19.007942601], cost: [19007] }; // prettier-ignore
const answer = (result: object) => JSON.stringify({ jsonrpc: '2.0', result, usIn: 1, usOut: 2, usDiff: 1 });

describe('the past of Deribit', () => {
  const past = pastOf(deribit, 'futures', 'BTC-PERPETUAL');

  it('is candles, those of inverse futures in dollars', () => {
    const page = past.candles('15m', { fromS: 900, toS: 2_700 })!;
    expect(page.url).toBe(
      'https://venue.test/api/v2/public/get_tradingview_chart_data?instrument_name=BTC-PERPETUAL&start_timestamp=900000&end_timestamp=1800000&resolution=15',
    );
    const candle = {
      time: 1554373800,
      open: '4963.42',
      high: '5185.45',
      low: '4728.94',
      close: '5052.95',
      trades: 0,
    };
    expect(page.read(answer(chart))).toEqual([{ ...candle, volume: '19007' }]);
    const option = pastOf(deribit, 'options', 'BTC-27SEP24-50000-C').candles('15m')!;
    expect(option.read(answer(chart))).toEqual([{ ...candle, volume: '19.007942601' }]);
    expect(page.read(answer({ status: 'no_data' }))).toEqual([]);
  });

  it('is trades, oldest first', () => {
    const page = past.trades();
    expect(page.url).toBe(
      `https://venue.test/api/v2/public/get_last_trades_by_instrument_and_time?instrument_name=BTC-PERPETUAL&start_timestamp=${past.nowMs - 3_600_000}&end_timestamp=${past.nowMs - 1}&count=1000&sorting=asc`,
    );
    const trade = { trade_seq: 1966031, trade_id: 'ETH-2696055', timestamp: 1590470022768, price: 203.6, instrument_name: 'BTC-PERPETUAL', direction: 'buy', amount: 1.0 }; // prettier-ignore
    expect(page.read(answer({ trades: [trade], has_more: false })).trades).toEqual([
      { id: 'ETH-2696055', price: '203.6', size: '1', side: 'buy', timeMs: 1590470022768 },
    ]);
  });

  it('may be below zero of combinations', () => {
    const isSigned = (symbol: string) =>
      deribit.past!.isSigned!(deribit.guessInstrument('futures', symbol, 2, 0));
    expect([isSigned('BTC-FS-27SEP24_PERP'), isSigned('BTC-PERPETUAL')]).toEqual([true, false]);
  });

  it.each([
    ['{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params"}}', 'venue_rejected'],
    [answer({ ...chart, close: [] }), 'malformed_venue_frame'],
    [answer({ ...chart, cost: undefined }), 'malformed_venue_frame'],
    ['null', 'malformed_venue_frame'],
  ])('tells what is wrong: %s', (body, code) => {
    expect(errorOf(() => past.candles('1m')!.read(body))?.code).toBe(code);
  });
});
