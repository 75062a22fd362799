import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { canonicalBook, type FeedObserver } from '../kit/index.ts';
import { venues } from '../registry.ts';
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

const others = index.filter(({ venue }) => venue !== 'binance' && venues.some((v) => v.venue === venue));

describe.skipIf(!hasCaptures)('recorded frames of other venues', { timeout: 60_000 }, () => {
  it.each(others)('$file leads to the exact books', async ({ file, venue, market, messages, books }) => {
    const { observer, stats, captures: infos } = await replay([join(captures, file)]);
    expect(infos[0]).toMatchObject({ market, adapter: { venue } });
    expect(stats).toMatchObject({ frames: messages, gaps: 0, checksumsBad: 0, resyncs: 0, malformed: 0 });
    for (const [symbol, book] of Object.entries(books)) {
      expect(observer.isLive(symbol), symbol).toBe(true);
      expect(bookOf(observer, symbol), symbol).toEqual(book);
    }
  });

  it.each(others.filter(({ venue }) => venue === 'coinbase'))(
    '$file has the taker buy at the best ask, and sell at the best bid',
    async ({ file }) => {
      const sides = { ask: new Set<string>(), bid: new Set<string>() };
      await replay([join(captures, file)], {
        onEvent(event, { book, state }) {
          if (event.type !== 'trade' || state !== 'live') return;
          if (event.price >= book.bestAsk!) sides.ask.add(event.side);
          if (event.price <= book.bestBid!) sides.bid.add(event.side);
        },
      });
      expect([...sides.ask, ...sides.bid]).toEqual(['buy', 'sell']);
    },
  );
});

/** The symbol whose book a frame updates, of venues whose updates carry a sequence on the stream. */
const updated: Readonly<Record<string, RegExp>> = {
  okx: /"channel":"books","instId":"([^"]+)"},"action":"update"/,
  bybit: /"topic":"orderbook\.\d+\.([^"]+)".*"type":"delta"/,
  deribit: /"channel":"book\.([^".]+)\.[^".]+".*"type":"change"/,
};

describe.skipIf(!hasCaptures)('recorded updates in sequence', { timeout: 60_000 }, () => {
  it.each(others.filter(({ venue }) => Object.hasOwn(updated, venue)))(
    '$file, one update of it missing or doubled',
    async ({ file, venue, books }) => {
      const records: CaptureRecord[] = [];
      for await (const batch of readCapture(join(captures, file))) records.push(...batch);
      for (const symbol of Object.keys(books)) {
        const at = records.flatMap(({ kind, data }, i) =>
          kind === 'in' && updated[venue]!.exec(data)?.[1] === symbol ? [i] : [],
        );
        if (at.length < 3) continue; // too quiet for a gap to show
        for (const position of [0, Math.floor(at.length / 2), at.length - 2]) {
          const context = `${symbol}, update ${position + 1} of ${at.length}`;
          const here = at[position]!;
          const missing = folder.write(records.toSpliced(here, 1), 'missing.jsonl');
          const lost = await replay([missing]);
          expect(lost.stats, context).toMatchObject({ gaps: 1, resyncs: 1 });
          expect(lost.observer.market(symbol).state, context).toBe('recovering');
          const doubled = folder.write(records.toSpliced(here, 0, records[here]!), 'doubled.jsonl');
          const kept = await replay([doubled]);
          expect(kept.stats, context).toMatchObject({ gaps: 0, resyncs: 0 });
          for (const [name, book] of Object.entries(books)) {
            expect(bookOf(kept.observer, name), `${context}: ${name}`).toEqual(book);
            if (name !== symbol) expect(bookOf(lost.observer, name), `${context}: ${name}`).toEqual(book);
          }
        }
      }
    },
  );
});

describe.skipIf(!hasCaptures)('recorded frames under one counter', { timeout: 60_000 }, () => {
  it.each(others.filter(({ venue }) => venue === 'bitfinex'))(
    '$file, one frame of it missing, doubled or cut off',
    async ({ file, books }) => {
      const records: CaptureRecord[] = [];
      for await (const batch of readCapture(join(captures, file))) records.push(...batch);
      // A level that changes: price, count, amount.
      const at = records.flatMap(({ kind, data }, i) =>
        kind === 'in' && /^\[\d+,\[[^,]+,\d+,[^,]+\],\d+\]$/.test(data) ? [i] : [],
      );
      const symbols = Object.keys(books);
      for (const here of [700, 1000, at.length - 2].map((position) => at[position]!)) {
        const record = records[here]!;
        const isLive = async (changed: readonly CaptureRecord[], isRight: boolean) => {
          const { observer } = await replay([folder.write(changed, 'changed.jsonl')]);
          for (const symbol of symbols) {
            if (isRight || observer.isLive(symbol)) expect(bookOf(observer, symbol)).toEqual(books[symbol]);
          }
          return symbols.filter((symbol) => observer.isLive(symbol)).length;
        };
        expect(await isLive(records.toSpliced(here, 1), false), 'missing').toBe(0);
        expect(await isLive(records.toSpliced(here, 0, record), true), 'doubled').toBe(symbols.length);
        const cut = { ...record, data: record.data.slice(0, -9) };
        expect(await isLive(records.with(here, cut), false), 'cut off').toBe(symbols.length - 1);
      }
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
