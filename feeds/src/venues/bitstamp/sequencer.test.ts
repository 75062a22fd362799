import { describe, expect, it } from 'vitest';
import { BookSync } from '../../core/book-sync.ts';
import { VirtualClock } from '../../core/virtual-clock.ts';
import type { DiffOrderBook } from './messages.ts';
import { diffSequencer, isLate } from './sequencer.ts';

const diff = (microtimestamp: number): DiffOrderBook => ({
  symbol: 'btcusd',
  microtimestamp,
  bids: [],
  asks: [],
});

type Action = DiffOrderBook | { readonly snapshot: number } | { readonly wait: number };
const snapshot = (id: number) => ({ snapshot: id });
const wait = (ms: number) => ({ wait: ms });
const diffs = (...ids: number[]) => ids.map(diff);

/** Runs diffs, snapshots and waits in order, and tells what became of the book. */
function play(actions: readonly Action[]): string[] {
  const log: string[] = [];
  const clock = new VirtualClock(0);
  const sync = new BookSync<DiffOrderBook, { id: number }>(diffSequencer, clock, {
    requestSnapshot: () => log.push('request'),
    applySnapshot: ({ id }) => log.push(`snapshot ${id}`),
    applyDiff: ({ microtimestamp }) => log.push(`diff ${microtimestamp}`),
    live: () => log.push('live'),
    doubted: () => log.push('doubted'),
    lost: () => log.push('lost'),
    link: () => {},
    gap: () => {},
  });
  sync.start();
  for (const action of actions) {
    if ('snapshot' in action) sync.onSnapshot({ id: action.snapshot });
    else if ('wait' in action) clock.advanceTo(clock.now() + action.wait);
    else sync.onDiff(action);
  }
  return log;
}

describe('rule by rule', () => {
  it.each<[rule: string, actions: Action[], outcome: string[]]>([
    ['1: six diffs are held before a snapshot is asked for', diffs(1, 2, 3, 4, 5), []],
    ['2: and then it is', diffs(1, 2, 3, 4, 5, 6), ['request']],
    ['2: or where fewer come in five seconds', [diff(1), wait(5_000)], ['request']],
    [
      '3: diffs up to the snapshot are dropped, the others applied',
      [...diffs(1, 2, 3, 4, 5, 6), snapshot(4)],
      ['request', 'snapshot 4', 'diff 5', 'diff 6', 'live'],
    ],
    [
      '3: a snapshot that is ahead waits for a later diff',
      [...diffs(1, 2, 3, 4, 5, 6), snapshot(9), diff(8), diff(10)],
      ['request', 'snapshot 9', 'diff 10', 'live'],
    ],
    [
      '3: or for the stream to be quiet',
      [...diffs(1, 2, 3, 4, 5, 6), snapshot(9), wait(5_000)],
      ['request', 'snapshot 9', 'live'],
    ],
    [
      '5: a snapshot older than the first diff held is not taken',
      [...diffs(11, 12, 13, 14, 15, 16), snapshot(10), wait(1_000), snapshot(13)],
      ['request', 'request', 'snapshot 13', 'diff 14', 'diff 15', 'diff 16', 'live'],
    ],
    [
      '5: one of its very time is',
      [...diffs(11, 12, 13, 14, 15, 16), snapshot(11), diff(17)],
      ['request', 'snapshot 11', 'diff 12', 'diff 13', 'diff 14', 'diff 15', 'diff 16', 'live', 'diff 17'],
    ],
    [
      '6: a diff of the same time is the same diff',
      [...diffs(1, 2, 3, 4, 5, 6), snapshot(6), diff(7), diff(7)],
      ['request', 'snapshot 6', 'live', 'diff 7'],
    ],
    [
      '5: without a diff, a snapshot is taken that was asked for once the stream had flowed long enough',
      [wait(5_000), snapshot(3), wait(5_000)],
      ['request', 'snapshot 3', 'live'],
    ],
  ])('%s', (_rule, actions, outcome) => {
    expect(play(actions)).toEqual(outcome);
  });

  it('6: tells diffs that come late from those that come twice', () => {
    expect(isLate(diff(5), 6)).toBe(true);
    expect(isLate(diff(6), 6)).toBe(false);
    expect(isLate(diff(7), 6)).toBe(false);
  });
});
