import { MarketWalk, type Change, type WalkTrade } from './market-walk.ts';
import { textUnits, type Side, type TextBook, type TextLevel, unitsText } from './truth-book.ts';

/** States of the book before the present one that can be asked for. */
const MAX_PAST_STATES = 256;

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
}

/** Levels of both sides as decimal text, best first. */
export interface Levels {
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
}

/** The book as it was when something was published, for answers of a server that lags behind. */
export interface PastState extends TextBook {
  readonly id: number;
}

/** One emulated symbol: its true book, and the changes that were not published yet. */
export class EmulatedBook {
  readonly spec: Required<EmulatedSymbol>;
  isHalted = false;
  isListed = true;
  readonly #walk: MarketWalk;
  readonly #nextId: (previous: number) => number;
  #tick: string;
  #id: number;
  #publishedId: number;
  #firstPendingId: number | null = null;
  #tradeId = 1_000;
  #pending = new Map<string, Change>();
  #published: TextBook;
  #past: PastState[] = [];
  #publications = 0;

  /** @param nextId the id of the change after the one with the given id */
  constructor(
    spec: EmulatedSymbol,
    seed: number,
    firstId = 1_000,
    nextId: (previous: number) => number = (id) => id + 1,
  ) {
    this.spec = { tick: '0.01', lot: '0.001', price: '1000', levels: 30, ...spec };
    const { tick, lot, price, levels } = this.spec;
    this.#tick = tick;
    this.#nextId = nextId;
    this.#id = this.#publishedId = firstId;
    this.#walk = new MarketWalk({
      seed,
      tick: textUnits(tick),
      lot: textUnits(lot),
      price: textUnits(price),
      levels,
    });
    this.#published = this.truth();
    this.#past.push({ id: firstId, ...this.#published });
  }

  /** The tick that new prices keep to. */
  get tick(): string {
    return this.#tick;
  }

  /** Id of the last change, published or not. */
  get id(): number {
    return this.#id;
  }

  /** Id of the last change that was published. */
  get publishedId(): number {
    return this.#publishedId;
  }

  /** Id of the first change that was not published yet; null where all were. */
  get firstPendingId(): number | null {
    return this.#firstPendingId;
  }

  /** How often something was published so far. */
  get publications(): number {
    return this.#publications;
  }

  /** The book, with all changes. */
  truth(depth = Infinity): TextBook {
    const { bids, asks } = this.#walk.book.toText();
    return { bids: bids.slice(0, depth), asks: asks.slice(0, depth) };
  }

  /** The book as it stood at the last publication, or so many publications before. */
  published(before = 0): PastState {
    return this.#past[Math.max(0, this.#past.length - 1 - before)]!;
  }

  setTick(tick: string): void {
    this.#tick = tick;
    this.#walk.setTick(textUnits(tick));
  }

  setLevel(side: Side, price: string, quantity: string): void {
    this.#note(this.#walk.set(side, textUnits(price), textUnits(quantity)));
  }

  /** Changes the book once. */
  change(): { trade: WalkTrade; id: number } | null {
    const { changes, trade } = this.#walk.step();
    for (const change of changes) this.#note(change);
    return trade && { trade, id: this.#tradeId++ };
  }

  /** Trades around the price of the start, with the ids that come next. */
  pastTrades(count: number): { trade: WalkTrade; id: number }[] {
    const [price, tick, lot] = [this.spec.price, this.#tick, this.spec.lot].map(textUnits) as [
      number,
      number,
      number,
    ];
    const middle = Math.round(price / tick);
    return Array.from({ length: count }, (_, i) => ({
      id: this.#tradeId++,
      trade: {
        price: (middle + ((i * 7) % 11) - 5) * tick,
        quantity: (1 + (i % 9)) * lot,
        taker: i % 3 === 0 ? 'sell' : 'buy',
      },
    }));
  }

  /** Forgets all ids, as a venue that has restarted. */
  restart(firstId: number): void {
    this.#id = this.#publishedId = firstId;
    this.#firstPendingId = null;
    this.#pending.clear();
    this.#published = this.truth();
    this.#past = [{ id: firstId, ...this.#published }];
  }

  /**
   * Publishes what has changed since the last time.
   * @param depth only the best levels are published: what enters them is told, and what leaves them
   *   as removed where `tellsLeaving` says so
   * @returns absolute sizes, zero for removed levels; null where nothing has changed
   */
  publish(depth = Infinity, tellsLeaving = true): Levels | null {
    if (this.#firstPendingId === null) return null;
    const before = this.#published;
    const now = this.truth();
    const levels: Levels =
      depth === Infinity
        ? { bids: this.#pendingOf('bid'), asks: this.#pendingOf('ask') }
        : {
            bids: difference(before.bids, now.bids, depth, tellsLeaving),
            asks: difference(before.asks, now.asks, depth, tellsLeaving),
          };
    this.#pending.clear();
    this.#firstPendingId = null;
    this.#publishedId = this.#id;
    this.#published = now;
    this.#publications += 1;
    this.#past.push({ id: this.#id, ...now });
    if (this.#past.length > MAX_PAST_STATES) this.#past.shift();
    return levels;
  }

  #pendingOf(side: Side): TextLevel[] {
    return [...this.#pending.values()]
      .filter((change) => change.side === side)
      .map(({ price, quantity }) => [unitsText(price), unitsText(quantity)]);
  }

  #note(change: Change): void {
    this.#id = this.#nextId(this.#id);
    this.#firstPendingId ??= this.#id;
    this.#pending.set(`${change.side} ${change.price}`, change);
  }
}

/** Absolute sizes that lead from one state of a side to another, zero for what has left it. */
export function difference(
  before: readonly TextLevel[],
  now: readonly TextLevel[],
  depth: number,
  tellsLeaving: boolean,
): TextLevel[] {
  const old = new Map(before.slice(0, depth));
  const all = new Map(now);
  const shown = now.slice(0, depth);
  const changed = shown.filter(([price, quantity]) => old.get(price) !== quantity);
  const isShown = new Set(shown.map(([price]) => price));
  const gone = [...old.keys()].filter((price) => !isShown.has(price) && (tellsLeaving || !all.has(price)));
  return [...gone.map((price): TextLevel => [price, '0']), ...changed];
}
