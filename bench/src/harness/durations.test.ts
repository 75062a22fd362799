import { expect, test } from 'vitest';
import { Durations } from './durations.ts';
import { quantile } from './statistics.ts';

test('quantiles are those of the values, to a step of a tenth of a millisecond', () => {
  const durations = new Durations();
  const values = Array.from({ length: 1_000 }, (_, i) => ((i * 7_919) % 1_000) / 3);
  for (const value of values) durations.add(value);
  expect(durations.count).toBe(1_000);
  for (const fraction of [0.01, 0.5, 0.9, 0.99])
    expect(Math.abs(durations.quantile(fraction) - quantile(values, fraction))).toBeLessThan(0.5);
});

test('what several processes counted is one distribution', () => {
  const [slow, fast, all] = [new Durations(), new Durations(), new Durations()];
  for (let i = 0; i < 99; i++) fast.add(1);
  slow.add(5_000);
  for (const each of [slow, fast]) all.addAll(each.counts);
  expect(all.count).toBe(100);
  expect(all.quantile(0.99)).toBeCloseTo(1, 0);
  expect(all.quantile(1)).toBeCloseTo(5_000, 0);
});

test('what is too long or below zero counts at the ends', () => {
  const durations = new Durations();
  durations.add(-3);
  durations.add(1e9);
  expect(durations.quantile(0.5)).toBeLessThan(0.2);
  expect(durations.quantile(1)).toBeGreaterThan(9_999);
  durations.reset();
  expect(durations.count).toBe(0);
});
