import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { readFile, writeFile, type WorkspaceData } from '../../workspace/model.ts';
import { arrange, between, drawn, headerAt, stepFrom, type Arranged, type Entry } from './entries.ts';
import {
  MAX_GROUP_INSTRUMENTS,
  MAX_GROUPS,
  movedGroup,
  movedInstrument,
  nameProblem,
  readGroups,
  renamed,
  STAR,
  toggled,
  withGroup,
  withInstruments,
  withoutGroup,
  writeGroups,
  type Groups,
} from './groups.ts';
import { groupsOf, takeGroups } from './shared-groups.ts';

const star = { id: STAR, name: STAR, instruments: [] };
const majors = { id: 'g1', name: 'Majors', instruments: ['sim:A-USD', 'sim:B-USD', 'sim:C-EUR'] };
const groups: Groups = [star, majors];
const idsOf = (all: Groups, id: string) => all.find((group) => group.id === id)?.instruments;

describe('groups', () => {
  it('are made and renamed, under names that no other has', () => {
    const made = withGroup(groups, 'g2', '  Alts ');
    expect(made.at(-1)).toEqual({ id: 'g2', name: 'Alts', instruments: [] });
    expect(() => withGroup(made, 'g3', 'alts')).toThrow('“Alts”');
    expect(() => withGroup(made, 'g3', 'favourites')).toThrow('“Favourites”');
    expect(() => withGroup(made, 'g3', ' ')).toThrow('1 to 40 characters');
    expect(renamed(made, 'g2', 'ALTS').at(-1)?.name).toBe('ALTS');
    expect(() => renamed(made, 'g2', 'Majors')).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    expect(nameProblem(made, 'New')).toBeNull();
  });

  it('are as many as may be', () => {
    let all: Groups = groups;
    while (all.length < MAX_GROUPS) all = withGroup(all, `n${all.length}`, `n${all.length}`);
    expect(() => withGroup(all, 'more', 'more')).toThrow('50 groups');
    const ids = Array.from({ length: MAX_GROUP_INSTRUMENTS + 1 }, (_, i) => `sim:${i}`);
    expect(() => withInstruments(groups, STAR, ids)).toThrow('“Favourites” has 1000 instruments');
  });

  it('keep the one that everybody has', () => {
    expect(withoutGroup(groups, STAR)).toEqual(groups);
    expect(withoutGroup(groups, 'g1')).toEqual([star]);
    expect(renamed(groups, STAR, 'Mine')[0]).toEqual(star);
  });

  it('take what they have not all, and give back what they have all', () => {
    const some = toggled(groups, 'g1', ['sim:A-USD', 'sim:D-USD']);
    expect(idsOf(some, 'g1')).toEqual([...majors.instruments, 'sim:D-USD']);
    expect(idsOf(toggled(some, 'g1', ['sim:A-USD', 'sim:D-USD']), 'g1')).toEqual(['sim:B-USD', 'sim:C-EUR']);
  });

  it('are put in order, and stop at the ends', () => {
    expect(movedGroup(groups, 'g1', -1)).toEqual([majors, star]);
    expect(movedGroup(groups, 'g1', 1)).toEqual(groups);
    const first = movedInstrument(groups, 'g1', 'sim:C-EUR', 0);
    expect(idsOf(first, 'g1')).toEqual(['sim:C-EUR', 'sim:A-USD', 'sim:B-USD']);
    expect(movedInstrument(groups, 'g1', 'sim:C-EUR', 3)).toEqual(groups);
    expect(movedInstrument(groups, 'g1', 'sim:Z-USD', 0)).toEqual(groups);
  });

  it('lose no instrument, and get none, however they are put in order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1 }),
        fc.nat(),
        fc.nat(),
        (ids, a, b) => {
          const all = [{ id: 'g', name: 'g', instruments: ids }];
          const moved = idsOf(movedInstrument(all, 'g', ids[a % ids.length]!, b % ids.length), 'g')!;
          expect(moved.indexOf(ids[a % ids.length]!)).toBe(b % ids.length);
          expect([...moved].sort()).toEqual([...ids].sort());
        },
      ),
    );
  });
});

