import { scaleOf } from '@depthwire/shared';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { formatChartTime } from '../chart/chart-time.ts';
import { m } from '../paraglide/messages.js';
import { overwriteGetLocale, type Locale } from '../paraglide/runtime.js';
import { localDecimal, percentText, readDecimal } from './locale.ts';
import { formatAmount, formatBps, formatCompact, formatPercent } from './number.ts';
import { formatBetweenTicks, formatPrice, priceParts } from './price.ts';
import { formatSize } from './size.ts';
import { formatAge, formatDelay, milliseconds } from './time.ts';

const speak = (locale: Locale) => overwriteGetLocale(() => locale);
afterEach(() => speak('en'));

describe('in German', () => {
  beforeEach(() => speak('de'));

  const cents = scaleOf('0.01');

  it('writes prices with a comma, in the precision of the instrument', () => {
    expect(formatPrice(123_456_750, cents)).toBe('1.234.567,50');
    expect(priceParts(123_456_750, cents)).toEqual({ lead: '1.234.567,5', trail: '0' });
    expect(priceParts(123_456_700, cents)).toEqual({ lead: '1.234.567', trail: ',00' });
    expect(priceParts(1_234_567, scaleOf('1'))).toEqual({ lead: '1.234.567', trail: '' });
    expect(formatBetweenTicks(10_050.5, cents)).toBe('100,505');
    expect(formatPrice(-123_456, cents)).toBe('-1.234,56');
  });

  it('writes sizes, shares and delays so too', () => {
    expect(formatSize(123_456, scaleOf('0.001'), { exponent: 0, decimals: 2 })).toBe('123,45');
    expect(formatSize(1, scaleOf('0.001'), { exponent: 0, decimals: 2 })).toBe('<0,01');
    expect(formatAmount(1234.5, 1)).toBe('1.234,5');
    expect(formatCompact(56_780_000)).toBe('56,78M');
    expect(formatCompact(1_234_000_000)).toBe('1,23Mrd');
    expect(formatPercent(0.0123)).toBe('+1,23\u00a0%');
    expect(percentText('70')).toBe('70\u00a0%');
    expect(formatBps(-1.5)).toBe('\u22121,50');
    expect(formatDelay(1250)).toBe('1,3 s');
    expect(formatAge(3 * 86_400_000)).toBe('3 T');
    expect(milliseconds(1_027)).toBe(',027');
  });

  it('writes dates with the names of its months', () => {
    expect(formatChartTime(Date.UTC(2026, 4, 3, 14, 5) / 1000, 60, 'utc')).toBe('3. Mai 2026, 14:05');
  });

  it('tells one from many', () => {
    expect([1, 2].map((count) => m.feeds_all_live({ count }))).toEqual([
      '1 Feed, alle live',
      '2 Feeds, alle live',
    ]);
  });
});

describe('a number that somebody typed', () => {
  test.each([
    ['de', '63.000,5', '63000.5'],
    ['de', '63000,5', '63000.5'],
    ['de', '1.234.567', '1234567'],
    ['de', '63000.5', '63000.5'],
    ['de', '0.5', '0.5'],
    ['de', '0.125', '0.125'],
    ['de', '0,125', '0.125'],
    ['de', '-0.500', '-0.500'],
    ['en', '0,125', '0.125'],
    ['en', '012,345', '012.345'],
    ['en', '63,000.5', '63000.5'],
    ['en', '1,234,567', '1234567'],
    ['en', '63000,5', '63000.5'],
    ['en', ' 0.5 ', '0.5'],
    ['en', '12a', '12a'],
    ['en', '', ''],
  ] as const)('in %s %j is %j', (locale, text, plain) => {
    speak(locale);
    expect(readDecimal(text)).toBe(plain);
  });

  it('is read as it was written', () => {
    speak('de');
    for (const text of ['0.00000794', '90404.60', '1234', '-0.5'])
      expect(readDecimal(localDecimal(text))).toBe(text);
  });
});
