import { RECORDING_ENDED } from '@depthwire/shared';
import { describe, expect, test } from 'vitest';
import { verdictOf } from './feeds.svelte.ts';
import type { FeedReport } from './rest.ts';

const report = (state: FeedReport['state'], books: Partial<FeedReport['books']>): FeedReport => ({
  id: 'x',
  state,
  since: 0,
  error: null,
  retryAt: null,
  books: { syncing: 0, live: 0, stale: 0, recovering: 0, ...books },
  events: 0,
  refused: 0,
  source: null,
  reconnects: null,
  problems: [],
  troubles: [],
});

describe('what is said of a feed', () => {
  test.each([
    ['running', { live: 3 }, 'live', 'good'],
    ['running', { live: 2, stale: 1 }, '2 of 3 live', 'warning'],
    ['running', { stale: 1, recovering: 2 }, 'recovering', 'bad'],
    ['running', { syncing: 2 }, 'syncing', 'bad'],
    ['running', {}, 'no books', 'warning'],
    ['starting', { live: 1 }, 'starting', 'warning'],
    ['failed', { live: 1 }, 'failed', 'bad'],
  ] as const)('%s with %j: %s', (state, books, word, level) => {
    expect(verdictOf(report(state, books))).toEqual({ word, level });
  });

  test('live with something to mend is a warning', () => {
    const live = report('running', { live: 3 });
    const problems = ['the venue lists no MOON-USD'];
    expect(verdictOf({ ...live, problems })).toEqual({ word: 'live', level: 'warning' });
  });

  test('a recording that was played to its end is no failure', () => {
    const ended = { instrument: 'x:A-B', state: 'stale', reason: RECORDING_ENDED, since: 0 } as const;
    const stale = report('running', { stale: 1 });
    expect(verdictOf({ ...stale, troubles: [ended] })).toEqual({
      word: 'the recording has ended',
      level: 'warning',
    });
    expect(verdictOf({ ...stale, troubles: [ended, { ...ended, reason: 'silent' }] }).level).toBe('bad');
  });
});
