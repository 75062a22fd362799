/** Largest price group as a share of the price. */
const LARGEST_SHARE = 0.01;
const FEWEST_STEPS = 6;

/** Price groups to choose from, in ticks: 1, 2, 5, 10, 20, 50 … up to about one percent of the price. */
export function groupSteps(priceTicks: number): number[] {
  const steps: number[] = [];
  for (let power = 1; ; power *= 10) {
    for (const digit of [1, 2, 5]) {
      const step = digit * power;
      if (steps.length >= FEWEST_STEPS && step > priceTicks * LARGEST_SHARE) return steps;
      steps.push(step);
    }
  }
}

/** The group a price falls in: bids go down and asks go up, so that no group promises a better price. */
export function groupOf(ticks: number, step: number, side: 'bid' | 'ask'): number {
  return (side === 'bid' ? Math.floor(ticks / step) : Math.ceil(ticks / step)) * step;
}

/** The step next to the given one, held within the list. */
export function neighbourStep(steps: readonly number[], step: number, direction: -1 | 1): number {
  const index = steps.indexOf(step);
  const next = (index < 0 ? 0 : index) + direction;
  return steps[Math.min(steps.length - 1, Math.max(0, next))] ?? step;
}
