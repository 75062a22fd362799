import { expect, it } from 'vitest';
import { VirtualClock } from '../core/virtual-clock.ts';
import { VenuePause } from './venue-pause.ts';

const [a, b] = [{}, {}];

it('holds all back for as long as the venue asks, and lets one try before the others', () => {
  const clock = new VirtualClock(0);
  const pause = new VenuePause(clock);
  expect([pause.waitMs(a), pause.waitMs(b)]).toEqual([0, 0]);
  pause.begin(5_000);
  clock.advanceTo(2_000);
  expect([pause.waitMs(a), pause.waitMs(b)]).toEqual([3_000, 3_000]);
  clock.advanceTo(5_000);
  expect([pause.waitMs(a), pause.waitMs(b), pause.waitMs(a)]).toEqual([0, 500, 0]);
  pause.succeeded(b); // it had its book all the time
  expect(pause.waitMs(b)).toBe(500);
  pause.begin(1_000); // refused again
  clock.advanceTo(6_000);
  expect([pause.waitMs(b), pause.waitMs(a)]).toEqual([0, 500]);
  pause.failed(b);
  expect([pause.waitMs(a), pause.waitMs(b)]).toEqual([0, 500]);
  pause.succeeded(a);
  expect(pause.waitMs(b)).toBe(0);
});

it('waits for a try that never ends no longer than half a minute', () => {
  const clock = new VirtualClock(0);
  const pause = new VenuePause(clock);
  pause.begin(0);
  expect([pause.waitMs(a), pause.waitMs(b)]).toEqual([0, 500]);
  clock.advanceTo(30_000);
  expect(pause.waitMs(b)).toBe(0);
});
