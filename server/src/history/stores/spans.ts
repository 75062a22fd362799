import { candleIntervals } from '@depthwire/shared';
import type { Hole, Span } from './store.ts';

/** What a stored span tells of its time. */
export const spanKinds = {
  /** Every trade of it was heard. */
  heard: 0,
  /** It was a hole, and its candles were asked of the venue. */
  filled: 1,
  /** Its minutes are as the venue gave them. */
  minutes: 2,
} as const;
export type SpanKind = (typeof spanKinds)[keyof typeof spanKinds];

/** As it is stored: clocks may tell fractions of a millisecond, and spans that follow on each other still do. */
export function wholeSpan({ fromMs, toMs }: Span): Span {
  return { fromMs: bounded(Math.floor(fromMs)), toMs: bounded(Math.floor(toMs)) };
}

/** The first whole time that is not before this one: a bound of whole times that may be a fraction or infinite. */
export const wholeBound = (time: number): number => bounded(Math.ceil(time));

const bounded = (time: number) => Math.min(Math.max(time, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);

/** Spans in order, of which none touches another. */
function union(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1);
    if (last && span.fromMs <= last.toMs)
      joined[joined.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs) };
    else joined.push({ fromMs: span.fromMs, toMs: span.toMs });
  }
  return joined;
}

/** Whether every moment of a span is in one of those. */
function covers(spans: readonly Span[], { fromMs, toMs }: Span): boolean {
  return union(spans).some((span) => span.fromMs <= fromMs && span.toMs >= toMs);
}

/**
 * The holes between what was heard that touch a span, oldest first. One of which only a part was filled is told in parts.
 */
export function holesIn(heard: readonly Span[], filled: readonly Span[], within: Span): Hole[] {
  const known = union(heard);
  const taken = union(filled);
  const holes: Hole[] = [];
  for (const [index, { fromMs }] of known.entries()) {
    if (index === 0) continue;
    let at = known[index - 1]!.toMs;
    for (const part of taken) {
      const from = Math.max(part.fromMs, at);
      const to = Math.min(part.toMs, fromMs);
      if (from >= to) continue;
      if (from > at) holes.push({ fromMs: at, toMs: from, isFilled: false });
      holes.push({ fromMs: from, toMs: to, isFilled: true });
      at = to;
    }
    if (at < fromMs) holes.push({ fromMs: at, toMs: fromMs, isFilled: false });
  }
  return holes.filter(({ fromMs, toMs }) => toMs > within.fromMs && fromMs < within.toMs);
}

/** Longer candles that the minutes of a span belong to. */
export const madeOfMinutes = ['1h', '1d'] as const;

/**
 * The candles of an interval that are made anew once the minutes of a span were put: those of which each moment was
 * heard, or put, until the newest moment that is known at all. Where one minute of a candle is not known, its stored row stays.
 * @param known all spans of that kind
 */
export function knownCandles(
  interval: (typeof madeOfMinutes)[number],
  put: Span,
  known: readonly Span[],
): number[] {
  const lengthMs = candleIntervals[interval] * 1_000;
  const spans = union(known);
  const lastMs = spans.at(-1)?.toMs ?? 0;
  const times: number[] = [];
  for (let fromMs = Math.floor(put.fromMs / lengthMs) * lengthMs; fromMs < put.toMs; fromMs += lengthMs) {
    if (covers(spans, { fromMs, toMs: Math.min(fromMs + lengthMs, lastMs) })) times.push(fromMs / 1_000);
  }
  return times;
}
