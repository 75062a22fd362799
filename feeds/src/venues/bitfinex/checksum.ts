import { crc32, formatUnitsShortest, type Instrument, type OrderBook, type Scale } from '@depthwire/shared';

/** Levels a side that it covers. */
export const CHECKSUM_DEPTH = 25;

const encoder = new TextEncoder();

/**
 * "WebSocket Checksum": of the 25 best bids and asks in turn, price and amount, those of asks below
 * zero, joined by colons; where a side has fewer, the other goes on alone. CRC-32, signed.
 *
 * The text of a number is what JavaScript makes of it: `5.6e-7`, not `0.00000056`.
 */
export function bookChecksum(
  { bids, asks }: OrderBook,
  { tick, lot }: Pick<Instrument, 'tick' | 'lot'>,
): number {
  const parts: string[] = [];
  for (let rank = 0; rank < CHECKSUM_DEPTH; rank++) {
    if (rank < bids.count) parts.push(numeral(bids.ticksAt(rank), tick), numeral(bids.lotsAt(rank), lot));
    if (rank < asks.count)
      parts.push(numeral(asks.ticksAt(rank), tick), `-${numeral(asks.lotsAt(rank), lot)}`);
  }
  return crc32(encoder.encode(parts.join(':'))) | 0;
}

const numeral = (units: number, scale: Scale) => String(Number(formatUnitsShortest(units, scale)));
