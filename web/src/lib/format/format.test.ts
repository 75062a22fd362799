import { scaleOf } from '@depthwire/shared';
import { describe, expect, it, vi } from 'vitest';
import { formatBps, formatCompact, formatPercent, withSign } from './number.ts';
import { formatBetweenTicks, formatPrice, groupThousands, priceParts } from './price.ts';
import { decimalsOfStep } from './scales.ts';
import { formatSize } from './size.ts';
import { exactSize, sizeFormat } from './size-format.ts';
import { niceCeiling, niceFloor, steadyScale } from './steady.ts';
import {
  explainLag,
  explainLatency,
  formatAge,
  formatCountdown,
  formatDelay,
  formatTime,
  formatZone,
  milliseconds,
} from './time.ts';

const cent = scaleOf('0.01');
const quarter = scaleOf('0.25');

describe('prices', () => {
  it('groups the digits before the point only', () => {
    expect(groupThousands('1234567.12345')).toBe('1,234,567.12345');
    expect(groupThousands('-1234')).toBe('-1,234');
    expect(groupThousands('123')).toBe('123');
    expect(groupThousands('-123.4567')).toBe('-123.4567');
  });

  it('keeps the precision of the tick size', () => {
    expect(formatPrice(9_712_340, cent)).toBe('97,123.40');
    expect(formatPrice(17, quarter)).toBe('4.25');
  });

  it('splits off the zeros that say nothing', () => {
    expect(priceParts(9_712_340, cent)).toEqual({ lead: '97,123.4', trail: '0' });
    expect(priceParts(9_712_300, cent)).toEqual({ lead: '97,123', trail: '.00' });
    expect(priceParts(100, scaleOf('1'))).toEqual({ lead: '100', trail: '' });
  });

  it('shows a price between two ticks with one decimal more', () => {
    expect(formatBetweenTicks(9_712_340.5, cent)).toBe('97,123.405');
    expect(formatBetweenTicks(17.5, quarter)).toBe('4.375');
  });

  it('finds the decimals that a price group needs', () => {
    expect(decimalsOfStep(1, cent)).toBe(2);
    expect(decimalsOfStep(10, cent)).toBe(1);
    expect(decimalsOfStep(500, cent)).toBe(0);
    expect(decimalsOfStep(2, quarter)).toBe(1);
  });
});

describe('numbers', () => {
  it('compacts to four figures', () => {
    expect(formatCompact(0)).toBe('0');
    expect(formatCompact(45.678)).toBe('45.68');
    expect(formatCompact(912_345)).toBe('912.3K');
    expect(formatCompact(1_234_000_000)).toBe('1.234B');
    expect(formatCompact(-1500)).toBe('\u22121.500K');
  });

  it('carries to the next suffix instead of showing a thousand of one', () => {
    expect(formatCompact(999_999)).toBe('1.000M');
    expect(formatCompact(9.99999)).toBe('10.00');
  });

  it('always takes the place of a sign', () => {
    expect(formatPercent(0.0123)).toBe('+1.23%');
    expect(formatPercent(-0.004)).toBe('\u22120.40%');
    expect(formatPercent(0.00001)).toBe('\u20070.00%');
    expect(withSign('-1.5', -1)).toBe('\u22121.5');
  });

  it('shows basis points with fewer decimals the larger they are', () => {
    expect(formatBps(0.103)).toBe('0.10');
    expect(formatBps(12.34)).toBe('12.3');
    expect(formatBps(-250)).toBe('\u2212250');
  });

  it('never shows basis points as zero where they are not', () => {
    expect(formatBps(0)).toBe('0.00');
    expect(formatBps(0.012)).toBe('0.01');
    expect(formatBps(0.00995)).toBe('0.01');
    expect(formatBps(0.0094)).toBe('0.0094');
    expect(formatBps(-0.0011)).toBe('\u22120.0011');
    expect(formatBps(0.000_012_3)).toBe('0.000012');
    expect(formatBps(1e-9)).toBe('<0.000001');
  });
});

