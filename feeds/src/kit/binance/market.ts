import { decimalsOf } from '@depthwire/shared';
import { MarketWalk, type Change, type WalkTrade } from '../market-walk.ts';
import { textUnits, unitsText, type Side, type TextLevel } from '../truth-book.ts';

/** States of the book before the present one that can be asked for. */
const MAX_PAST_STATES = 64;
/** Digits behind the point of every number on spot; on futures they follow tick and lot. */
const SPOT_DECIMALS = 8;

export type BinanceMarket = 'spot' | 'usdm';

/** A symbol to emulate; all but its names has a default. */
export interface EmulatedSymbol {
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  /** Default 0.01. */
  readonly tick?: string;
  /** Default 0.001. */
  readonly lot?: string;
  /** Where its price begins; default 1000. */
  readonly price?: string;
  /** Levels a side; default 30. */
  readonly levels?: number;
  /** USD-M; default `PERPETUAL`. */
  readonly contractType?: string;
}

// As the venue sends it; see venues/binance/messages.ts for the meaning of the letters.
export interface DiffEvent {
  readonly e: 'depthUpdate';
  readonly E: number;
  readonly T?: number;
  readonly s: string;
  readonly U: number;
  readonly u: number;
  readonly pu?: number;
  readonly b: TextLevel[];
  readonly a: TextLevel[];
}

export interface DepthAnswer {
  readonly lastUpdateId: number;
  readonly E?: number;
  readonly T?: number;
  readonly bids: TextLevel[];
  readonly asks: TextLevel[];
}

export interface TradeIds {
  readonly trade: WalkTrade;
  readonly id: number;
}

/** One emulated symbol: its true book, its update ids, and the changes not yet published. */
export class EmulatedMarket {
  readonly spec: Required<EmulatedSymbol>;
  status = 'TRADING';
  readonly #market: BinanceMarket;
  readonly #nextId: (previous: number) => number;
  readonly #walk: MarketWalk;
  #tick: string;
  #lastId: number;
  #publishedId: number;
  #tradeId = 1_000;
  #firstPendingId: number | null = null;
  #pending = new Map<string, Change>();
  /** The state after each published diff, the newest last. */
  #past: DepthAnswer[] = [];

  /** @param nextId the update id after the given one, which is this symbol's last */
  constructor(
    market: BinanceMarket,
    spec: EmulatedSymbol,
    seed: number,
    firstId: number,
    nextId: (previous: number) => number,
  ) {
    this.#market = market;
    this.spec = {
      tick: '0.01',
      lot: '0.001',
      price: '1000',
      levels: 30,
      contractType: 'PERPETUAL',
      ...spec,
    };
    const { tick, lot, price, levels } = this.spec;
    this.#tick = tick;
    this.#nextId = nextId;
    this.#lastId = firstId;
    this.#publishedId = firstId;
    this.#walk = new MarketWalk({
      seed,
      tick: textUnits(tick),
      lot: textUnits(lot),
      price: textUnits(price),
      levels,
    });
    this.#past.push(this.depth());
  }

  get book() {
    return this.#walk.book;
  }

  get tick(): string {
    return this.#tick;
  }

  /** Id of the last change, published or not. */
  get lastUpdateId(): number {
    return this.#lastId;
  }

  setTick(tick: string): void {
    this.#tick = tick;
    this.#walk.setTick(textUnits(tick));
  }

  setLevel(side: Side, price: string, quantity: string): void {
    this.#note(this.#walk.set(side, textUnits(price), textUnits(quantity)));
  }

  /** Changes the book once. */
  change(): TradeIds | null {
    const { changes, trade } = this.#walk.step();
    for (const change of changes) this.#note(change);
    return trade && { trade, id: this.#tradeId++ };
  }

  /** The changes since the diff before as one event; null where there are none. */
  takeDiff(timeMs: number): DiffEvent | null {
    if (this.#firstPendingId === null) return null;
    const changes = [...this.#pending.values()];
    const side = (name: Side) => changes.filter((change) => change.side === name).map((c) => this.#text(c));
    const isSpot = this.#market === 'spot';
    const event: DiffEvent = {
      e: 'depthUpdate',
      E: timeMs,
      ...(isSpot ? {} : { T: timeMs }),
      s: this.spec.symbol,
      U: this.#firstPendingId,
      u: this.#lastId,
      ...(isSpot ? {} : { pu: this.#publishedId }),
      b: side('bid'),
      a: side('ask'),
    };
    this.#pending = new Map();
    this.#firstPendingId = null;
    this.#publishedId = this.#lastId;
    this.#past.push(this.depth());
    if (this.#past.length > MAX_PAST_STATES) this.#past.shift();
    return event;
  }

  /** The book now, or as it stood before the last so many diffs. */
  depth(limit = Infinity, timeMs = 0, diffsAgo = 0): DepthAnswer {
    if (diffsAgo > 0) return this.#past[Math.max(0, this.#past.length - 1 - diffsAgo)]!;
    const side = (name: Side) =>
      this.book
        .levels(name)
        .slice(0, limit)
        .map(([price, quantity]) => this.#text({ price, quantity }));
    return {
      lastUpdateId: this.#lastId,
      ...(this.#market === 'spot' ? {} : { E: timeMs, T: timeMs }),
      bids: side('bid'),
      asks: side('ask'),
    };
  }

  tradeText({ price, quantity }: WalkTrade): TextLevel {
    return this.#text({ price, quantity });
  }

  #note(change: Change): void {
    this.#lastId = this.#nextId(this.#lastId);
    this.#firstPendingId ??= this.#lastId;
    this.#pending.set(`${change.side} ${change.price}`, change);
  }

  #text({ price, quantity }: Pick<Change, 'price' | 'quantity'>): TextLevel {
    const isSpot = this.#market === 'spot';
    return [
      unitsText(price, isSpot ? SPOT_DECIMALS : decimalsOf(this.spec.tick)),
      unitsText(quantity, isSpot ? SPOT_DECIMALS : decimalsOf(this.spec.lot)),
    ];
  }
}
