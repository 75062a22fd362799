/** Changes from which a tile has the next stronger colour. */
export const levels = [0.001, 0.01, 0.02, 0.04, 0.08] as const;

/** How strong the colour of a change is: 0 for none. */
export function levelOf(change: number | null): number {
  const size = Math.abs(change ?? 0);
  return levels.filter((least) => size >= least).length;
}

/**
 * Sizes of tiles: what is not known has that of the middle one, and none is too small to be hit.
 * @param least the smallest share of all
 */
export function weightsOf(values: readonly (number | null)[], least: number): number[] {
  const known = values.filter((value) => value !== null && value > 0).sort((a, b) => a! - b!);
  const middle = known[known.length >> 1] ?? 1;
  const weights = values.map((value) => (value !== null && value > 0 ? value : middle));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const floor = Math.min(least, 1 / weights.length) * total;
  return weights.map((weight) => Math.max(weight, floor));
}

/** A tile that is by so much of itself larger or smaller is seen to be. */
const SEEN = 0.15;

/** Whether tiles of these sizes look otherwise than those that are there. */
export function isSeen(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): boolean {
  const sumOf = (weights: ReadonlyMap<string, number>) =>
    [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const scale = sumOf(before) / sumOf(after);
  return (
    before.size !== after.size ||
    [...after].some(([id, weight]) => {
      const old = before.get(id);
      return old === undefined || Math.abs(weight * scale - old) > old * SEEN;
    })
  );
}

const LINE = 1.3;
/** By the number of lines: the second has smaller letters yet. */
const leastFont = (lines: number) => (lines === 1 ? 10 : 11);
const MOST_FONT = 26;

/**
 * The largest letters, in pixels, in which a tile has room for lines of text; null where they would be too small.
 * @param ems the width of the longest line
 */
export function fontFor(width: number, height: number, ems: number, lines: number): number | null {
  const font = Math.min(MOST_FONT, (width - 6) / ems, (height - 4) / (lines * LINE));
  return font < leastFont(lines) ? null : Math.floor(font);
}

/** What tiles too small for a pair say: the base, where it stands for one of them only. */
export function shortLabels(labels: readonly string[]): string[] {
  const shorts = labels.map((label) => label.split('/', 1)[0]!);
  return labels.map((label, index) => {
    const short = shorts[index]!;
    return shorts.indexOf(short) === shorts.lastIndexOf(short) ? short : label;
  });
}
