import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BookSync } from '../../core/book-sync.ts';
import { VirtualClock } from '../../core/virtual-clock.ts';
import {
  canonicalBook,
  EmulatedBook,
  TruthBook,
  textUnits,
  type PastState,
  type TextBook,
} from '../../kit/index.ts';
import type { DepthUpdate } from './messages.ts';
import { spotSequencer, futuresSequencer } from './sequencer.ts';

const SPEC = { symbol: 'ABCUSDT', base: 'ABC', quote: 'USDT', levels: 8 };

/** What happens next to a stream of diffs on its way from the venue. */
const actions = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ kind: fc.constant('diff' as const), changes: fc.integer({ min: 1, max: 4 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('lost' as const), changes: fc.integer({ min: 1, max: 4 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('damaged' as const),
        changes: fc.integer({ min: 0, max: 4 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('twice' as const), changes: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), changes: fc.constant(0) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('unpublished' as const),
        changes: fc.integer({ min: 1, max: 3 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), changes: fc.constant(0) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('old snapshot' as const),
        changes: fc.integer({ min: 1, max: 5 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('resync' as const), changes: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('quiet' as const), changes: fc.constant(0) }) },
  ),
  { maxLength: 80 },
);

class Copy {
  readonly clock = new VirtualClock(0);
  isLive = false;
  isAsking = false;
  /** Id up to which the book is told to be right. */
  id = 0;
  book = new TruthBook();
  readonly sync: BookSync<DepthUpdate, PastState>;

  constructor(market: 'spot' | 'usdm') {
    this.sync = new BookSync(market === 'spot' ? spotSequencer : futuresSequencer, this.clock, {
      requestSnapshot: () => (this.isAsking = true),
      applySnapshot: ({ id, bids, asks }) => {
        this.book = new TruthBook();
        this.#apply(bids, asks, id);
      },
      applyDiff: (diff) => this.#apply(diff.b, diff.a, diff.u),
      live: () => (this.isLive = true),
      doubted: () => (this.isLive = false),
      lost: () => (this.isLive = false),
      link: () => {},
      gap: () => {},
    });
    this.sync.start();
  }

  #apply(bids: DepthUpdate['b'], asks: DepthUpdate['a'], id: number): void {
    for (const [price, quantity] of bids) this.book.set('bid', textUnits(price), textUnits(quantity));
    for (const [price, quantity] of asks) this.book.set('ask', textUnits(price), textUnits(quantity));
    this.id = id;
  }
}

describe.each(['spot', 'usdm'] as const)('%s: joining diffs to a snapshot', (marketName) => {
  it('leads to the true book of its id whenever it is live, whatever was lost or came twice', () => {
    fc.assert(
      fc.property(actions, fc.integer({ min: 1, max: 1_000_000 }), (list, seed) => {
        const nextId = marketName === 'spot' ? (id: number) => id + 1 : (id: number) => id + 1 + (id % 3);
        const market = new EmulatedBook(SPEC, seed, 100, nextId);
        const truths = new Map<number, TextBook>();
        const copy = new Copy(marketName);
        let last: DepthUpdate | null = null;
        const change = (times: number) => {
          for (let i = 0; i < times; i++) {
            market.change();
            truths.set(market.id, market.truth());
          }
        };
        const diff = (): DepthUpdate | null => {
          const { firstPendingId: U, publishedId: pu } = market;
          const levels = market.publish();
          if (levels)
            last = {
              e: 'depthUpdate',
              E: 0,
              s: SPEC.symbol,
              U: U!,
              u: market.id,
              pu,
              b: levels.bids,
              a: levels.asks,
            };
          return last;
        };
        truths.set(market.id, market.truth());
        const answer = (diffsAgo: number) => {
          copy.isAsking = false;
          copy.sync.onSnapshot(
            diffsAgo === 0 ? { id: market.id, ...market.truth() } : market.published(diffsAgo),
          );
        };
        const check = () => {
          if (copy.isLive)
            expect(canonicalBook(copy.book.toText())).toBe(canonicalBook(truths.get(copy.id)!));
        };
        const steps: Record<(typeof list)[number]['kind'], (changes: number) => void> = {
          diff: (changes) => {
            change(changes);
            copy.sync.onDiff(diff()!);
          },
          lost: (changes) => {
            change(changes);
            diff();
          },
          damaged: (changes) => {
            change(changes);
            if (changes > 0) diff(); // else it was noise, and nothing is missing
            copy.sync.doubt('it could not be read');
            expect(copy.isLive).toBe(false);
          },
          twice: (changes) => {
            change(changes);
            copy.sync.onDiff(diff()!);
            copy.sync.onDiff(last!);
          },
          again: () => {
            if (last) copy.sync.onDiff(last);
          },
          unpublished: change,
          snapshot: () => {
            if (copy.isAsking) answer(0);
          },
          'old snapshot': (diffsAgo) => {
            if (copy.isAsking) answer(diffsAgo);
          },
          resync: () => copy.sync.resync('asked for'),
          quiet: () => copy.clock.advanceTo(copy.clock.now() + 5_000),
        };
        for (const { kind, changes } of list) {
          steps[kind](changes);
          check();
        }

        // Whatever happened: after a loss that shows and a fresh snapshot it is live, and right.
        for (let i = 0; i < 3 && !(copy.isLive && copy.id === market.id); i++) {
          change(1);
          copy.sync.onDiff(diff()!);
          copy.clock.advanceTo(copy.clock.now() + 60_000);
          if (copy.isAsking) answer(0);
          check();
        }
        expect(copy.isLive).toBe(true);
        expect(copy.id).toBe(market.id);
        expect(copy.book.toText()).toEqual(market.truth());
      }),
      { numRuns: 300 },
    );
  });
});
