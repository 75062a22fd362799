/** The smallest of 1, 2, 5, 10, 20 … that is not below the value. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const digit of [1, 2, 5, 10]) if (digit * power >= value * (1 - 1e-12)) return digit * power;
  return 10 * power;
}

/** The largest of 1, 2, 5, 10, 20 … that is not above the value. */
export function niceFloor(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const digit of [5, 2, 1]) if (digit * power <= value * (1 + 1e-12)) return digit * power;
  return power;
}

/** Share of a scale that must be left empty before it shrinks. */
const SHRINK_BELOW = 0.32;

/**
 * The top of an axis for a maximum that changes all the time: grows at once, shrinks only when
 * most of it is empty, so that the picture keeps still.
 */
export function steadyScale(current: number | null, maximum: number): number {
  const target = niceHeadroom(maximum);
  if (current === null || maximum > current || maximum < current * SHRINK_BELOW) return target;
  return current;
}

const HEADROOM = 1.08;
const TOPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

function niceHeadroom(maximum: number): number {
  const wanted = maximum * HEADROOM;
  if (!(wanted > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(wanted));
  return (TOPS.find((top) => top * power >= wanted) ?? 10) * power;
}
