import { describe, expect, it } from 'vitest';
import { anchorOf } from './anchor.ts';

const at = (text: string) => Date.parse(text) / 1000;

describe('the beginning', () => {
  it('of a day, a week of Monday and a month, UTC', () => {
    const time = at('2026-11-21T23:59:59Z'); // a Saturday
    expect(anchorOf(time, 'day')).toBe(at('2026-11-21T00:00:00Z'));
    expect(anchorOf(time, 'week')).toBe(at('2026-11-16T00:00:00Z'));
    expect(anchorOf(time, 'month')).toBe(at('2026-11-01T00:00:00Z'));
  });

  it('is its own', () => {
    expect(anchorOf(at('2026-11-16T00:00:00Z'), 'week')).toBe(at('2026-11-16T00:00:00Z'));
    expect(anchorOf(at('2026-11-15T23:59:59Z'), 'week')).toBe(at('2026-11-09T00:00:00Z'));
  });
});
