import { Buckets } from '../metrics/buckets.ts';

/** What went over the bus: plain sums, read at a scrape. */
export class BusFigures {
  publishedMessages = 0;
  publishedBytes = 0;
  /** Messages that were not published: Redis was away or behind, or the lease was not sure. */
  droppedMessages = 0;
  receivedMessages = 0;
  receivedBytes = 0;
  /** Messages of another version, or that could not be read. */
  unreadable = 0;
  /** Messages of an ingest that leads no more. */
  fenced = 0;
  /** Message numbers of lanes that were not one more than the one before. */
  gaps = 0;
  /** Whole books asked for by this gateway, or given by this ingest. */
  resyncsAsked = 0;
  resyncsAnswered = 0;
  /** From publishing to taking, by the machines' clocks. */
  readonly lag = new Buckets();
}
