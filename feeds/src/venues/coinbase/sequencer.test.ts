import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionSequence } from './sequencer.ts';

/** A count that stands at the number. */
function at(sequence: number): ConnectionSequence {
  const count = new ConnectionSequence();
  count.take(sequence);
  return count;
}

const next = (proves = false) => ({ kind: 'next', proves });
const gap = (products: readonly string[] | null) => ({
  kind: 'gap',
  reason: expect.any(String) as string,
  products,
});

describe('ConnectionSequence', () => {
  it('begins anywhere, and goes on by one', () => {
    const count = new ConnectionSequence();
    expect([7, 8, 9].map((sequence) => count.take(sequence))).toEqual([next(), next(), next()]);
  });

  it('ignores what was there already', () => {
    const count = at(7);
    expect(count.take(7)).toEqual({ kind: 'old' });
    expect(count.take(3)).toEqual({ kind: 'old' });
    expect(count.take(8)).toEqual(next());
  });

  it('tells a gap once, and goes on from there', () => {
    const count = at(7);
    expect(count.take(9)).toEqual(gap(null));
    expect(count.take(8)).toEqual({ kind: 'old' });
    expect(count.take(10)).toEqual(next());
  });

  it('says what is missing', () => {
    expect(at(7).take(12)).toMatchObject({ reason: 'message 12 follows 7: 4 missing' });
  });

  it('forgets everything with the connection', () => {
    const count = at(7);
    count.unreadable({ sequence: null, products: ['A'] });
    count.reset();
    expect(count.take(3)).toEqual(next());
  });

  it('takes a run of old numbers for a count begun anew', () => {
    const count = at(1_000);
    const verdicts = Array.from({ length: 20 }, (_, i) => count.take(i));
    expect(verdicts.slice(0, 15).every(({ kind }) => kind === 'old')).toBe(true);
    expect(verdicts[15]).toEqual(gap(null));
    expect(verdicts.slice(16)).toEqual(Array(4).fill(next()));
  });

  it.each<[name: string, unreadable: [number | null, string[] | null][], takes: number, verdict: object]>([
    ['frames that were not numbered', [[null, null]], 8, next(true)],
    ['one of one product', [[8, ['A']]], 9, gap(['A'])],
    ['one of one product, its number illegible', [[null, ['A']]], 9, gap(['A'])],
    ['one of no book', [[8, []]], 9, next(true)],
    ['one of any', [[8, null]], 9, gap(null)],
    [
      'two of two products',
      [
        [8, ['A']],
        [9, ['B', 'A']],
      ],
      10,
      gap(['A', 'B']),
    ],
    ['fewer than are missing', [[8, ['A']]], 10, gap(null)],
    [
      'more than are missing: the legible number counts',
      [
        [null, null],
        [8, ['A']],
      ],
      9,
      gap(['A']),
    ],
    [
      'more than are missing: none legible',
      [
        [null, ['A']],
        [null, ['B']],
      ],
      9,
      gap(['A', 'B']),
    ],
    [
      'some of any kind',
      [
        [null, ['A']],
        [null, null],
      ],
      9,
      gap(null),
    ],
    ['a repeated one, which is old', [[7, ['A']]], 9, gap(null)],
    [
      'the same one twice',
      [
        [8, ['A']],
        [8, ['A']],
      ],
      10,
      gap(null),
    ],
  ])('explains what is missing by unreadable frames: %s', (_name, unreadable, takes, verdict) => {
    const count = at(7);
    for (const [sequence, products] of unreadable) count.unreadable({ sequence, products });
    expect(count.take(takes)).toEqual(verdict);
    expect(count.take(takes + 1)).toEqual(next());
  });

  it('never calls next what follows a loss that nothing explains, in any mix of loss, repetition and garbage', () => {
    type Fate = 'read' | 'lost' | 'twice' | 'cut' | 'garbage before';
    const fate = fc.constantFrom<Fate>('read', 'read', 'read', 'lost', 'twice', 'cut', 'garbage before');
    const message = fc.record({ fate, product: fc.constantFrom('A', 'B', 'C') });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 60 }), (messages) => {
        const count = at(0);
        /** Products that missed something since the last message that was read. */
        let missed = new Set<string>();
        for (const [i, { fate, product }] of messages.entries()) {
          const sequence = i + 1;
          if (fate === 'garbage before') count.unreadable({ sequence: null, products: null });
          if (fate === 'cut') count.unreadable({ sequence: i % 2 ? sequence : null, products: [product] });
          if (fate === 'cut' || fate === 'lost') {
            missed.add(product);
            continue;
          }
          const verdict = count.take(sequence);
          if (verdict.kind === 'old') throw new Error('a new message was taken for an old one');
          const told = verdict.kind === 'gap' ? verdict.products : [];
          for (const each of missed) expect(told === null || told.includes(each)).toBe(true);
          if (missed.size === 0) expect(verdict.kind).toBe('next');
          missed = new Set();
          if (fate === 'twice') expect(count.take(sequence).kind).toBe('old');
        }
      }),
    );
  });
});
