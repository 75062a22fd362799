import { createHash } from 'node:crypto';
import { OrderBook } from '@depthwire/shared';
import type { Contender, CreateContender } from '../harness/contender.ts';
import { loadPeer } from '../harness/peers.ts';
import { createTrace, type Trace, type TraceOptions } from '../harness/trace.ts';

/** Levels of each side that are read after every batch. */
const DEPTH = 20;
/** How floating-point prices and sizes of the peers count in ticks and lots. */
const TICKS = 100;
const LOTS = 1000;

export interface BookOptions extends TraceOptions {
  /** Whether the best levels of both sides are read after each batch. */
  readonly isRead: boolean;
  /** How often a round runs through the trace. The book is the same for long, as in a program that runs. */
  readonly passes: number;
}

/** What a pass needs of a book. */
interface Candidate<Batch> {
  batch(trace: Trace, from: number, to: number): Batch;
  /** Gives the book the levels of the beginning. */
  begin(trace: Trace): void;
  apply(batch: Batch): void;
  /** Reads the best levels of both sides; the sum of all prices and sizes, so that it is not for nothing. */
  read(): number;
  /** All levels, best first, as `ticks lots`. */
  levels(): { bids: string[]; asks: string[] };
  /** Ticks and lots that make one of its prices and sizes. */
  readonly units: { readonly ticks: number; readonly lots: number };
}

/** Batches are made beforehand: what is measured is a book that takes what a parser has made. */
function contender<Batch>(candidate: Candidate<Batch>): CreateContender {
  return (given): Contender => {
    const options = given as BookOptions;
    const trace = createTrace(options);
    const batches: Batch[] = [];
    trace.batchEnds.forEach((end, i) =>
      batches.push(candidate.batch(trace, trace.batchEnds[i - 1] ?? 0, end)),
    );
    return {
      round() {
        let cpuUs = 0;
        let sum = 0;
        for (let pass = 0; pass < options.passes; pass++) {
          candidate.begin(trace);
          const before = process.cpuUsage();
          if (options.isRead) {
            for (const batch of batches) {
              candidate.apply(batch);
              sum += candidate.read();
            }
          } else {
            for (const batch of batches) candidate.apply(batch);
          }
          const { user, system } = process.cpuUsage(before);
          cpuUs += user + system;
        }
        const { bids, asks } = candidate.levels();
        if (options.isRead) expectRead(candidate, sum);
        const check = createHash('sha256')
          .update([...bids, '', ...asks].join('\n'))
          .digest('hex');
        return { units: options.updates * options.passes, cpuUs, check };
      },
    };
  };
}

/** @throws Error where what is read is not the top of the book; `sum` is of all reads */
function expectRead({ units, levels, read }: Omit<Candidate<never>, 'batch' | 'apply'>, sum: number): void {
  const { bids, asks } = levels();
  let expected = 0;
  for (const level of [...bids.slice(0, DEPTH), ...asks.slice(0, DEPTH)]) {
    const [ticks, lots] = level.split(' ').map(Number) as [number, number];
    expected += ticks / units.ticks + lots / units.lots;
  }
  const got = read();
  if (!Number.isFinite(sum) || Math.abs(got - expected) > 1e-9 * Math.abs(expected))
    throw new Error(`the top of the book was read as ${got} in all, and is ${expected}`);
}

function sidesOf<T>(
  { sides, ticks, lots }: Trace,
  from: number,
  to: number,
  level: (t: number, l: number) => T,
) {
  const bids: T[] = [];
  const asks: T[] = [];
  for (let i = from; i < to; i++) (sides[i] === 0 ? bids : asks).push(level(ticks[i]!, lots[i]!));
  return { bids, asks };
}

function pairs<T>(flat: readonly number[], level: (ticks: number, lots: number) => T): T[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => level(flat[2 * i]!, flat[2 * i + 1]!));
}

/** Decimals as a venue's numbers become when they are parsed, and back. */
const decimal = (ticks: number, lots: number): [number, number] => [ticks / TICKS, lots / LOTS];
const integers = (price: number, size: number) => `${Math.round(price * TICKS)} ${Math.round(size * LOTS)}`;

function depthwire(): Candidate<{ bids: number[]; asks: number[] }> {
  const book = new OrderBook();
  const prices = new Float64Array(DEPTH);
  const sizes = new Float64Array(DEPTH);
  const sumOf = (count: number) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += prices[i]! + sizes[i]!;
    return sum;
  };
  const levels = (flat: readonly number[]) => pairs(flat, (ticks, lots) => `${ticks} ${lots}`);
  return {
    batch({ sides, ticks, lots }, from, to) {
      const bids: number[] = [];
      const asks: number[] = [];
      for (let i = from; i < to; i++) (sides[i] === 0 ? bids : asks).push(ticks[i]!, lots[i]!);
      return { bids, asks };
    },
    begin({ bids, asks }) {
      book.loadSnapshot(bids, asks);
    },
    apply: ({ bids, asks }) => book.applyDelta(bids, asks),
    read: () => sumOf(book.bids.top(DEPTH, prices, sizes)) + sumOf(book.asks.top(DEPTH, prices, sizes)),
    levels: () => ({ bids: levels(book.bids.toFlat()), asks: levels(book.asks.toFlat()) }),
    units: { ticks: 1, lots: 1 },
  };
}

