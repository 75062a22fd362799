export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Divides a box into tiles of the given weights that are as near to squares as may be: M. Bruls, K. Huizing and
 * J. van Wijk, “Squarified Treemaps”, Data Visualization 2000, pages 33–42.
 * @param weights positive, the largest first
 * @returns the tiles, in the order of the weights
 */
export function squarify(weights: readonly number[], width: number, height: number): Box[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total <= 0 || width <= 0 || height <= 0) return [];
  const areas = weights.map((weight) => (weight / total) * width * height);
  const boxes: Box[] = [];
  let rest: Box = { x: 0, y: 0, width, height };
  for (let from = 0; from < areas.length;) {
    const side = Math.min(rest.width, rest.height);
    let to = from + 1;
    let sum = areas[from]!;
    // The row takes one more as long as that makes the worst of it better.
    while (
      to < areas.length &&
      worst(areas[from]!, areas[to]!, sum + areas[to]!, side) <=
        worst(areas[from]!, areas[to - 1]!, sum, side)
    ) {
      sum += areas[to]!;
      to += 1;
    }
    const thickness = to === areas.length ? Math.max(rest.width, rest.height) : sum / side;
    const isColumn = rest.width >= rest.height;
    let at = isColumn ? rest.y : rest.x;
    for (const area of areas.slice(from, to)) {
      const length = (area / sum) * side;
      boxes.push(
        isColumn
          ? { x: rest.x, y: at, width: thickness, height: length }
          : { x: at, y: rest.y, width: length, height: thickness },
      );
      at += length;
    }
    rest = isColumn
      ? { ...rest, x: rest.x + thickness, width: rest.width - thickness }
      : { ...rest, y: rest.y + thickness, height: rest.height - thickness };
    from = to;
  }
  return boxes;
}

/** The largest ratio of sides in a row along a side; areas fall, so that the first and the last are the extremes. */
function worst(first: number, last: number, sum: number, side: number): number {
  return Math.max((side * side * first) / (sum * sum), (sum * sum) / (side * side * last));
}
