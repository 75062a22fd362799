import { describe, expect, it } from 'vitest';
import { follows, isBehind } from './sequencer.ts';

const at = (prevSeqId: number, seqId: number, ts = 1_000) => ({ prevSeqId, seqId, ts: String(ts) });

describe('sequence of OKX, rule by rule', () => {
  it.each([
    ['1, 2: an update follows the snapshot', at(-1, 10), at(10, 15), 'next'],
    ['2: an update follows the one before', at(10, 15), at(15, 16), 'next'],
    ['2: one is missing', at(10, 15), at(16, 18), 'gap'],
    ['2: one that overlaps is not the next', at(10, 15), at(12, 18), 'gap'],
    ['3: nothing has changed', at(10, 15), at(15, 15), 'next'],
    ['3: nor since', at(15, 15), at(15, 15), 'next'],
    ['4: the sequence was reset', at(15, 15), at(15, 3), 'next'],
    ['4: and goes on from there', at(15, 3), at(3, 5), 'next'],
    ['4: the reset was missed', at(10, 15, 1_000), at(3, 5, 1_100), 'gap'],
    ['a copy of the last update', at(10, 15), at(10, 15), 'old'],
    ['a copy of an update that the snapshot has in it', at(-1, 15), at(10, 15), 'old'],
    ['a copy of the reset', at(15, 3), at(15, 3), 'old'],
    ['a late copy of an earlier update', at(15, 20, 1_200), at(10, 15, 1_100), 'old'],
    ['the same id from elsewhere', at(10, 15), at(17, 15), 'gap'],
  ])('%s', (_rule, before, next, standing) => {
    expect(follows(before, next)).toBe(standing);
  });

  it('tells a snapshot that is left behind by its id and its time together', () => {
    expect(isBehind(at(10, 15, 1_100), at(-1, 12, 1_000))).toBe(true);
    expect(isBehind(at(10, 15, 1_100), at(-1, 3, 1_200))).toBe(false);
    expect(isBehind(at(10, 15, 1_100), at(-1, 15, 1_100))).toBe(false);
  });
});