describe('saved groups', () => {
  it('are read as they were written; at first there are the favourites', () => {
    expect(readGroups(writeGroups(groups))).toEqual({ groups, problem: null });
    expect(readGroups(null)).toEqual({ groups: [star], problem: null });
  });

  test.each([
    ['what is no JSON', '{', 'cannot be read'],
    ['those of another version', '{"version":2,"groups":[]}', 'not those of this version'],
  ])('are left alone: %s', (_, text, problem) => {
    const read = readGroups(text);
    expect(read.groups).toEqual([star]);
    expect(read.problem).toContain(problem);
  });

  it('that make no sense are left out, with where and why', () => {
    const wrong = { ...majors, id: 'g2', instruments: ['sim:A-USD', 'sim:A-USD'] };
    const read = readGroups(writeGroups([majors, wrong]));
    expect(read.groups).toEqual([star, majors]);
    expect(read.problem).toMatch(/number 2.*instruments: expected each instrument once/);
    expect(readGroups(writeGroups([majors, majors])).groups).toEqual([star, majors]);
    expect(readGroups('{"version":1,"groups":[{"id":"x"}]}').problem).toMatch(/number 1.*name/);
  });
});

const row = (id: string, kind: 'spot' | 'perpetual' = 'spot') => {
  const [venue, name] = id.split(':') as [string, string];
  const [base, quote] = name.split('-') as [string, string];
  return { id, instrument: { id, venue, base, quote, name, kind } };
};
type Row = ReturnType<typeof row>;
const rows = [row('sim:B-USD'), row('sim:A-USD', 'perpetual'), row('x:A-EUR')];

const all: Arranged = { show: 'all', group: null, closed: [] };
const lines = (entries: readonly Entry<Row>[]) =>
  entries.map((one) =>
    one.type === 'header'
      ? `${one.isOpen ? '-' : '+'} ${one.title} ${one.count}`
      : `${one.id}${one.row ? '' : ' ?'}`,
  );
const listed = (changes: Partial<Arranged>, query = '', isSorted = false) =>
  lines(arrange(rows, groups, { ...all, ...changes }, query, isSorted));

describe('a list', () => {
  it('shows all instruments in their order', () => {
    expect(listed({})).toEqual(['sim:B-USD', 'sim:A-USD', 'x:A-EUR']);
    expect(listed({ show: 'group', group: 'gone' })).toEqual(listed({}));
  });

  it('shows a group in its own order, with what this server has not; sorted, that is last', () => {
    const group = { show: 'group', group: 'g1' } as const;
    expect(listed(group)).toEqual(['sim:A-USD', 'sim:B-USD', 'sim:C-EUR ?']);
    expect(listed(group, '', true)).toEqual(['sim:B-USD', 'sim:A-USD', 'sim:C-EUR ?']);
    expect(listed(group, 'c-eur')).toEqual(['sim:C-EUR ?']);
  });

  it('has headers of groups, even of empty ones, and of what is in none', () => {
    expect(listed({ show: 'groups', closed: ['group:g1'] })).toEqual([
      '- Favourites 0',
      '+ Majors 3',
      '- In no group 1',
      'x:A-EUR',
    ]);
  });

  it('has headers by venue, by kind and by quote', () => {
    expect(listed({ show: 'venue' })).toEqual(['- sim 2', 'sim:B-USD', 'sim:A-USD', '- x 1', 'x:A-EUR']);
    expect(listed({ show: 'kind', closed: ['kind:spot'] })).toEqual([
      '+ Spot 2',
      '- Perpetuals 1',
      'sim:A-USD',
    ]);
    expect(listed({ show: 'quote', closed: ['quote:EUR', 'quote:USD'] })).toEqual(['+ EUR 1', '+ USD 2']);
  });

  it('is open where something is sought, with the headers alone below which it is', () => {
    expect(listed({ show: 'groups', closed: ['group:g1'] }, 'b-usd')).toEqual(['- Majors 1', 'sim:B-USD']);
  });

  it('tells an instrument in two groups apart', () => {
    const twice = withInstruments(groups, STAR, ['sim:A-USD']);
    const entries = arrange(rows, twice, { ...all, show: 'groups' }, '', false);
    expect(new Set(entries.map(({ key }) => key)).size).toBe(entries.length);
  });

  it('draws the header of the first line in sight, however far above it is', () => {
    const entries = arrange(rows, groups, { ...all, show: 'venue' }, '', false);
    const at = (top: number, from: number, to: number) =>
      drawn(entries, top, from, to).map(({ entry, index }) => [index, entry.key]);
    expect(at(2, 2, 4)).toEqual([
      [0, 'venue:sim'],
      [2, 'venue:sim/sim:A-USD'],
      [3, 'venue:x'],
    ]);
    expect(at(4, 3, 5).map(([index]) => index)).toEqual([3, 4]);
    expect(at(1, 0, 2).map(([index]) => index)).toEqual([0, 1]);
    expect(drawn(entries.slice(1, 3), 1, 1, 2).map(({ index }) => index)).toEqual([1]);
    expect(drawn(entries, 9, 9, 5).map(({ index }) => index)).toEqual([3]);
  });

  it('is gone through by keys, and ends', () => {
    const entries = arrange(rows, groups, { ...all, show: 'venue' }, '', false);
    expect(stepFrom(entries, -1, 1)?.key).toBe('venue:sim');
    expect(stepFrom(entries, 0, 1)?.key).toBe('venue:sim/sim:B-USD');
    expect(stepFrom(entries, 4, 1)).toBe(entries[4]);
    expect(stepFrom(entries, 4, 'first')).toBe(entries[0]);
    expect(stepFrom([], -1, 'last')).toBeNull();
    expect([headerAt(entries, 2), headerAt([], 0), headerAt(entries.slice(1), 1)]).toEqual([0, -1, -1]);
    expect(between(entries, 4, 2).map(({ id }) => id)).toEqual(['sim:A-USD', 'x:A-EUR']);
  });
});

