// What a server says over HTTP.
import { setTimeout as delay } from 'node:timers/promises';
import { sumOf, type Checksums, type Comparison } from './book-notes.ts';
import type { Worker } from './worker.ts';

/** How often the books are asked for while they are compared, and clients how far they are. */
const BOOK_POLL_MS = 40;
const COMPARE_FIRST_MS = 250;
const COMPARE_EVERY_MS = 2_000;
const COMPARE_LIMIT_MS = 40_000;

/** Processes whose clients note checksums; see `BookNotes`. */
type Noting = Worker<{
  note(): void;
  compare(served: ReadonlyMap<string, Checksums>): Comparison;
  forget(): void;
}>;

/**
 * Compares all books of all clients with the server's by REST: each at a sequence, or several, at which both
 * had it.
 * @throws Error where a book is not the server's, or cannot be compared
 */
export async function compareBooks(
  http: string,
  instruments: readonly string[],
  workers: readonly Noting[],
): Promise<Comparison> {
  await Promise.all(workers.map((each) => each.ask('note')));
  const served = new Map<string, Checksums>(instruments.map((instrument) => [instrument, new Map()]));
  const end = performance.now() + COMPARE_LIMIT_MS;
  // Few clients are compared at once; many are not asked again and again.
  for (let forMs = COMPARE_FIRST_MS; ; forMs = Math.min(2 * forMs, COMPARE_EVERY_MS)) {
    await noteServed(http, served, forMs);
    const books = sumOf(await Promise.all(workers.map((each) => each.ask('compare', served))));
    if (books.wrong > 0) throw new Error(`${books.wrong} of ${books.books} books are not the server's`);
    if (books.equal === books.books) {
      await Promise.all(workers.map((each) => each.ask('forget')));
      return books;
    }
    if (performance.now() > end)
      throw new Error(`${books.books - books.equal} of ${books.books} books could not be compared`);
  }
}

async function noteServed(
  http: string,
  served: ReadonlyMap<string, Checksums>,
  forMs: number,
): Promise<void> {
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    await Promise.all(
      [...served].map(async ([instrument, checksums]) => {
        const { sequence, checksum } = await json<{ sequence: number; checksum: number }>(
          `${http}/api/v1/instruments/${instrument}/book?depth=1`,
        );
        checksums.set(sequence, checksum);
      }),
    );
    await delay(BOOK_POLL_MS);
  }
}

/** Sums of the samples of each metric, whatever their labels. */
export async function scrape(http: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${http}/metrics`)).text();
  const sums = new Map<string, number>();
  for (const [, name, value] of text.matchAll(/^(\w+)(?:\{.*\})? (\S+)$/gm))
    sums.set(name!, (sums.get(name!) ?? 0) + Number(value));
  return sums;
}

export async function instrumentIds(http: string): Promise<string[]> {
  const { instruments } = await json<{ instruments: { id: string }[] }>(`${http}/api/v1/instruments`);
  return instruments.map(({ id }) => id);
}

async function json<T>(url: string): Promise<T> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return (await answer.json()) as T;
}
