/** A workspace as it is kept. */
export interface Entry {
  readonly id: string;
  readonly data: unknown;
}

const textOf = (data: unknown) => JSON.stringify(data);

/**
 * What several tabs keep of one list: each adds, changes and deletes its own, and nobody's work is lost by another's
 * saving. Where two changed one workspace, ours counts.
 * @param base texts of the data by id, as they were when ours and theirs were last the same
 */
export function mergeEntries(
  base: ReadonlyMap<string, string>,
  ours: readonly Entry[],
  theirs: readonly Entry[],
): Entry[] {
  const mine = new Map(ours.map((entry) => [entry.id, entry]));
  const isChanged = ({ id, data }: Entry) => base.get(id) !== textOf(data);
  const kept = theirs.flatMap((entry) => {
    const own = mine.get(entry.id);
    if (!own) return base.has(entry.id) ? [] : [entry]; // deleted here, or new there
    return isChanged(own) ? [own] : [entry];
  });
  const ids = new Set(theirs.map(({ id }) => id));
  // What is not there is new here, or was deleted there.
  return [...kept, ...ours.filter((entry) => !ids.has(entry.id) && isChanged(entry))];
}