describe('a workspace that is shared', () => {
  const withPanel = (settings: Record<string, unknown>): WorkspaceData => ({
    name: 'Desk',
    links: {},
    layout: null,
    panels: { 'watchlist-1': { kind: 'watchlist', link: null, instrument: null, settings } },
  });
  const alts = { id: 'g2', name: 'Alts', instruments: ['sim:D-USD'] };
  const mine: Groups = [...groups, alts];

  it('takes the groups that its panels show along, and never the favourites', () => {
    expect(groupsOf(withPanel({}), mine)).toEqual([]);
    expect(groupsOf(withPanel({ show: 'group', group: 'g2' }), mine)).toEqual([alts]);
    expect(groupsOf(withPanel({ show: 'group', group: STAR }), mine)).toEqual([]);
    expect(groupsOf(withPanel({ show: 'groups' }), mine)).toEqual([majors, alts]);
  });

  it('adds a group where there is none of its name, and shows the one that there is', () => {
    const shared = {
      ...withPanel({ show: 'group', group: 'g2', closed: ['group:g2', 'rest'] }),
      groups: [alts],
    };
    const added = takeGroups(readFile(writeFile(shared)), groups);
    expect(added.groups).toEqual(mine);
    expect(added.workspace).toEqual(withPanel({ show: 'group', group: 'g2', closed: ['group:g2', 'rest'] }));
    const own: Groups = [star, { id: 'own', name: 'ALTS', instruments: ['x:Y'] }];
    const met = takeGroups(shared, own);
    expect(met.groups).toEqual(own);
    expect(met.workspace.panels['watchlist-1']?.settings).toMatchObject({
      group: 'own',
      closed: ['group:own', 'rest'],
    });
  });

  it('says where there is no room, and what cannot be read', () => {
    let full: Groups = [star];
    while (full.length < MAX_GROUPS) full = withGroup(full, `n${full.length}`, `n${full.length}`);
    const taken = takeGroups({ ...withPanel({}), groups: [alts] }, full);
    expect(taken.groups).toEqual(full);
    expect(taken.problem).toContain('50 groups');
    const wrong = { ...withPanel({}), groups: [{ ...alts, name: '' }] };
    expect(() => readFile(writeFile(wrong))).toThrow(/^workspace\.groups\.0\.name: /);
  });
});
