import { describe, expect, test } from 'vitest';
import { every, type Clock } from './clock.ts';
import type { EpochMs } from './units.ts';

/** A clock that stands still until it is moved. */
class HandClock implements Clock {
  #now: number;
  #tasks: { timeMs: number; task: () => void }[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  now(): EpochMs {
    return this.#now as EpochMs;
  }

  at(timeMs: number, task: () => void) {
    const entry = { timeMs, task };
    this.#tasks.push(entry);
    return { cancel: () => void (this.#tasks = this.#tasks.filter((other) => other !== entry)) };
  }

  get waiting(): number {
    return this.#tasks.length;
  }

  /** Runs what falls due until then, in order. */
  moveTo(timeMs: number): void {
    for (;;) {
      const next = this.#tasks.toSorted((a, b) => a.timeMs - b.timeMs)[0];
      if (!next || next.timeMs > timeMs) break;
      this.#tasks.splice(this.#tasks.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.timeMs);
      next.task();
    }
    this.#now = timeMs;
  }

  /** The machine slept: time passed, and what was due runs late. */
  jumpTo(timeMs: number): void {
    this.#now = timeMs;
    this.moveTo(timeMs);
  }
}

function ticksOf(clock: HandClock, periodMs: number) {
  const times: number[] = [];
  return { times, timer: every(clock, periodMs, () => times.push(clock.now())) };
}

describe('every', () => {
  test('runs at whole multiples of the period, whenever it was set', () => {
    const clock = new HandClock(1_037.5);
    const { times } = ticksOf(clock, 100);
    clock.moveTo(1_400);
    expect(times).toEqual([1_100, 1_200, 1_300, 1_400]);
  });

  test('waits for the next multiple when it is set on one', () => {
    const clock = new HandClock(1_000);
    const { times } = ticksOf(clock, 250);
    clock.moveTo(1_600);
    expect(times).toEqual([1_250, 1_500]);
  });

  test('gives those who share a period the same ticks', () => {
    const clock = new HandClock(990);
    const first = ticksOf(clock, 50);
    clock.moveTo(1_020);
    const second = ticksOf(clock, 50);
    clock.moveTo(1_150);
    expect(first.times).toEqual([1_000, 1_050, 1_100, 1_150]);
    expect(second.times).toEqual([1_050, 1_100, 1_150]);
  });

  test('runs once, not once for each, after a time in which it could not run', () => {
    const clock = new HandClock(1_000);
    const { times } = ticksOf(clock, 100);
    clock.jumpTo(1_777);
    expect(times).toEqual([1_777]);
    clock.moveTo(2_000);
    expect(times).toEqual([1_777, 1_800, 1_900, 2_000]);
  });

  test('runs once a period by timers that ring a little early', () => {
    const clock = new HandClock(1_000);
    const early: Clock = { now: () => clock.now(), at: (timeMs, task) => clock.at(timeMs - 1, task) };
    const times: number[] = [];
    every(early, 100, () => times.push(clock.now()));
    clock.moveTo(1_350);
    expect(times).toEqual([1_099, 1_199, 1_299]);
  });

  test('never runs again after cancel, from outside or from within the task', () => {
    const clock = new HandClock(0);
    const outside = ticksOf(clock, 10);
    let runs = 0;
    const inside = every(clock, 10, () => {
      runs += 1;
      if (runs === 2) inside.cancel();
    });
    clock.moveTo(15);
    outside.timer.cancel();
    clock.moveTo(100);
    expect(outside.times).toEqual([10]);
    expect(runs).toBe(2);
    expect(clock.waiting).toBe(0);
  });

  test('a task that throws does not end the series', () => {
    const clock = new HandClock(0);
    let runs = 0;
    every(clock, 10, () => {
      runs += 1;
      if (runs === 1) throw new Error('once');
    });
    expect(() => clock.moveTo(10)).toThrow('once');
    clock.moveTo(30);
    expect(runs).toBe(3);
  });
});
