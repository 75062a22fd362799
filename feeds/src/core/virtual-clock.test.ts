import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { every } from '@depthwire/shared';
import { VirtualClock } from './virtual-clock.ts';

describe('VirtualClock', () => {
  it('stands still until told to move', () => {
    const clock = new VirtualClock(1_000);
    let fired = false;
    clock.at(1_000, () => (fired = true));
    expect(clock.now()).toBe(1_000);
    expect(fired).toBe(false);
  });

  it('fires timers by time, and those of one moment in the order they were set', () => {
    const clock = new VirtualClock(0);
    const fired: string[] = [];
    clock.at(20, () => fired.push('c'));
    clock.at(10, () => fired.push('a'));
    clock.at(20, () => fired.push('d'));
    clock.at(10, () => fired.push('b'));
    clock.advanceTo(20);
    expect(fired).toEqual(['a', 'b', 'c', 'd']);
  });

  it('shows each timer its own time, and stands at the end where it was told to', () => {
    const clock = new VirtualClock(0);
    const seen: number[] = [];
    for (const due of [30, 10, 20]) clock.at(due, () => seen.push(clock.now()));
    clock.advanceTo(25);
    expect(seen).toEqual([10, 20]);
    expect(clock.now()).toBe(25);
    expect(clock.nextDueMs()).toBe(30);
  });

  it('fires a periodic timer once across a jump of years, and then at its period again', () => {
    const clock = new VirtualClock(0);
    const fired: number[] = [];
    every(clock, 1_000, () => fired.push(clock.now()));
    const later = 3 * 365 * 86_400_000 + 500;
    clock.jumpTo(later);
    expect(fired).toEqual([later]);
    clock.advanceTo(later + 1_000);
    expect(fired).toEqual([later, later + 500]);
  });

  it('does not fire a cancelled timer, and does not count it as due', () => {
    const clock = new VirtualClock(0);
    const fired: string[] = [];
    const first = clock.at(10, () => fired.push('first'));
    clock.at(20, () => fired.push('second'));
    first.cancel();
    first.cancel();
    expect(clock.nextDueMs()).toBe(20);
    clock.advanceTo(100);
    first.cancel();
    expect(fired).toEqual(['second']);
    expect(clock.nextDueMs()).toBeNull();
  });

  it('lets a timer cancel another that is due at the same moment', () => {
    const clock = new VirtualClock(0);
    const fired: string[] = [];
    clock.at(10, () => {
      fired.push('first');
      second.cancel();
    });
    const second = clock.at(10, () => fired.push('second'));
    clock.advanceTo(10);
    expect(fired).toEqual(['first']);
  });

  it('fires timers set within timers on the same way, those of the past at once', () => {
    const clock = new VirtualClock(0);
    const seen: [string, number][] = [];
    const note = (name: string) => seen.push([name, clock.now()]);
    clock.at(10, () => {
      note('outer');
      clock.at(15, () => note('later'));
      clock.at(5, () => note('past'));
      clock.at(99, () => note('too late'));
    });
    clock.advanceTo(20);
    expect(seen).toEqual([
      ['outer', 10],
      ['past', 10],
      ['later', 15],
    ]);
  });

  it('never goes back', () => {
    const clock = new VirtualClock(100);
    clock.advanceTo(50);
    expect(clock.now()).toBe(100);
  });

  it('fires any mix of timers sorted by time and order, whatever is cancelled', () => {
    const timers = fc.array(fc.record({ due: fc.nat(50), isCancelled: fc.boolean() }), { maxLength: 200 });
    fc.assert(
      fc.property(timers, fc.nat(60), (list, end) => {
        const clock = new VirtualClock(0);
        const fired: number[] = [];
        const handles = list.map(({ due }, i) => clock.at(due, () => fired.push(i)));
        for (const [i, { isCancelled }] of list.entries()) if (isCancelled) handles[i]!.cancel();
        clock.advanceTo(end);
        const expected = list
          .map((timer, i) => ({ ...timer, i }))
          .filter(({ due, isCancelled }) => !isCancelled && due <= end)
          .sort((a, b) => a.due - b.due || a.i - b.i)
          .map(({ i }) => i);
        expect(fired).toEqual(expected);
      }),
    );
  });
});
