import { expect, test } from 'vitest';
import { SilenceCure } from './silence.ts';

test('a book that falls silent again and again is asked for at once, then later each time', () => {
  const cure = new SilenceCure();
  const asked: number[] = [];
  // What was asked for comes at once, and the book is live for the ten seconds that it may be silent.
  let heardS = 0;
  for (let second = 0; second < 3_600; second++) {
    const isSilent = second - heardS > 10;
    if (!cure.isDue(isSilent, isSilent ? 'stale' : 'live', 10_000, second * 1_000)) continue;
    asked.push(second);
    heardS = second;
  }
  expect(asked.slice(0, 7)).toEqual([11, 22, 42, 82, 162, 322, 642]);
  expect(asked.slice(7).every((at, i) => at - asked[i + 6]! === 600)).toBe(true);
});

test('a book whose updates flow again is asked for at once the next time', () => {
  const cure = new SilenceCure();
  const due = (state: 'live' | 'stale', second: number) =>
    cure.isDue(state === 'stale', state, 10_000, second * 1_000);
  expect([due('stale', 0), due('stale', 1), due('stale', 9), due('stale', 10), due('stale', 29)]).toEqual([
    true,
    false,
    false,
    true,
    false,
  ]);
  due('live', 29.1);
  expect(due('stale', 29.2)).toBe(false);
  for (let second = 30; second <= 51; second++) due('live', second);
  expect([due('stale', 52), due('stale', 53), due('stale', 62)]).toEqual([true, false, true]);
});

test('a clock that is set back does not put it off for as long', () => {
  const cure = new SilenceCure();
  expect(cure.isDue(true, 'stale', 10_000, 3_600_000)).toBe(true);
  expect(cure.isDue(true, 'stale', 10_000, 3_601_000)).toBe(false);
  expect(cure.isDue(true, 'stale', 10_000, 0)).toBe(true);
  expect(cure.isDue(true, 'stale', 10_000, 1_000)).toBe(false);
});

test('no book is asked for that is not silent, or not only that', () => {
  const cure = new SilenceCure();
  expect(cure.isDue(false, 'recovering', 1_000, 0)).toBe(false);
  expect(cure.isDue(false, 'stale', 1_000, 5_000)).toBe(false);
});
