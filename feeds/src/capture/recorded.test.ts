import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { canonicalBook, type FeedObserver } from '../kit/index.ts';
import { readCapture, type CaptureRecord } from './read.ts';
import { CaptureFolder, replay } from './test-harness.ts';

/** Recordings published by others, which are no part of this repository; see `../shared/captures/README.md`. */
const captures = fileURLToPath(new URL('../../../../shared/captures/', import.meta.url));
const hasCaptures = existsSync(join(captures, 'index.json'));
if (!hasCaptures) console.warn(`no recordings in ${captures}: their tests are skipped`); // eslint-disable-line no-console

interface Recording {
  readonly file: string;
  readonly venue: string;
  readonly market: string;
  readonly messages: number;
  readonly books: Readonly<Record<string, Book>>;
}

interface Book {
  readonly bids: number;
  readonly asks: number;
  readonly best_bid: string | null;
  readonly best_ask: string | null;
  readonly sha256: string;
}

const index = hasCaptures
  ? (JSON.parse(readFileSync(join(captures, 'index.json'), 'utf8')) as Recording[])
  : [];
const recordings = index.filter(({ venue }) => venue === 'binance');
const folder = new CaptureFolder();
afterAll(() => folder.remove());

function bookOf(observer: FeedObserver, symbol: string): Book {
  const text = observer.text(symbol);
  return {
    bids: text.bids.length,
    asks: text.asks.length,
    best_bid: text.bids[0]?.[0] ?? null,
    best_ask: text.asks[0]?.[0] ?? null,
    sha256: createHash('sha256').update(canonicalBook(text)).digest('hex'),
  };
}

describe.skipIf(!hasCaptures)('recorded Binance frames', { timeout: 60_000 }, () => {
  it('are the six files that the index lists', () => {
    expect(recordings).toHaveLength(6);
  });

  it.each(recordings)(
    '$file leads to the exact books, without a gap',
    async ({ file, market, messages, books }) => {
      const { observer, stats, captures: infos } = await replay([join(captures, file)]);
      expect(infos[0]).toMatchObject({ market });
      expect(stats).toMatchObject({ frames: messages, gaps: 0, resyncs: 0, malformed: 0 });
      for (const [symbol, book] of Object.entries(books)) {
        expect(observer.isLive(symbol), symbol).toBe(true);
        expect(bookOf(observer, symbol), symbol).toEqual(book);
      }
    },
  );

  it('lead to the exact books of all files at once', async () => {
    const small = recordings.filter(({ file }) => file.includes('sym'));
    const { observer } = await replay(small.map(({ file }) => join(captures, file)));
    for (const { books, market } of small) {
      for (const [symbol, book] of Object.entries(books)) {
        const { instrument } = [...observer.markets.values()].find(
          ({ instrument }) =>
            instrument.symbol === symbol && (instrument.kind === 'spot') === (market === 'spot'),
        )!;
        expect(bookOf(observer, instrument.id), symbol).toEqual(book);
      }
    }
  });

  describe.each(recordings.filter(({ file }) => file.includes('sym')))(
    '$file, one diff of it missing',
    ({ file, books }) => {
      it('shows the gap and is not live, or had the diff in its snapshot', async () => {
        const records: CaptureRecord[] = [];
        for await (const batch of readCapture(join(captures, file))) records.push(...batch);
        let lost = 0;
        for (const symbol of Object.keys(books)) {
          const at = records.flatMap((record, i) => (diffSymbol(record) === symbol ? [i] : []));
          for (const position of spread(at.length)) {
            const missing = at[position]!;
            const { observer, stats } = await replay([
              folder.write(
                records.filter((_, i) => i !== missing),
                'missing.jsonl',
              ),
            ]);
            const isFirst = position === 0;
            const isLast = position === at.length - 1;
            const context = `${symbol}, diff ${position + 1} of ${at.length}`;
            expect(stats.gaps, context).toBe(isFirst || isLast ? stats.gaps : 1);
            if (isLast && !isFirst) continue; // nothing after it could tell
            if (observer.isLive(symbol)) expect(bookOf(observer, symbol), context).toEqual(books[symbol]);
            else lost += 1;
            for (const other of Object.keys(books)) {
              if (other !== symbol)
                expect(bookOf(observer, other), `${context}: ${other}`).toEqual(books[other]);
            }
          }
        }
        expect(lost).toBeGreaterThan(0);
      });
    },
  );
});

function diffSymbol({ kind, data }: CaptureRecord): string | null {
  if (kind !== 'in' || !data.includes('depthUpdate')) return null;
  return (JSON.parse(data) as { data: { s: string } }).data.s;
}

/** The first, the last, and some between them. */
function spread(count: number): number[] {
  const last = count - 1;
  return [...new Set([0, 1, 2, Math.floor(last / 2), last - 1, last].filter((i) => i >= 0 && i <= last))];
}
