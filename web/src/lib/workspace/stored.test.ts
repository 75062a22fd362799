import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeEntries, type Entry } from './stored.ts';

const one = (id: string, data: unknown = id): Entry => ({ id, data });
const baseOf = (...entries: Entry[]) => new Map(entries.map(({ id, data }) => [id, JSON.stringify(data)]));

describe('workspaces of several tabs', () => {
  test('what another tab added stays', () => {
    expect(mergeEntries(baseOf(one('a')), [one('a')], [one('a'), one('b')])).toEqual([one('a'), one('b')]);
  });

  test('what was deleted here goes, also where the other tab still has it', () => {
    expect(mergeEntries(baseOf(one('a'), one('b')), [one('a')], [one('a'), one('b')])).toEqual([one('a')]);
  });

  test('what another tab deleted does not come back, unless it was changed here', () => {
    const base = baseOf(one('a'), one('b'), one('c'));
    const ours = [one('a'), one('b'), one('c', 'changed')];
    expect(mergeEntries(base, ours, [one('a')])).toEqual([one('a'), one('c', 'changed')]);
  });

  test('of a workspace that both changed ours counts, of one that only they changed theirs', () => {
    const base = baseOf(one('a'), one('b'));
    const merged = mergeEntries(base, [one('a', 1), one('b')], [one('a', 2), one('b', 3)]);
    expect(merged).toEqual([one('a', 1), one('b', 3)]);
  });

  test('what nobody here can read is kept as it is', () => {
    const unread = one('later', { version: 9 });
    expect(mergeEntries(baseOf(one('a')), [one('a', 1)], [unread, one('a')])).toEqual([unread, one('a', 1)]);
  });

  test('nothing new is ever lost, and no id is there twice', () => {
    const entries = fc.uniqueArray(fc.record({ id: fc.constantFrom(...'abcdef'), data: fc.nat(2) }), {
      selector: ({ id }) => id,
    });
    fc.assert(
      fc.property(entries, entries, entries, (base, ours, theirs) => {
        const before = baseOf(...base);
        const merged = mergeEntries(before, ours, theirs);
        const ids = merged.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { id } of [...ours, ...theirs]) if (!before.has(id)) expect(ids).toContain(id);
        for (const entry of ours)
          if (before.get(entry.id) !== JSON.stringify(entry.data)) expect(merged).toContainEqual(entry);
      }),
    );
  });
});
