import { z } from 'zod';
import type { FeedReport } from '../engine/market-source.ts';
import { feedReport } from '../http/answers.ts';
import { decodeText, encodeText, MAX_NAME_CHARS } from './wire.ts';

/** What another process told is forgotten after so long. */
export const REPORT_VALID_MS = 10_000;
/** Feeds of one ingest. */
const MAX_FEEDS = 1_000;

/** What an ingest tells of itself, every two seconds. */
export interface IngestReport {
  readonly ingest: string;
  readonly feeds: readonly {
    readonly id: string;
    /** Under which it leads the feed; null where it does not. */
    readonly epoch: number | null;
    readonly isHealthy: boolean;
    /** Of those that it leads. */
    readonly report: FeedReport | null;
  }[];
}

const name = z.string().max(MAX_NAME_CHARS);
/** Reports of feeds are served as they come: they are what the answers of REST have to be. */
const schema = z.object({
  ingest: name,
  feeds: z
    .array(
      z.object({
        id: name,
        epoch: z.int().nonnegative().nullable(),
        isHealthy: z.boolean(),
        report: feedReport.nullable(),
      }),
    )
    .max(MAX_FEEDS),
});

export function encodeReport(report: IngestReport): string {
  return encodeText(report);
}

/** @throws DepthwireError `malformed_message` */
export function decodeReport(bytes: Buffer): IngestReport {
  return decodeText(bytes, schema) as IngestReport;
}
