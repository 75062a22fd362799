import { frameCodes } from '../protocol/messages.ts';

export type FrameName = keyof typeof frameCodes;

/** The elements of each frame by name, in their order; `docs/protocol.md` tells what they mean. */
export const frameFields: Readonly<Record<FrameName, readonly string[]>> = {
  bookSnapshot: names('state sequence timeMs lagMs reference bids asks checksum reason'),
  bookDelta: names('merged elapsedMs ageMs lagMs bids asks checksum'),
  bookState: names('state elapsedMs reason'),
  tradesSnapshot: names('timeMs trades sequence'),
  trades: names('timeMs trades'),
  ticker: names('timeMs state last open high low volume turnover trades bid bidSize ask askSize'),
  candlesSnapshot: names('timeMs candles sequence'),
  candle: names('timeMs candles sequence'),
  status: names('timeMs state sinceMs reason'),
  bookMerged: names('from state merged elapsedMs ageMs lagMs bids asks checksum reason'),
  tradesMerged: names('from timeMs ageMs count bought sold low high trades'),
  candlesMerged: names('from timeMs ageMs candles sequence'),
  bookResumed: names('state from sequence timeMs ageMs lagMs reference bids asks checksum reason'),
};

function names(text: string): readonly string[] {
  return ['code', 'ch', 'seq', ...text.split(' ')];
}

const byCode = new Map<unknown, FrameName>(
  Object.entries(frameCodes).map(([name, code]) => [code, name as FrameName]),
);

/** Null where no frame has this code. */
export function frameNameOf(code: unknown): FrameName | null {
  return byCode.get(code) ?? null;
}
