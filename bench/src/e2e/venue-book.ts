import { createTrace, ORDINARY, type Trace } from '../harness/trace.ts';

/** The tick is 0.01 and the lot 0.00001; Binance spot writes eight decimals whatever they are. */
export const TICK = '0.01000000';
export const LOT = '0.00001000';
const price = (ticks: number) => `${(ticks / 100).toFixed(2)}000000`;
const size = (lots: number) => `${(lots / 100_000).toFixed(5)}000`;

export interface VenueFrame {
  readonly text: string;
  readonly levels: number;
}

/** A book of the venue: a snapshot, and frames one after the other that change it. */
export class VenueBook {
  readonly symbol: string;
  /** Frames taken so far; the next one has this index. */
  frames = 0;
  readonly #trace: Trace;
  /** The venue's id of the newest update. */
  #id: number;

  /** @param updates how many there are to take, at least */
  constructor(symbol: string, seed: number, updates: number) {
    this.symbol = symbol;
    this.#trace = createTrace({ ...ORDINARY, seed, updates });
    this.#id = seed * 1_000_000;
  }

  /** The answer to a request for the book, as it is before the first frame. */
  snapshot(): string {
    if (this.frames > 0) throw new Error(`${this.symbol}: a snapshot was asked for after the first frame`);
    const [bids, asks] = [this.#trace.bids, this.#trace.asks].map((flat) => texts(flat));
    return `{"lastUpdateId":${this.#id},"bids":${bids},"asks":${asks}}`;
  }

  /** @throws Error where the trace has come to its end */
  next(timeMs: number): VenueFrame {
    const changes = this.#changes(this.frames);
    this.frames += 1;
    const [bids, asks] = changes.map((side, i) =>
      [...side].sort(([a], [b]) => (i === 0 ? b - a : a - b)).flat(),
    );
    const levels = (bids!.length + asks!.length) / 2;
    const first = this.#id + 1;
    this.#id += levels;
    const ids = `"U":${first},"u":${this.#id}`;
    const data = `{"e":"depthUpdate","E":${timeMs},"s":"${this.symbol}",${ids},"b":${texts(bids!)},"a":${texts(asks!)}}`;
    return { text: `{"stream":"${this.symbol.toLowerCase()}@depth@100ms","data":${data}}`, levels };
  }

  /** `ticks, lots` of the best levels after all frames taken, best first: worked out from the trace alone. */
  truth(depth: number): { bids: number[]; asks: number[] } {
    const [bids, asks] = [this.#trace.bids, this.#trace.asks].map((flat) => new Map(pairs(flat)));
    for (let frame = 0; frame < this.frames; frame++) {
      const [changedBids, changedAsks] = this.#changes(frame);
      for (const [ticks, lots] of changedBids!) put(bids!, ticks, lots);
      for (const [ticks, lots] of changedAsks!) put(asks!, ticks, lots);
    }
    const best = (side: Map<number, number>, sign: number) =>
      [...side]
        .sort(([a], [b]) => (a - b) * sign)
        .slice(0, depth)
        .flat();
    return { bids: best(bids!, -1), asks: best(asks!, 1) };
  }

  /** What a frame sets: for each side a size by price, the last one where the trace has several. */
  #changes(frame: number): [Map<number, number>, Map<number, number>] {
    const { batchEnds, sides, ticks, lots } = this.#trace;
    const changes: [Map<number, number>, Map<number, number>] = [new Map(), new Map()];
    const end = batchEnds[frame];
    if (end === undefined) throw new Error(`${this.symbol} has no more frames`);
    for (let i = frame === 0 ? 0 : batchEnds[frame - 1]!; i < end; i++)
      changes[sides[i]!]!.set(ticks[i]!, lots[i]!);
    return changes;
  }
}

function put(side: Map<number, number>, ticks: number, lots: number): void {
  if (lots === 0) side.delete(ticks);
  else side.set(ticks, lots);
}

function pairs(flat: readonly number[]): [number, number][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}

function texts(flat: readonly number[]): string {
  return `[${pairs(flat)
    .map(([ticks, lots]) => `["${price(ticks)}","${size(lots)}"]`)
    .join(',')}]`;
}
