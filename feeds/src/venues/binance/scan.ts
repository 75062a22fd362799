import type { Scale } from '@depthwire/shared';
import { FrameCursor } from '../../core/frame-cursor.ts';
import type { FlatUpdate } from '../../core/instrument-outlet.ts';
import type { PriceLevel } from '../../core/levels.ts';
import type { DepthUpdate } from './messages.ts';
import { parseFrame } from './parse.ts';

/** The ticks and lots that a symbol's book counts in; null where there is no such book. */
type GridOf = (symbol: string) => { readonly tick: Scale; readonly lot: Scale } | null | undefined;

const cursor = new FrameCursor();

/**
 * A depth frame as the venue writes it, read straight into ticks and lots.
 * @returns null for all other frames, and for depth frames with anything unusual to them, which are for `parseFrame`
 */
export function scanDepth(text: string, gridOf: GridOf): ScannedDepth | null {
  cursor.begin(text);
  const isWrapped = cursor.skip('{"stream":"');
  if (isWrapped && !(cursor.word() !== '' && skipDepthStream())) return null;
  if (!cursor.skip('{"e":"depthUpdate","E":')) return null;
  const E = cursor.integer();
  const T = cursor.skip(',"T":') ? cursor.integer() : undefined;
  if (!cursor.skip(',"s":"')) return null;
  const s = cursor.word();
  const grid = gridOf(s);
  if (!grid || !cursor.skip('"')) return null;
  if (cursor.skip(',"ps":"') && !(cursor.word() !== '' && cursor.skip('"'))) return null;
  const U = cursor.skip(',"U":') ? cursor.integer() : -1;
  const u = cursor.skip(',"u":') ? cursor.integer() : -1;
  const pu = cursor.skip(',"pu":') ? cursor.integer() : undefined;
  if (E < 0 || (T !== undefined && T < 0) || U < 0 || U > u || (pu !== undefined && pu < 0)) return null;
  const { tick, lot } = grid;
  const bids = cursor.skip(',"b":') ? cursor.levels(tick, lot) : null;
  const asks = bids && cursor.skip(',"a":') ? cursor.levels(tick, lot) : null;
  if (!bids || !asks || !cursor.skip(isWrapped ? '}}' : '}') || !cursor.isAtEnd) return null;
  return new ScannedDepth(text, { E, T, s, U, u, pu }, { tick, lot, bids, asks, venueTimeMs: T ?? E });
}

/** Goes on behind a stream of diffs; those of the best levels alone are called `@depth5` and the like. */
function skipDepthStream(): boolean {
  if (!cursor.skip('@depth')) return false;
  if (cursor.skip('@') && cursor.word() === '') return false;
  return cursor.skip('","data":');
}

interface Header {
  readonly E: number;
  readonly T: number | undefined;
  readonly s: string;
  readonly U: number;
  readonly u: number;
  readonly pu: number | undefined;
}

/** A depth update whose levels are there in ticks and lots, and as text once somebody asks for it. */
export class ScannedDepth implements DepthUpdate {
  readonly e = 'depthUpdate';
  readonly E: number;
  readonly T: number | undefined;
  readonly s: string;
  readonly U: number;
  readonly u: number;
  readonly pu: number | undefined;
  readonly flat: FlatUpdate;
  readonly #text: string;
  #levels: { readonly b: readonly PriceLevel[]; readonly a: readonly PriceLevel[] } | null = null;

  constructor(text: string, { E, T, s, U, u, pu }: Header, flat: FlatUpdate) {
    this.E = E;
    this.T = T;
    this.s = s;
    this.U = U;
    this.u = u;
    this.pu = pu;
    this.flat = flat;
    this.#text = text;
  }

  get b(): readonly PriceLevel[] {
    return this.#parsed.b;
  }

  get a(): readonly PriceLevel[] {
    return this.#parsed.a;
  }

  get #parsed() {
    if (this.#levels === null) {
      const frame = parseFrame(this.#text);
      if (frame.kind !== 'depth') throw new Error(`a depth frame was read as ${frame.kind}`);
      this.#levels = frame.depth;
    }
    return this.#levels;
  }
}
