import { describe, expect, it } from 'vitest';
import { freshnessOf, stateOfList } from './freshness.ts';

const live = {
  isOpen: true,
  lostAtMs: null,
  hasData: true,
  state: 'live',
  sinceMs: 5,
  reason: null,
} as const;

describe('freshness of a panel', () => {
  it('passes on what is known while connected', () => {
    expect(freshnessOf(live)).toEqual({
      state: 'live',
      sinceMs: 5,
      clock: 'market',
      reason: null,
      hasEnded: false,
      conflated: null,
    });
    expect(freshnessOf({ ...live, state: 'stale', reason: 'silent' })).toMatchObject({
      state: 'stale',
      reason: 'silent',
    });
  });

  it('is never live without a connection', () => {
    const lost = freshnessOf({ ...live, isOpen: false, lostAtMs: 9 });
    expect(lost).toEqual({
      state: 'recovering',
      sinceMs: 9,
      clock: 'local',
      reason: 'connection lost',
      hasEnded: false,
      conflated: null,
    });
  });

  it('tells the end of a recording from silence, while connected', () => {
    const ended = { ...live, state: 'stale', reason: 'the recording has ended' } as const;
    expect(freshnessOf(ended)).toMatchObject({ state: 'stale', hasEnded: true });
    expect(freshnessOf({ ...ended, reason: 'no update for over 5 s' }).hasEnded).toBe(false);
    expect(freshnessOf({ ...ended, isOpen: false, lostAtMs: 9 })).toMatchObject({
      state: 'recovering',
      hasEnded: false,
      conflated: null,
    });
  });

  it('is syncing until there is something to show', () => {
    expect(freshnessOf({ ...live, isOpen: false, hasData: false }).state).toBe('syncing');
    expect(freshnessOf({ ...live, hasData: false }).state).toBe('syncing');
  });
});

describe('freshness of a list', () => {
  it('is live as long as any row is', () => {
    expect(stateOfList(['stale', 'live', 'recovering'])).toBe('live');
    expect(stateOfList(['stale', 'recovering'])).toBe('recovering');
    expect(stateOfList(['stale', 'syncing'])).toBe('stale');
    expect(stateOfList([])).toBe('syncing');
  });
});
