import type { DepthCurve } from './depth-curve.ts';

/** What the height of the chart stands for: lots, or ticks × lots. */
export type DepthMeasure = 'lots' | 'cost';

/**
 * What rests at the prices of each part of the way from the mid to the edge, the nearest part first.
 * @param parts how many, all of the same width
 */
export function fillBars(
  out: Float64Array,
  curve: DepthCurve,
  measure: DepthMeasure,
  { midTicks, spanTicks, parts }: { midTicks: number; spanTicks: number; parts: number },
): void {
  out.fill(0, 0, parts);
  let before = 0;
  for (let rank = 0; rank < curve.count; rank++) {
    const distance = Math.abs(curve.ticks[rank]! - midTicks);
    if (distance > spanTicks) return;
    const sum = curve[measure][rank]!;
    out[Math.min(parts - 1, Math.floor((distance / spanTicks) * parts))]! += sum - before;
    before = sum;
  }
}
