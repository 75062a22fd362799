import { formatUnits, type Candle, type CandleInterval, type Instrument } from '@depthwire/shared';

/** Candles as RFC 4180 has it: exact decimals, times of opening in ISO 8601, UTC. */
export function candlesToCsv(candles: readonly Candle[], { tick, lot }: Instrument): string {
  const rows = candles.map(({ time, open, high, low, close, volume, trades }) => [
    new Date(time * 1000).toISOString(),
    ...[open, high, low, close].map((ticks) => formatUnits(ticks, tick)),
    formatUnits(volume, lot),
    trades,
  ]);
  return [['time', 'open', 'high', 'low', 'close', 'volume', 'trades'], ...rows]
    .map((row) => `${row.join(',')}\r\n`)
    .join('');
}

/** A name for a file of the chart, without an extension: `sim-BTC-USD-1m`. */
export function chartFileName({ id }: Instrument, interval: CandleInterval): string {
  return `${id.replace(/[^\p{L}\p{N}]+/gu, '-')}-${interval}`;
}
