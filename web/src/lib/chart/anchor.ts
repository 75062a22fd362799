import type { Anchor } from './indicators.ts';

const DAY = 86_400;

/** When the day, week (of Monday) or month of a time began, UTC; unix seconds. */
export function anchorOf(seconds: number, anchor: Anchor): number {
  const day = Math.floor(seconds / DAY);
  if (anchor === 'day') return day * DAY;
  // The first of January 1970 was a Thursday.
  if (anchor === 'week') return (day - ((day + 3) % 7)) * DAY;
  const date = new Date(seconds * 1000);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / 1000;
}
