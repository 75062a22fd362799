import { describe, expect, it } from 'vitest';
import { BookSync, type Sequencer } from '../../core/book-sync.ts';
import { VirtualClock } from '../../core/virtual-clock.ts';
import type { DepthUpdate } from './messages.ts';
import { spotSequencer, futuresSequencer } from './sequencer.ts';

const diff = (U: number, u: number, pu?: number): DepthUpdate => ({
  e: 'depthUpdate',
  E: 0,
  s: 'BTCUSDT',
  U,
  u,
  pu,
  b: [],
  a: [],
});

type Action = DepthUpdate | { readonly snapshot: number };
const snapshot = (id: number) => ({ snapshot: id });

/** Runs diffs and snapshots in order, and tells what became of the book. */
function play(sequencer: Sequencer<DepthUpdate>, actions: readonly Action[]): string[] {
  const log: string[] = [];
  const sync = new BookSync<DepthUpdate, { id: number }>(sequencer, new VirtualClock(0), {
    requestSnapshot: () => {},
    applySnapshot: ({ id }) => log.push(`snapshot ${id}`),
    applyDiff: ({ u }) => log.push(`diff ${u}`),
    live: () => log.push('live'),
    doubted: () => log.push('doubted'),
    lost: () => log.push('lost'),
    link: () => {},
    gap: () => {},
  });
  sync.start();
  for (const action of actions) {
    if ('snapshot' in action) sync.onSnapshot({ id: action.snapshot });
    else sync.onDiff(action);
  }
  return log;
}

describe('spot, rule by rule', () => {
  it.each<[rule: string, actions: Action[], outcome: string[]]>([
    ['1: events before the snapshot are held, not applied', [diff(1, 3), diff(4, 6)], []],
    ['2, 5: the book is set to the snapshot', [diff(4, 6), snapshot(6)], ['snapshot 6', 'live']],
    ['3: a snapshot below the first held U is not taken', [diff(10, 12), snapshot(8)], []],
    [
      '3: a snapshot just below the first held U joins',
      [diff(10, 12), snapshot(9)],
      ['snapshot 9', 'diff 12', 'live'],
    ],
    [
      '4: held events up to the snapshot are dropped',
      [diff(1, 3), diff(4, 6), diff(7, 9), snapshot(6)],
      ['snapshot 6', 'diff 9', 'live'],
    ],
    [
      '4: the first one applied spans the snapshot',
      [diff(1, 3), diff(4, 9), snapshot(6)],
      ['snapshot 6', 'diff 9', 'live'],
    ],
    [
      '4: an event that ends at the snapshot is old',
      [diff(4, 6), snapshot(6), diff(7, 7)],
      ['snapshot 6', 'live', 'diff 7'],
    ],
    [
      '4: the first one may begin right after the snapshot',
      [snapshot(6), diff(7, 9)],
      ['snapshot 6', 'diff 9', 'live'],
    ],
    ['4: one that begins later does not join', [snapshot(6), diff(8, 9)], ['snapshot 6', 'lost']],
    [
      '6: events follow each other',
      [snapshot(6), diff(7, 9), diff(10, 10)],
      ['snapshot 6', 'diff 9', 'live', 'diff 10'],
    ],
    [
      '6: events from before are ignored',
      [snapshot(6), diff(7, 9), diff(8, 9), diff(5, 6)],
      ['snapshot 6', 'diff 9', 'live'],
    ],
    [
      '6: one that overlaps is applied, for quantities are absolute',
      [snapshot(6), diff(7, 9), diff(8, 11)],
      ['snapshot 6', 'diff 9', 'live', 'diff 11'],
    ],
    [
      '6: a missed event loses the book',
      [snapshot(6), diff(7, 9), diff(11, 12)],
      ['snapshot 6', 'diff 9', 'live', 'lost'],
    ],
    [
      '6: and everything starts over',
      [snapshot(6), diff(7, 9), diff(11, 12), snapshot(10)],
      ['snapshot 6', 'diff 9', 'live', 'lost', 'snapshot 10', 'diff 12', 'live'],
    ],
  ])('%s', (_rule, actions, outcome) => {
    expect(play(spotSequencer, actions)).toEqual(outcome);
  });
});

describe('USD-M, rule by rule', () => {
  it.each<[rule: string, actions: Action[], outcome: string[]]>([
    ['1: events before the snapshot are held, not applied', [diff(10, 14, 8), diff(20, 25, 14)], []],
    ['3: a snapshot before the first held event is not taken', [diff(10, 14, 8), snapshot(7)], []],
    [
      '4: held events that end before the snapshot are dropped',
      [diff(10, 14, 8), diff(20, 25, 14), snapshot(22)],
      ['snapshot 22', 'diff 25', 'live'],
    ],
    [
      '5: the first one applied may end at the snapshot',
      [diff(10, 14, 8), diff(20, 25, 14), snapshot(25)],
      ['snapshot 25', 'diff 25', 'live'],
    ],
    ['5: or begin at it', [diff(20, 25, 14), snapshot(20)], ['snapshot 20', 'diff 25', 'live']],
    ['6: or follow it by pu', [snapshot(14), diff(20, 25, 14)], ['snapshot 14', 'diff 25', 'live']],
    [
      '5: one that begins later and follows another does not join',
      [snapshot(14), diff(20, 25, 17)],
      ['snapshot 14', 'lost'],
    ],
    [
      '6: ids need not be consecutive',
      [snapshot(14), diff(20, 25, 14), diff(90, 95, 25)],
      ['snapshot 14', 'diff 25', 'live', 'diff 95'],
    ],
    [
      '6: a pu that is not the u before loses the book',
      [snapshot(14), diff(20, 25, 14), diff(26, 30, 24)],
      ['snapshot 14', 'diff 25', 'live', 'lost'],
    ],
    [
      '6: so does an event without pu',
      [snapshot(14), diff(20, 25, 14), diff(26, 30)],
      ['snapshot 14', 'diff 25', 'live', 'lost'],
    ],
    [
      '6: an event that came before is left out',
      [snapshot(14), diff(20, 25, 14), diff(20, 25, 14), diff(30, 31, 25)],
      ['snapshot 14', 'diff 25', 'live', 'diff 31'],
    ],
    [
      '6: and everything starts over',
      [snapshot(14), diff(20, 25, 14), diff(40, 45, 33), snapshot(42)],
      ['snapshot 14', 'diff 25', 'live', 'lost', 'snapshot 42', 'diff 45', 'live'],
    ],
  ])('%s', (_rule, actions, outcome) => {
    expect(play(futuresSequencer, actions)).toEqual(outcome);
  });
});
