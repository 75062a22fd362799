/**
 * "Maintaining the book channel" of the guide to the v2 book:
 *
 * 1. All levels of a message are applied before the checksum is taken, in the order they come:
 *    one message may change a price more than once.
 * 2. A quantity of zero removes the level.
 * 3. After each message the book is cut off at the depth subscribed to: levels that fall out of it
 *    are not told.
 * 4. The checksum of the message is that of the ten best levels a side then.
 *
 * Messages have no sequence number, so that a change below the tenth level can be lost unseen by
 * rule 4. Two rules of our own find what can be found of that:
 *
 * 5. A book's messages come in the order of their times; one from before its predecessor was
 *    overtaken, and may have undone it.
 * 6. A message of a book that arrived and could not be read loses that book at once: checksums that
 *    are right afterwards would not prove that nothing deep is missing.
 *
 * @see https://docs.kraken.com/api/docs/guides/spot-ws-book-v2
 */

/** Depths that can be subscribed to. */
const DEPTHS = [10, 25, 100, 500, 1000] as const;

/** Rule 3 in a recording without an acknowledgement that tells the depth: the smallest that holds the snapshot. */
export function depthOf(bids: number, asks: number): number {
  return DEPTHS.find((depth) => depth >= Math.max(bids, asks)) ?? Infinity;
}

/** The next larger one. */
export function depthAfter(depth: number): number {
  return DEPTHS.find((larger) => larger > depth) ?? Infinity;
}

/** Rule 5. Both are RFC 3339 in UTC; of equal length they sort as text, microseconds and all. */
export function isBefore(timestamp: string | null, previous: string | null): boolean {
  if (timestamp === null || previous === null) return false;
  if (timestamp.length === previous.length) return timestamp < previous;
  return Date.parse(timestamp) < Date.parse(previous);
}