interface CcxtBook {
  readonly bids: CcxtSide;
  readonly asks: CcxtSide;
  reset(snapshot: object): void;
}
interface CcxtSide extends Array<[number, number]> {
  store(price: number, size: number): void;
}

async function ccxt(): Promise<Candidate<{ bids: [number, number][]; asks: [number, number][] }>> {
  const { OrderBook: Book } = await loadPeer<{ OrderBook: new () => CcxtBook }>(
    'ccxt',
    'src/base/ws/OrderBook.js',
  );
  const book = new Book();
  const sumOf = (side: CcxtSide) => {
    let sum = 0;
    for (let i = 0; i < DEPTH; i++) {
      const level = side[i];
      if (level) sum += level[0] + level[1];
    }
    return sum;
  };
  return {
    batch: (trace, from, to) => sidesOf(trace, from, to, decimal),
    begin({ bids, asks }) {
      book.reset({ bids: pairs(bids, decimal), asks: pairs(asks, decimal) });
    },
    apply({ bids, asks }) {
      for (const [price, size] of bids) book.bids.store(price, size);
      for (const [price, size] of asks) book.asks.store(price, size);
    },
    read: () => sumOf(book.bids) + sumOf(book.asks),
    levels: () => ({
      bids: Array.from(book.bids, ([price, size]) => integers(price, size)),
      asks: Array.from(book.asks, ([price, size]) => integers(price, size)),
    }),
    units: { ticks: TICKS, lots: LOTS },
  };
}

interface TardisLevel {
  readonly price: number;
  readonly amount: number;
}
interface TardisChange {
  readonly isSnapshot: boolean;
  readonly bids: readonly TardisLevel[];
  readonly asks: readonly TardisLevel[];
}
interface TardisBook {
  update(change: TardisChange): void;
  bids(): Iterable<TardisLevel>;
  asks(): Iterable<TardisLevel>;
}

async function tardis(): Promise<Candidate<TardisChange>> {
  const { OrderBook: Book } = await loadPeer<{ OrderBook: new () => TardisBook }>(
    'tardis-dev',
    'orderbook.js',
  );
  const book = new Book();
  const level = (ticks: number, lots: number): TardisLevel => ({ price: ticks / TICKS, amount: lots / LOTS });
  const sumOf = (side: Iterable<TardisLevel>) => {
    let sum = 0;
    let rank = 0;
    for (const { price, amount } of side) {
      if (rank++ === DEPTH) break;
      sum += price + amount;
    }
    return sum;
  };
  const texts = (side: Iterable<TardisLevel>) =>
    Array.from(side, ({ price, amount }) => integers(price, amount));
  return {
    batch: (trace, from, to) => ({ isSnapshot: false, ...sidesOf(trace, from, to, level) }),
    begin({ bids, asks }) {
      book.update({ isSnapshot: true, bids: pairs(bids, level), asks: pairs(asks, level) });
    },
    apply: (change) => book.update(change),
    read: () => sumOf(book.bids()) + sumOf(book.asks()),
    levels: () => ({ bids: texts(book.bids()), asks: texts(book.asks()) }),
    units: { ticks: TICKS, lots: LOTS },
  };
}

interface BTree {
  set(key: number, value: number): void;
  delete(key: number): void;
  clear(): void;
  entries(): IterableIterator<[number, number]>;
}

/** A B+ tree of numbers for each side, bids by their negated price. */
async function btree(): Promise<Candidate<{ bids: [number, number][]; asks: [number, number][] }>> {
  const { default: module } = await loadPeer<{ default: { default: new () => BTree } }>('sorted-btree');
  const Tree = module.default;
  const bids = new Tree();
  const asks = new Tree();
  const set = (tree: BTree, price: number, size: number) => {
    if (size === 0) tree.delete(price);
    else tree.set(price, size);
  };
  const sumOf = (tree: BTree, sign: 1 | -1) => {
    let sum = 0;
    let rank = 0;
    for (const [key, size] of tree.entries()) {
      if (rank++ === DEPTH) break;
      sum += sign * key + size;
    }
    return sum;
  };
  return {
    batch: (trace, from, to) => sidesOf(trace, from, to, decimal),
    begin(trace) {
      bids.clear();
      asks.clear();
      for (const [price, size] of pairs(trace.bids, decimal)) bids.set(-price, size);
      for (const [price, size] of pairs(trace.asks, decimal)) asks.set(price, size);
    },
    apply(batch) {
      for (const [price, size] of batch.bids) set(bids, -price, size);
      for (const [price, size] of batch.asks) set(asks, price, size);
    },
    read: () => sumOf(bids, -1) + sumOf(asks, 1),
    levels: () => ({
      bids: Array.from(bids.entries(), ([price, size]) => integers(-price, size)),
      asks: Array.from(asks.entries(), ([price, size]) => integers(price, size)),
    }),
    units: { ticks: TICKS, lots: LOTS },
  };
}

export const contenders: Record<string, CreateContender> = {
  depthwire: contender(depthwire()),
  ccxt: async (options) => contender(await ccxt())(options),
  tardis: async (options) => contender(await tardis())(options),
  btree: async (options) => contender(await btree())(options),
};
