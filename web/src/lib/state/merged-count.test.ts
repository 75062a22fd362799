import { expect, test } from 'vitest';
import { MergedCount } from './merged-count.ts';

test('counts the updates that had no frame of their own, for a minute', () => {
  const count = new MergedCount(60_000);
  expect(count.read(0, 1_000, 0)).toBe(0);
  // Ten updates in four frames.
  expect(count.read(500, 1_010, 4)).toBe(6);
  // A frame for each.
  expect(count.read(1_000, 1_013, 7)).toBe(6);
  expect(count.read(30_000, 1_033, 12)).toBe(21);
  expect(count.read(60_499, 1_033, 12)).toBe(21);
  expect(count.read(60_500, 1_033, 12)).toBe(15);
  expect(count.read(90_000, 1_033, 12)).toBe(0);
});

test('a frame that only changes the state is no update', () => {
  const count = new MergedCount(60_000);
  count.read(0, 50, 3);
  expect(count.read(500, 50, 4)).toBe(0);
});

test('what a new channel or a new epoch leaps over was not merged', () => {
  const count = new MergedCount(60_000);
  count.read(0, 1_000, 40);
  expect(count.read(500, 9_000, 2)).toBe(0);
  expect(count.read(1_000, 9_006, 4)).toBe(4);
  expect(count.read(1_500, 12, 9)).toBe(4);
});
