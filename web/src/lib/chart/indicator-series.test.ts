import { expect, it } from 'vitest';
import { rsiMarks } from './indicator-series.ts';

it('the axis of an RSI says nothing beyond 0 and 100', () => {
  expect(rsiMarks([-20, 0, 50, 100, 120])).toEqual(['', '0.0', '50.0', '100.0', '']);
});
