import { describe, expect, it } from 'vitest';
import { ChangeSequence } from './sequencer.ts';

const message = (changeId: number, prevChangeId: number | null) => ({ changeId, prevChangeId });

describe('book changes, rule by rule', () => {
  it.each([
    ['1: a snapshot needs nothing before it', [message(140, null)], ['next']],
    ['1: but not one from before', [message(90, null)], ['gap']],
    [
      '1: changes follow a snapshot that came unasked',
      [message(140, null), message(141, 140)],
      ['next', 'next'],
    ],
    ['3: prev_change_id is the change_id before', [message(104, 100), message(105, 104)], ['next', 'next']],
    ['3: ids need not be consecutive', [message(1_000_000, 100)], ['next']],
    ['3: a message was missed', [message(109, 104)], ['gap']],
    ['3: ids that overlap are no sequence', [message(109, 98)], ['gap']],
    ['3: a message that was taken already', [message(104, 100), message(104, 100)], ['next', 'old']],
    ['3: the snapshot once more', [message(104, 100), message(100, null)], ['next', 'old']],
    [
      '3: a low id alone does not make it an old one',
      [message(999, 100), message(105, 104)],
      ['next', 'gap'],
    ],
  ] as const)('%s', (_rule, messages, order) => {
    const sequence = new ChangeSequence(100);
    expect(messages.map((next) => sequence.take(next))).toEqual(order);
  });

  it('remembers some ids, not all', () => {
    const sequence = new ChangeSequence(0);
    for (let id = 1; id <= 1_000; id++) expect(sequence.take(message(id, id - 1))).toBe('next');
    expect(sequence.take(message(900, 899))).toBe('old');
    expect(sequence.take(message(5, 4))).toBe('gap');
    expect(sequence.last).toBe(1_000);
  });
});