describe('sizes', () => {
  const satoshi = scaleOf('0.00000001');
  const bitcoin = { tick: cent, lot: satoshi };
  const shib = { tick: satoshi, lot: scaleOf('1') };

  it('takes the decimals from what a digit is worth', () => {
    expect(sizeFormat(bitcoin, 9_712_340, 10e8)).toEqual({ exponent: 0, decimals: 4 });
    expect(sizeFormat({ tick: scaleOf('0.00001'), lot: satoshi }, 12_345, 10e8).decimals).toBe(0);
    expect(sizeFormat({ tick: cent, lot: scaleOf('1') }, 9_712_340, 10).decimals).toBe(0);
  });

  it('shows long sizes in thousands, millions and billions', () => {
    expect(sizeFormat(shib, 811, 1_500_000)).toEqual({ exponent: 3, decimals: 1 });
    expect(sizeFormat(shib, 811, 150_000_000)).toEqual({ exponent: 3, decimals: 0 });
    expect(sizeFormat(shib, 811, 20_000_000_000)).toEqual({ exponent: 6, decimals: 0 });
  });

  it('cuts, never rounds up', () => {
    expect(formatSize(199_999_999, satoshi, { exponent: 0, decimals: 2 })).toBe('1.99');
    expect(formatSize(22_865_999_538, scaleOf('1'), { exponent: 6, decimals: 0 })).toBe('22,865M');
    expect(formatSize(1_234_567, scaleOf('1'), exactSize(scaleOf('1')))).toBe('1,234,567');
  });

  it('never shows a size as nothing', () => {
    expect(formatSize(499_999, satoshi, { exponent: 0, decimals: 2 })).toBe('<0.01');
    expect(formatSize(290, scaleOf('1'), { exponent: 3, decimals: 0 })).toBe('<1K');
    expect(formatSize(0, satoshi, { exponent: 0, decimals: 2 })).toBe('0.00');
  });
});

describe('axis', () => {
  it('rounds to 1, 2 and 5', () => {
    expect(niceCeiling(0.3)).toBe(0.5);
    expect(niceCeiling(1000)).toBe(1000);
    expect(niceFloor(49)).toBe(20);
    expect(niceFloor(50)).toBe(50);
  });

  it('grows at once and shrinks only when most of it is empty', () => {
    const top = steadyScale(null, 90);
    expect(top).toBe(100);
    expect(steadyScale(top, 60)).toBe(100);
    expect(steadyScale(top, 101)).toBe(150);
    expect(steadyScale(top, 20)).toBe(30);
  });
});

describe('times', () => {
  it('formats the time of day with milliseconds', () => {
    const time = Date.UTC(2026, 10, 21, 3, 4, 5, 67);
    expect(formatTime(time, 'utc') + milliseconds(time)).toBe('03:04:05.067');
  });

  it('names the zone by its offset at that time', () => {
    const zoned = (zone: string, timeMs: number) => {
      vi.stubEnv('TZ', zone);
      return formatZone(timeMs, 'local');
    };
    const [winter, summer] = [Date.UTC(2026, 0, 15), Date.UTC(2026, 6, 15)];
    expect(zoned('Europe/Vienna', winter)).toBe('UTC+1');
    expect(zoned('Europe/Vienna', summer)).toBe('UTC+2');
    expect(zoned('America/St_Johns', winter)).toBe('UTC\u22123:30');
    expect(zoned('Etc/UTC', winter)).toBe('UTC');
    expect(zoned('Asia/Kolkata', winter)).toBe('UTC+5:30');
    expect(formatZone(summer, 'utc')).toBe('UTC');
    vi.unstubAllEnvs();
  });

  it('coarsens ages and delays', () => {
    expect(formatAge(3_900)).toBe('3 s');
    expect(formatAge(125_000)).toBe('2 min 05 s');
    expect(formatAge(4 * 3_600_000 + 12 * 60_000)).toBe('4 h 12 min');
    expect(formatDelay(0.4)).toBe('<1 ms');
    expect(formatDelay(1_240)).toBe('1.2 s');
    expect(formatDelay(999.7)).toBe('1.0 s');
  });

  it('shows a negative lag as what it is: the venue’s clock is ahead', () => {
    expect(formatDelay(-1_300)).toBe('\u22121.3 s');
    expect(formatDelay(-42)).toBe('\u221242 ms');
    expect(formatDelay(-0.4)).toBe('<1 ms');
    expect(explainLag(-1_300)).toBe('the venue’s clock is ahead of the server’s by 1.3 s or more');
    expect(explainLag(0)).toBeNull();
    expect(explainLag(80)).toBeNull();
  });

  it('tells the parts of the way, how sure they are, and which are not known', () => {
    const server = { last: 90, p50: 60, p99: 101, uncertaintyMs: 1 };
    const network = { last: 3, p50: 2, p99: 8, uncertaintyMs: 1.6 };
    expect(explainLatency({ venue: null, server, network })).toBe(
      'venue to server not known; in the server 60 ms ± 1 ms, p99 101 ms; network 2 ms ± 2 ms, p99 8 ms',
    );
    const venue = { last: 12, p50: 12, p99: 12, uncertaintyMs: null };
    expect(explainLatency({ venue, server: null, network: null })).toContain(
      'venue to server 12 ms, p99 12 ms;',
    );
  });

  it('counts down to zero, not below', () => {
    expect(formatCountdown(59_001)).toBe('01:00');
    expect(formatCountdown(-5)).toBe('00:00');
    expect(formatCountdown(3_661_000)).toBe('01:01:01');
  });
});
