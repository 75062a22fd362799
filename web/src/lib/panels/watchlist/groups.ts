import { DepthwireError, type InstrumentId } from '@depthwire/shared';
import * as v from 'valibot';
import { m } from '../../paraglide/messages.js';

export const MAX_GROUPS = 50;
export const MAX_GROUP_INSTRUMENTS = 1_000;
const MAX_NAME_CHARS = 40;
/** Of the group that everybody has; its name is that of the page's language. */
export const STAR = 'star';

const name = v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(MAX_NAME_CHARS));
const instruments = v.pipe(
  v.array(v.pipe(v.string(), v.nonEmpty(), v.maxLength(128))),
  v.maxLength(MAX_GROUP_INSTRUMENTS),
  v.check(
    (ids) => new Set(ids).size === ids.length,
    () => m.watch_group_twice(),
  ),
);

/** A list of instruments that the user made. An instrument that this server has not is kept: another may have it. */
export const instrumentGroup = v.object({
  id: v.pipe(v.string(), v.regex(/^[\w-]{1,40}$/)),
  name,
  instruments,
});
export const instrumentGroups = v.pipe(v.array(instrumentGroup), v.maxLength(MAX_GROUPS));

export type InstrumentGroup = Readonly<v.InferOutput<typeof instrumentGroup>>;
export type Groups = readonly InstrumentGroup[];

const NOTHING: Groups = [{ id: STAR, name: STAR, instruments: [] }];
const file = v.object({ version: v.literal(1), groups: v.array(v.unknown()) });

export function writeGroups(groups: Groups): string {
  return JSON.stringify({ version: 1, groups });
}

/** @returns what can be read, and what to say of the rest; null where all of it was */
export function readGroups(text: string | null): { groups: Groups; problem: string | null } {
  if (text === null) return { groups: NOTHING, problem: null };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { groups: NOTHING, problem: m.watch_groups_unreadable() };
  }
  const whole = v.safeParse(file, value);
  if (!whole.success) return { groups: NOTHING, problem: m.watch_groups_other_version() };
  const byId = new Map<string, InstrumentGroup>();
  let problem: string | null = null;
  for (const [i, one] of whole.output.groups.entries()) {
    const result = v.safeParse(instrumentGroup, one);
    if (result.success && byId.size < MAX_GROUPS && !byId.has(result.output.id))
      byId.set(result.output.id, result.output);
    else problem ??= m.watch_group_lost({ number: i + 1, problem: problemOf(result) });
  }
  if (!byId.has(STAR)) return { groups: [...NOTHING, ...byId.values()], problem };
  return { groups: [...byId.values()], problem };
}

function problemOf(result: v.SafeParseResult<typeof instrumentGroup>): string {
  if (result.success) return m.watch_groups_full({ count: MAX_GROUPS });
  const [issue] = result.issues;
  return `${v.getDotPath(issue) ?? 'group'}: ${issue.message}`;
}

/** How it is called on the screen. */
export function groupName({ id, name }: Pick<InstrumentGroup, 'id' | 'name'>): string {
  return id === STAR ? m.watch_star() : name;
}

/** What is wrong with a name; null where nothing is. */
export function nameProblem(groups: Groups, wanted: string, id: string | null = null): string | null {
  if (!v.is(name, wanted)) return m.watch_group_name_problem({ most: MAX_NAME_CHARS });
  const twin = groups.find((group) => group.id !== id && sameName(groupName(group), wanted));
  return twin ? m.watch_group_name_taken({ name: groupName(twin) }) : null;
}

export const sameName = (a: string, b: string) =>
  a.trim().toLocaleLowerCase() === b.trim().toLocaleLowerCase();

/** @throws DepthwireError `invalid_request` where the name is none, or there are as many groups as may be */
export function withGroup(groups: Groups, id: string, name: string): Groups {
  refuse(nameProblem(groups, name));
  refuse(groups.length >= MAX_GROUPS ? m.watch_groups_full({ count: MAX_GROUPS }) : null);
  return [...groups, { id, name: name.trim(), instruments: [] }];
}

/** @throws DepthwireError `invalid_request` */
export function renamed(groups: Groups, id: string, name: string): Groups {
  refuse(nameProblem(groups, name, id));
  return change(groups, id, (group) => (id === STAR ? group : { ...group, name: name.trim() }));
}

/** The group that everybody has stays. */
export function withoutGroup(groups: Groups, id: string): Groups {
  return groups.filter((group) => group.id !== id || id === STAR);
}

/** One place up or down; the same where there is none. */
export function movedGroup(groups: Groups, id: string, by: -1 | 1): Groups {
  const from = groups.findIndex((group) => group.id === id);
  return from === -1 ? groups : moved(groups, from, from + by);
}

/** At its end, those that it has not yet. @throws DepthwireError `invalid_request` where it is full */
export function withInstruments(groups: Groups, id: string, ids: readonly InstrumentId[]): Groups {
  return change(groups, id, (group) => {
    const all = [...new Set([...group.instruments, ...ids])];
    const most = MAX_GROUP_INSTRUMENTS;
    refuse(all.length > most ? m.watch_group_full({ name: groupName(group), count: most }) : null);
    return { ...group, instruments: all };
  });
}

export function withoutInstruments(groups: Groups, id: string, ids: readonly InstrumentId[]): Groups {
  const gone = new Set(ids);
  return change(groups, id, (group) => ({
    ...group,
    instruments: group.instruments.filter((one) => !gone.has(one)),
  }));
}

/** To that place among the others of its group. */
export function movedInstrument(groups: Groups, id: string, instrument: InstrumentId, to: number): Groups {
  return change(groups, id, (group) => ({
    ...group,
    instruments: moved(group.instruments, group.instruments.indexOf(instrument), to),
  }));
}

/** Puts all of them into the group, or takes them out where it has them all. */
export function toggled(groups: Groups, id: string, ids: readonly InstrumentId[]): Groups {
  const group = groups.find((one) => one.id === id);
  const hasAll = ids.every((one) => group?.instruments.includes(one));
  return (hasAll ? withoutInstruments : withInstruments)(groups, id, ids);
}

function change(groups: Groups, id: string, to: (group: InstrumentGroup) => InstrumentGroup): Groups {
  return groups.map((group) => (group.id === id ? to(group) : group));
}

function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  if (from < 0 || to < 0 || to >= next.length) return next;
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

function refuse(problem: string | null): void {
  if (problem !== null) throw new DepthwireError('invalid_request', problem);
}
