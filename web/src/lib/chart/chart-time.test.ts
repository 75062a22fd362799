import { describe, expect, it } from 'vitest';
import { formatChartTime, formatTickMark, fromDateTimeInput, toDateTimeInput } from './chart-time.ts';

const time = Date.UTC(2026, 10, 21, 3, 4, 5) / 1000;

describe('time axis', () => {
  it('labels each mark as coarsely as it is', () => {
    const labels = [0, 1, 2, 3, 4].map((mark) => formatTickMark(time, mark, 'utc'));
    expect(labels).toEqual(['2026', 'Nov', '21 Nov', '03:04', '03:04:05']);
  });
});

describe('crosshair time', () => {
  it('is as fine as the interval', () => {
    expect(formatChartTime(time, 1, 'utc')).toBe('21 Nov 2026 03:04:05');
    expect(formatChartTime(time, 60, 'utc')).toBe('21 Nov 2026 03:04');
    expect(formatChartTime(time, 86_400, 'utc')).toBe('21 Nov 2026');
  });
});

describe('a field for a time', () => {
  it('is read in the zone that is shown', () => {
    expect(toDateTimeInput(time, 'utc')).toBe('2026-11-21T03:04');
    expect(fromDateTimeInput('2026-11-21T03:04:05', 'utc')).toBe(time);
    const local = toDateTimeInput(time, 'local');
    expect(fromDateTimeInput(local, 'local')).toBe(time - 5);
  });

  it('is nothing where it is no time', () => {
    for (const text of ['', '2026-11-21', '2026-13-21T03:04', 'soon'])
      expect(fromDateTimeInput(text, 'utc')).toBeNull();
  });
});
