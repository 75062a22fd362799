import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClockOffset } from './clock-offset.ts';

test('takes the shortest of several round trips, and half of it for how far off that may be', () => {
  const offset = new ClockOffset();
  expect(offset.best).toBeNull();
  offset.add(0, 100, 1_090); // the way there took 90 ms, the way back 10
  expect(offset.best).toEqual({ offsetMs: 1_040, uncertaintyMs: 50 });
  offset.add(200, 204, 1_203);
  expect(offset.best).toEqual({ offsetMs: 1_001, uncertaintyMs: 2 });
  offset.add(300, 340, 1_301);
  expect(offset.best).toEqual({ offsetMs: 1_001, uncertaintyMs: 2 });
});

test('is right within its uncertainty however the round trips divide', () => {
  const way = fc.double({ min: 0, max: 5_000, noNaN: true });
  const trips = fc.array(fc.tuple(way, way), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 1e9 }), trips, (trueOffsetMs, ways) => {
      const offset = new ClockOffset();
      let now = 1e12;
      for (const [there, back] of ways) {
        offset.add(now, now + there + back, now + there + trueOffsetMs);
        now += there + back + 5_000;
      }
      const { offsetMs, uncertaintyMs } = offset.best!;
      expect(Math.abs(offsetMs - trueOffsetMs)).toBeLessThanOrEqual(uncertaintyMs + 1e-3);
    }),
  );
});

test('forgets round trips from before a clock was set', () => {
  const offset = new ClockOffset();
  offset.add(0, 2, 1_001);
  offset.add(10_000, 10_050, 71_025);
  expect(offset.best).toEqual({ offsetMs: 61_000, uncertaintyMs: 25 });
});

test('forgets the shortest in time, and takes none that ended before it began', () => {
  const offset = new ClockOffset();
  offset.add(0, 2, 1_001);
  for (let i = 1; i <= 8; i++) offset.add(i * 100, i * 100 + 20, i * 100 + 1_010);
  expect(offset.best).toEqual({ offsetMs: 1_000, uncertaintyMs: 10 });
  offset.add(2_000, 1_990, 2_500);
  expect(offset.best).toEqual({ offsetMs: 1_000, uncertaintyMs: 10 });
});
