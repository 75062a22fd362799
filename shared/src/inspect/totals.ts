import type { InspectedFrame } from './inspector.ts';

export interface KindTotals {
  frames: number;
  bytes: number;
}

export interface Rates {
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Kinds that are told apart; a server that makes up more of them than this is counted as `other`. */
const MAX_KINDS = 100;

/** Sums over all messages that were read, whatever is shown of them. */
export class FrameTotals {
  frames = 0;
  bytes = 0;
  gaps = 0;
  malformed = 0;
  readonly byKind = new Map<string, KindTotals>();
  #sampled = { frames: 0, bytes: 0, timeMs: null as number | null };

  add({ kind, bytes, gap }: InspectedFrame): void {
    this.frames += 1;
    this.bytes += bytes;
    if (gap) this.gaps += 1;
    if (kind === 'malformed') this.malformed += 1;
    const name = this.byKind.has(kind) || this.byKind.size < MAX_KINDS ? kind : 'other';
    let totals = this.byKind.get(name);
    if (!totals) this.byKind.set(name, (totals = { frames: 0, bytes: 0 }));
    totals.frames += 1;
    totals.bytes += bytes;
  }

  /** Kinds, the one with the most bytes first. */
  ranked(): [kind: string, totals: Readonly<KindTotals>][] {
    return [...this.byKind].sort(([, a], [, b]) => b.bytes - a.bytes);
  }

  /** Since the last time that it was asked; zero the first time. */
  rates(nowMs: number): Rates {
    const { frames, bytes, timeMs } = this.#sampled;
    this.#sampled = { frames: this.frames, bytes: this.bytes, timeMs: nowMs };
    const seconds = timeMs === null ? 0 : (nowMs - timeMs) / 1_000;
    if (!(seconds > 0)) return { framesPerSecond: 0, bytesPerSecond: 0 };
    return {
      framesPerSecond: (this.frames - frames) / seconds,
      bytesPerSecond: (this.bytes - bytes) / seconds,
    };
  }
}
