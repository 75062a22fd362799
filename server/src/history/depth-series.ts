import { DEPTH_PERIOD_MS, groupedBuckets, type DepthColumn } from '@depthwire/shared/depth';
import { DepthStretch } from './depth-stretch.ts';

/** Which columns: all times are starts of periods, unix milliseconds. */
export interface DepthRange {
  /** Whether it begins at its older end: the first ones from `from` on instead of the last ones before `before`. */
  readonly isForward: boolean;
  readonly from: number;
  /** Exclusive. */
  readonly before: number;
  readonly limit: number;
  /** Least ticks of a bucket; as it was recorded where it is left out. */
  readonly step?: number;
}

interface Part {
  readonly stretch: DepthStretch;
  readonly from: number;
  readonly to: number;
}

/** Columns that can be drawn side by side; none are decoded before they are asked for. */
export interface DepthSelection {
  /** Ticks of a bucket, of all columns; null where there is none. */
  readonly step: number | null;
  /** Most buckets of a side. */
  readonly buckets: number;
  readonly count: number;
  /** Start of the first period, and of the one after the last; null where there is none. */
  readonly time: number | null;
  readonly end: number | null;
  /** Whether the range has more columns, on the side where it was not begun. */
  readonly hasMore: boolean;
  readonly parts: readonly Part[];
}

/** The columns of one instrument, oldest first, each time once. */
export class DepthSeries {
  readonly #stretches: DepthStretch[] = [];
  bytes = 0;
  count = 0;

  /** Start of the oldest period; null where there is none. */
  get time(): number | null {
    return this.#stretches[0]?.time ?? null;
  }

  /** Start of the period after the newest. */
  get end(): number {
    return this.#stretches.at(-1)?.end ?? -Infinity;
  }

  /** @param column later than all there are: another one is left out, as where a clock was set back */
  add(column: DepthColumn): void {
    if (column.time < this.end) return;
    const last = this.#stretches.at(-1);
    const before = last?.bytes ?? 0;
    if (last?.takes(column)) {
      last.add(column);
      this.bytes += last.bytes - before;
    } else {
      last?.seal();
      const next = new DepthStretch(column);
      this.#stretches.push(next);
      this.bytes += (last?.bytes ?? 0) - before + next.bytes;
    }
    this.count += 1;
  }

  /** Forgets the stretches that ended before a time. */
  forgetBefore(timeMs: number): void {
    while (this.#stretches.length > 0 && this.#stretches[0]!.end <= timeMs) this.forgetOldest();
  }

  forgetOldest(): void {
    const oldest = this.#stretches.shift();
    if (!oldest) return;
    this.bytes -= oldest.bytes;
    this.count -= oldest.count;
  }

  /** Oldest first. */
  *all(): Generator<DepthColumn> {
    for (const stretch of this.#stretches) yield* stretch.columns(0, stretch.count);
  }

  /** The columns of a range up to the first that cannot be grouped like those before it. */
  select({ isForward, from, before, limit, step: wanted = 1 }: DepthRange): DepthSelection {
    const parts: Part[] = [];
    let step: number | null = null;
    let finest = Infinity;
    let count = 0;
    let hasMore = false;
    const stretches = this.#stretches;
    for (let i = 0; i < stretches.length && !hasMore; i++) {
      const stretch = stretches[isForward ? i : stretches.length - 1 - i]!;
      let first = Math.max(0, indexAt(stretch, from));
      let end = Math.min(stretch.count, indexAt(stretch, before));
      if (first >= end) continue;
      step ??= stretch.step * Math.ceil(wanted / stretch.step);
      const room = step % stretch.step === 0 ? limit - count : 0;
      hasMore = end - first > room;
      if (isForward) end = Math.min(end, first + room);
      else first = Math.max(first, end - room);
      if (first >= end) break;
      finest = Math.min(finest, step / stretch.step);
      count += end - first;
      parts[isForward ? 'push' : 'unshift']({ stretch, from: first, to: end });
    }
    const [oldest] = parts;
    const newest = parts.at(-1);
    return {
      step,
      buckets: groupedBuckets(finest === Infinity ? 1 : finest),
      count,
      time: oldest ? oldest.stretch.time + oldest.from * DEPTH_PERIOD_MS : null,
      end: newest ? newest.stretch.time + newest.to * DEPTH_PERIOD_MS : null,
      hasMore,
      parts,
    };
  }
}

/** Index of the first column at or after a time, as if the stretch had no beginning and no end. */
function indexAt({ time }: DepthStretch, timeMs: number): number {
  return Math.ceil((timeMs - time) / DEPTH_PERIOD_MS);
}
