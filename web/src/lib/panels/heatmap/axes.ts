import { niceCeiling } from '../../format/steady.ts';
import type { PriceView } from './view.ts';

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600];

/** Multiples of a step from one value to another, both included. */
function multiples(step: number, from: number, to: number): number[] {
  const found: number[] = [];
  for (let k = Math.ceil(from / step); k * step <= to; k++) found.push(k * step);
  return found;
}

/** Whole, round ticks with labels at least `gap` pixels apart. */
export function priceMarks({ centre, span }: PriceView, height: number, gap: number): number[] {
  const step = Math.max(1, niceCeiling((gap / Math.max(1, height)) * span));
  return multiples(step, centre - span / 2, centre + span / 2);
}

export interface TimeMarks {
  /** Seconds between two. */
  readonly step: number;
  /** Numbers of the periods. */
  readonly periods: readonly number[];
}

/** Round times with labels at least `gap` pixels apart. */
export function timeMarks(from: number, to: number, scale: number, gap: number): TimeMarks {
  const step = TIME_STEPS.find((seconds) => seconds * scale >= gap) ?? TIME_STEPS.at(-1)!;
  return { step, periods: multiples(step, from, to) };
}
