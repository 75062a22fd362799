import type { Instrument, InstrumentId, InstrumentKind } from '@depthwire/shared';
import { kindsWord } from '../../format/codes.ts';
import { m } from '../../paraglide/messages.js';
import { groupName, type Groups } from './groups.ts';
import { matches } from './sort.ts';

/** What a list shows: all instruments, those of one group, or all under headers. */
export const arrangements = ['all', 'group', 'groups', 'venue', 'kind', 'quote'] as const;
export type Arrangement = (typeof arrangements)[number];

/** A line of the list. Keys tell lines apart: an instrument may be in several groups. */
export type Entry<Row> = Header | Line<Row>;

export interface Header {
  readonly type: 'header';
  readonly key: string;
  readonly title: string;
  /** The group that it stands for; null where the user made none. */
  readonly group: string | null;
  /** Instruments below it, whether they are shown or not. */
  readonly count: number;
  readonly isOpen: boolean;
}

export interface Line<Row> {
  readonly type: 'line';
  readonly key: string;
  readonly id: InstrumentId;
  /** Null for an instrument of a group that this server has not. */
  readonly row: Row | null;
  /** The group that it is shown in; null where the user made none. */
  readonly group: string | null;
  /** Among those below its header, or in the whole list: from 0, and of how many. */
  readonly place: number;
  readonly of: number;
}

export interface Listed {
  readonly id: InstrumentId;
  readonly instrument: Pick<Instrument, 'id' | 'venue' | 'base' | 'quote' | 'name' | 'kind'>;
}

export interface Arranged {
  readonly show: Arrangement;
  /** Where one is shown; as `all` where there is no such group. */
  readonly group: string | null;
  /** Headers that are closed, by key. */
  readonly closed: readonly string[];
}

interface Section<Row> {
  readonly key: string;
  readonly title: string;
  readonly group: string | null;
  readonly lines: readonly { readonly id: InstrumentId; readonly row: Row | null }[];
}

/** In the order in which headers stand. */
const KINDS: readonly InstrumentKind[] = ['spot', 'perpetual', 'future', 'option', 'fx', 'equity'];

/**
 * The lines of a list.
 * @param rows in their order; that of a group goes before it where they are not sorted
 * @param query what is sought: headers without a match are left out, and the others are open
 */
export function arrange<Row extends Listed>(
  rows: readonly Row[],
  groups: Groups,
  { show, group, closed }: Arranged,
  query: string,
  isSorted: boolean,
): Entry<Row>[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const linesOf = (ids: readonly InstrumentId[]) => {
    if (!isSorted) return ids.map((id) => ({ id, row: byId.get(id) ?? null }));
    const wanted = new Set(ids);
    const known = rows.filter(({ id }) => wanted.has(id)).map((row) => ({ id: row.id, row }));
    return [...known, ...ids.filter((id) => !byId.has(id)).map((id) => ({ id, row: null }))];
  };
  const found = ({ id, row }: { id: InstrumentId; row: Row | null }) =>
    query === '' || matches(row?.instrument ?? { id, venue: '', base: '', quote: '', name: '' }, query);
  const one = show === 'group' ? groups.find(({ id }) => id === group) : undefined;
  if (show === 'all' || (show === 'group' && !one))
    return toLines({
      key: '',
      title: '',
      group: null,
      lines: rows.map((row) => ({ id: row.id, row })).filter(found),
    });
  if (one) {
    const lines = linesOf(one.instruments).filter(found);
    return toLines({ key: one.id, title: groupName(one), group: one.id, lines });
  }
  const sections: Section<Row>[] =
    show === 'groups'
      ? [
          ...groups.map(({ id, name, instruments }) => ({
            key: `group:${id}`,
            title: groupName({ id, name }),
            group: id,
            lines: linesOf(instruments),
          })),
          restOf(rows, groups),
        ]
      : by(rows, show === 'group' ? 'venue' : show);
  const shut = new Set(closed);
  return sections.flatMap((section): Entry<Row>[] => {
    const lines = section.lines.filter(found);
    if (lines.length === 0 && (query !== '' || section.group === null)) return [];
    const isOpen = query !== '' || !shut.has(section.key);
    const { key, title, group: of } = section;
    const header: Header = { type: 'header', key, title, group: of, count: lines.length, isOpen };
    return isOpen ? [header, ...toLines({ ...section, lines })] : [header];
  });
}

function toLines<Row>({ key, group, lines }: Section<Row>): Line<Row>[] {
  return lines.map(({ id, row }, place) => {
    return { type: 'line', key: key === '' ? id : `${key}/${id}`, id, row, group, place, of: lines.length };
  });
}

function restOf<Row extends Listed>(rows: readonly Row[], groups: Groups): Section<Row> {
  const grouped = new Set(groups.flatMap(({ instruments }) => instruments));
  const rest = rows.filter(({ id }) => !grouped.has(id)).map((row) => ({ id: row.id, row }));
  return { key: 'rest', title: m.watch_ungrouped(), group: null, lines: rest };
}

/** Venues and quotes by name, kinds as traders list them. */
function by<Row extends Listed>(rows: readonly Row[], field: 'venue' | 'kind' | 'quote'): Section<Row>[] {
  const sections = new Map<string, Row[]>();
  for (const row of rows) {
    const value = row.instrument[field];
    const section = sections.get(value);
    if (section) section.push(row);
    else sections.set(value, [row]);
  }
  const values = [...sections.keys()].sort((a, b) =>
    field === 'kind'
      ? KINDS.indexOf(a as InstrumentKind) - KINDS.indexOf(b as InstrumentKind)
      : a < b
        ? -1
        : 1,
  );
  return values.map((value) => ({
    key: `${field}:${value}`,
    title: field === 'kind' ? kindsWord(value as InstrumentKind) : value,
    group: null,
    lines: sections.get(value)!.map((row) => ({ id: row.id, row })),
  }));
}

export type Step = 'first' | 'last' | -1 | 1;

/** The line that a key leads to; null where there is none. */
export function stepFrom<Row>(entries: readonly Entry<Row>[], at: number, step: Step): Entry<Row> | null {
  const last = entries.length - 1;
  const index =
    step === 'first' ? 0 : step === 'last' ? last : at < 0 ? 0 : Math.min(last, Math.max(0, at + step));
  return entries[index] ?? null;
}

/** Where the header is that a line is below, or that it is itself; -1 where there is none. */
export function headerAt<Row>(entries: readonly Entry<Row>[], at: number): number {
  for (let i = at; i >= 0; i--) if (entries[i]?.type === 'header') return i;
  return -1;
}

/**
 * The lines to draw, of which most are out of sight. The header of the first in sight is one of them, however far above it is:
 * it stays at the top.
 * @param at the first in sight
 * @param from the first that is drawn, up to `to`
 */
export function drawn<Row>(
  entries: readonly Entry<Row>[],
  at: number,
  from: number,
  to: number,
): { readonly entry: Entry<Row>; readonly index: number }[] {
  const lines = entries.slice(from, to).map((entry, index) => ({ entry, index: from + index }));
  const above = headerAt(entries, at);
  return above < 0 || above >= from ? lines : [{ entry: entries[above]!, index: above }, ...lines];
}

/** The instruments from one line to another, in their order. */
export function between<Row>(entries: readonly Entry<Row>[], from: number, to: number): Line<Row>[] {
  const [first, last] = from < to ? [from, to] : [to, from];
  return entries.slice(Math.max(0, first), last + 1).filter((entry) => entry.type === 'line');
}
