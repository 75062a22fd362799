import { setTimeout as sleep } from 'node:timers/promises';
import { OrderBook } from '@depthwire/shared';
import { median } from '../harness/statistics.ts';
import { createTrace, ORDINARY } from '../harness/trace.ts';

/** Memory of a book that has lived: 1,500 levels after a stretch of the trace. */
export async function measureMemory(): Promise<{ kib: number }> {
  const trace = createTrace({ ...ORDINARY, updates: 100_000 });
  const books: OrderBook[] = [];
  const before = await heldBytes();
  const count = 200;
  for (let i = 0; i < count; i++) {
    const book = new OrderBook();
    book.loadSnapshot(trace.bids, trace.asks);
    for (let j = 0; j < trace.ticks.length; j++)
      (trace.sides[j] === 0 ? book.bids : book.asks).set(trace.ticks[j]!, trace.lots[j]!);
    books.push(book);
  }
  const bytes = ((await heldBytes()) - before) / count;
  const levels = books[0]!.bids.count + books[0]!.asks.count;
  return { kib: ((bytes / levels) * 1_500) / 1024 };
}

/** Twice, for what typed arrays point to is given back a little later. */
async function heldBytes(): Promise<number> {
  for (let i = 0; i < 2; i++) {
    globalThis.gc!();
    await sleep(50);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Bytes that reading the top 20 of both sides leaves to the garbage collector. */
export function measureReads(): { bytes: number } {
  const trace = createTrace({ ...ORDINARY, updates: 1_000 });
  const book = new OrderBook();
  book.loadSnapshot(trace.bids, trace.asks);
  const prices = new Float64Array(20);
  const sizes = new Float64Array(20);
  const read = (times: number) => {
    let count = 0;
    for (let i = 0; i < times; i++) {
      count = (count + book.bids.top(20, prices, sizes)) | 0;
      count = (count + book.asks.top(20, prices, sizes)) | 0;
    }
    return count;
  };
  const times = 1_000_000;
  // To look costs some bytes too: those of a look without reads do not count.
  const bytesOf = (work: () => void) => {
    globalThis.gc!();
    const before = process.memoryUsage().heapUsed;
    work();
    return process.memoryUsage().heapUsed - before;
  };
  for (let i = 0; i < 3; i++) read(times); // until it is compiled
  const bytes = bytesOf(() => {
    if (read(times) !== 40 * times) throw new Error('not all levels were read');
  });
  return { bytes: Math.max(0, bytes - bytesOf(() => {})) / times };
}

/** CPU time for each level of snapshots of growing size. */
export function measureSnapshots(isSmoke: boolean) {
  const nsOf = (levels: number) => {
    const bids: number[] = [];
    const asks: number[] = [];
    for (let i = 0; i < levels / 2; i++) {
      bids.push(1_000_000 - 3 * i, 1 + i);
      asks.push(1_000_001 + 3 * i, 1 + i);
    }
    const times = Math.ceil((isSmoke ? 100_000 : 2_000_000) / levels);
    const book = new OrderBook();
    const once = () => {
      const before = process.cpuUsage();
      for (let i = 0; i < times; i++) book.loadSnapshot(bids, asks);
      const { user, system } = process.cpuUsage(before);
      return ((user + system) * 1000) / (times * levels);
    };
    once();
    return median(Array.from({ length: 5 }, once));
  };
  const rows = [200, 2_000, 20_000, 200_000].map((levels) => ({ levels, ns: nsOf(levels) }));
  return { rows, nsPerLevel: rows[1]!.ns, growth: rows[2]!.ns / rows[1]!.ns };
}
