import { expect, test } from 'vitest';
import { isInstrumentId } from './instrument.ts';

test.each(['sim:BTC-USD', 'binance:BTC-USDT-PERP', 'venue-2:1000PEPE-USDT', 'x:é', `a:${'x'.repeat(64)}`])(
  '%j is an instrument id',
  (id) => expect(isInstrumentId(id)).toBe(true),
);

test.each([
  '',
  'BTC-USD',
  ':BTC-USD',
  'sim:',
  'SIM:BTC-USD',
  'sim:BTC USD',
  'sim:BTC\n',
  `a:${'x'.repeat(65)}`,
  5,
  null,
  undefined,
  ['sim:BTC-USD'],
])('%j is none', (id) => expect(isInstrumentId(id)).toBe(false));
