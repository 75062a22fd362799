import { inspectCapture, parseJson, readCapture } from '@depthwire/feeds';
import { OrderBook, parseLots, parseTicks, type BookSide, type Instrument } from '@depthwire/shared';
import { createTrace, type TraceOptions } from '../harness/trace.ts';

/** What one message says of a book: `ticks, lots` pairs of each side, best first; no lots remove. */
export interface Update {
  readonly bids: number[];
  readonly asks: number[];
}

export interface Stream {
  /** From what the prices of all updates are measured, ticks. */
  readonly reference: number;
  readonly updates: readonly Update[];
  /** Level updates that it was made of, of which some had no effect in their batch. */
  readonly changes: number;
  /** In its updates. */
  readonly levels: number;
}

/** The batches of a trace as the gateway sends them: each price once and in order, where it has changed. */
export function streamOf(options: TraceOptions): Stream {
  const { bids, asks, sides, ticks, lots, batchEnds } = createTrace(options);
  const book = new OrderBook();
  book.loadSnapshot(bids, asks);
  const reference = book.bestBid!;
  const updates: Update[] = [];
  let levels = 0;
  let from = 0;
  for (const end of batchEnds) {
    const touched = [new Map<number, number>(), new Map<number, number>()] as const;
    for (let i = from; i < end; i++) touched[sides[i] as 0 | 1].set(ticks[i]!, lots[i]!);
    from = end;
    const update = { bids: changesOf(touched[0], book.bids, -1), asks: changesOf(touched[1], book.asks, 1) };
    book.applyDelta(update.bids, update.asks);
    updates.push(update);
    levels += (update.bids.length + update.asks.length) / 2;
  }
  return { reference, updates, changes: options.updates, levels };
}

function changesOf(touched: ReadonlyMap<number, number>, side: BookSide, direction: -1 | 1): number[] {
  return [...touched]
    .filter(([ticks, lots]) => lots !== side.lotsAtPrice(ticks))
    .sort(([a], [b]) => (a - b) * direction)
    .flat();
}

export interface RecordedUpdate extends Update {
  readonly symbol: string;
  /** Of the venue's frame as it came. */
  readonly bytes: number;
  /** Receive time, unix milliseconds. */
  readonly timeMs: number;
  /** Receive time less venue time. */
  readonly lagMs: number;
}

interface DepthFrame {
  readonly data?: {
    readonly e?: string;
    readonly E: number;
    readonly s: string;
    readonly b: readonly (readonly [string, string])[];
    readonly a: readonly (readonly [string, string])[];
  };
}

/** The depth frames of a recorded file, every level of each. */
export async function readUpdates(file: string): Promise<RecordedUpdate[]> {
  const { instruments } = await inspectCapture(file);
  const bySymbol = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
  const updates: RecordedUpdate[] = [];
  for await (const records of readCapture(file)) {
    for (const { kind, data: text, t } of records) {
      if (kind !== 'in' || !text.includes('"depthUpdate"')) continue;
      const { data } = parseJson(text) as DepthFrame;
      const instrument = bySymbol.get(data?.s ?? '');
      if (data?.e !== 'depthUpdate' || !instrument) continue;
      updates.push({
        symbol: data.s,
        bids: levelsOf(data.b, instrument, -1),
        asks: levelsOf(data.a, instrument, 1),
        bytes: Buffer.byteLength(text),
        timeMs: t,
        lagMs: Math.round(t - data.E),
      });
    }
  }
  return updates;
}

function levelsOf(
  wire: readonly (readonly [string, string])[],
  { tick, lot }: Instrument,
  direction: -1 | 1,
): number[] {
  return wire
    .map(([price, size]) => [parseTicks(price, tick), parseLots(size, lot)] as const)
    .sort(([a], [b]) => (a - b) * direction)
    .flat();
}
