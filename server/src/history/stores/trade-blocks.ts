import type { Trade } from '@depthwire/shared';

/** Numbers that one row of `trade_blocks` tells the times of. */
export const BLOCK_TRADES = 4_096;

/** Trades of a block go once some of them are older by so much than they are to be kept. */
export const PRUNE_LATE_MS = 3_600_000;

export const tradeBlockOf = (number: number) => Math.floor(number / BLOCK_TRADES);

/** Which times the trades of a stretch of numbers have: trades are in order of arrival, which is not quite that of time. */
export interface TradeBlock {
  minMs: number;
  maxMs: number;
  trades: number;
}

/** What new trades add to the blocks of their series. @param blocks by their number */
export function addToBlocks(blocks: Map<number, TradeBlock>, number: number, { timeMs }: Trade): void {
  const block = blocks.get(tradeBlockOf(number));
  if (block) {
    block.minMs = Math.min(block.minMs, timeMs);
    block.maxMs = Math.max(block.maxMs, timeMs);
    block.trades += 1;
  } else blocks.set(tradeBlockOf(number), { minMs: timeMs, maxMs: timeMs, trades: 1 });
}
