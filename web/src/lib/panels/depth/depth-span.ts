import { localDecimal, percentText } from '../../format/locale.ts';
import { niceCeiling, niceFloor } from '../../format/steady.ts';
import { m } from '../../paraglide/messages.js';

/** Shares of the reach between which a span is left as it is. */
const KEEP_FROM = 0.35;
const KEEP_TO = 1;
const NARROWEST_BPS = 0.1;
const WIDEST_BPS = 5000;

/**
 * How far to each side of the mid the chart goes, in basis points, when that is not chosen by
 * hand: a round number within what both sides reach, which stays while the reach moves a little.
 */
export function autoSpan(current: number | null, reachBps: number): number {
  if (current !== null && current >= reachBps * KEEP_FROM && current <= reachBps * KEEP_TO) return current;
  return Math.max(NARROWEST_BPS, niceFloor(reachBps));
}

/** The next wider or narrower span. */
export function zoomSpan(span: number, direction: 'in' | 'out'): number {
  const next = direction === 'in' ? niceFloor(span * 0.99) : niceCeiling(span * 1.01);
  return Math.min(WIDEST_BPS, Math.max(NARROWEST_BPS, next));
}

/** A span as text: basis points below 100, percent from there. */
export function formatSpan(bps: number): string {
  return bps < 100 ? m.span_bps({ span: localDecimal(trim(bps)) }) : `±${percentText(trim(bps / 100))}`;
}

const trim = (value: number) => String(Number(value.toPrecision(3)));
