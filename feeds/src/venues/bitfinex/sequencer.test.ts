import { describe, expect, it } from 'vitest';
import { ConnectionSequence } from './sequencer.ts';

const next = { order: 'next', isProof: false };

function following(...numbers: number[]): ConnectionSequence {
  const sequence = new ConnectionSequence();
  for (const number of numbers) expect(sequence.take(number)).toEqual(next);
  return sequence;
}

describe('sequence of a connection, rule by rule', () => {
  it('1, 3: each frame has the number of the one before plus one', () => {
    expect(following(1, 2, 3).isNumbered).toBe(true);
    following(127, 128); // a recording may begin in the middle
  });

  it('3: a frame that is missing may have been of any channel', () => {
    expect(following(1, 2).take(4)).toEqual({
      order: 'gap',
      lost: null,
      reason: 'sequence gap: 4 after 2 on the connection',
    });
  });

  it('3: goes on from the number after a gap, and takes none twice', () => {
    const sequence = following(1, 2);
    sequence.take(4);
    expect(sequence.take(3)).toEqual({ order: 'old' });
    expect(sequence.take(4)).toEqual({ order: 'old' });
    expect(sequence.take(5)).toEqual(next);
  });

  it('tells whose a frame was that came but could not be read', () => {
    const sequence = following(1, 2);
    sequence.unread(true, ['tBTCUSD']);
    sequence.unread(true, []);
    expect(sequence.take(5)).toMatchObject({ order: 'gap', lost: ['tBTCUSD'] });
    expect(sequence.take(6)).toEqual(next);
  });

  it('is told by the number after it that something was no frame of the sequence', () => {
    const sequence = following(1, 2);
    sequence.unread(true, null);
    sequence.unread(false, null);
    expect(sequence.take(3)).toEqual({ order: 'next', isProof: true });
    expect(sequence.take(4)).toEqual(next);
  });

  it.each<[name: string, unread: [boolean, string[] | null][], number: number]>([
    ['more is missing than could not be read', [[true, ['tBTCUSD']]], 5],
    [
      'less is',
      [
        [true, ['tBTCUSD']],
        [true, ['tETHUSD']],
      ],
      4,
    ],
    [
      'one of them named no channel',
      [
        [true, ['tBTCUSD']],
        [true, null],
      ],
      5,
    ],
    ['what could not be read was no frame at all', [[false, null]], 4],
  ])('takes any book for lost where %s', (_name, unread, number) => {
    const sequence = following(1, 2);
    for (const [isCounted, symbols] of unread) sequence.unread(isCounted, symbols);
    expect(sequence.take(number)).toMatchObject({ order: 'gap', lost: null });
  });

  it('begins anew on another connection', () => {
    const sequence = following(1, 2);
    sequence.unread(true, null);
    sequence.reset();
    expect(sequence.isNumbered).toBe(false);
    expect(sequence.take(1)).toEqual(next);
  });
});
