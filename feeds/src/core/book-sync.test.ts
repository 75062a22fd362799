import { describe, expect, it } from 'vitest';
import { BookSync, type BookSyncHandlers, type Sequencer } from './book-sync.ts';
import { VirtualClock } from './virtual-clock.ts';

type Diff = readonly [first: number, last: number];
interface Snapshot {
  readonly id: number;
}

/** Consecutive ids, the simplest rule there is. */
const sequencer: Sequencer<Diff> = {
  follows: (previous, next) => (next[1] <= previous[1] ? 'old' : next[0] <= previous[1] + 1 ? 'next' : 'gap'),
  joins: (id, diff) => (diff[1] <= id ? 'old' : diff[0] <= id + 1 ? 'joins' : 'gap'),
  matches: (id, diff) => diff[1] === id,
  describe: (diff) => diff.join('-'),
};

function startSync(overrides: Partial<BookSyncHandlers<Diff, Snapshot>> = {}) {
  const clock = new VirtualClock(0);
  const log: string[] = [];
  const sync = new BookSync<Diff, Snapshot>(sequencer, clock, {
    requestSnapshot: () => log.push('request'),
    applySnapshot: ({ id }) => log.push(`snapshot ${id}`),
    applyDiff: (diff) => log.push(`diff ${diff.join('-')}`),
    live: () => log.push('live'),
    doubted: (reason) => log.push(`doubted: ${reason}`),
    lost: (reason) => log.push(`lost: ${reason}`),
    link: () => {},
    gap: () => log.push('gap'),
    ...overrides,
  });
  sync.start();
  return {
    clock,
    sync,
    log,
    /** What happened since the last look. */
    news: () => log.splice(0),
  };
}

describe('BookSync', () => {
  it('asks for a snapshot at the start, holds diffs, and joins them once it is there', () => {
    const { sync, news } = startSync();
    sync.onDiff([1, 3]);
    sync.onDiff([4, 6]);
    expect(news()).toEqual(['request']);
    sync.onSnapshot({ id: 4 });
    expect(news()).toEqual(['snapshot 4', 'diff 4-6', 'live']);
    sync.onDiff([7, 7]);
    expect(news()).toEqual(['diff 7-7']);
  });

  it('is live at once where the snapshot is exactly the last diff held', () => {
    const { sync, news } = startSync();
    sync.onDiff([1, 3]);
    sync.onSnapshot({ id: 3 });
    expect(news()).toEqual(['request', 'snapshot 3', 'live']);
  });

  it('waits for the stream where the snapshot is ahead of it', () => {
    const { sync, news } = startSync();
    sync.onDiff([1, 3]);
    sync.onSnapshot({ id: 8 });
    sync.onDiff([4, 6]);
    expect(news()).toEqual(['request', 'snapshot 8']);
    sync.onDiff([7, 9]);
    expect(news()).toEqual(['diff 7-9', 'live']);
  });

  it('is not live by quiet while the stream comes up to a snapshot that is ahead of it', () => {
    const { sync, clock, news } = startSync();
    sync.onSnapshot({ id: 100 });
    for (let i = 1; i <= 9; i++) {
      clock.advanceTo(i * 3_000);
      sync.onDiff([i, i]);
    }
    expect(news()).toEqual(['request', 'snapshot 100']);
    clock.advanceTo(28_000);
    sync.onDiff([10, 101]);
    expect(news()).toEqual(['diff 10-101', 'live']);
  });

  it.each([0, 6_000])(
    'takes another snapshot where the stream never comes up to it, be it live for quiet (%i ms) or not',
    (quietMs) => {
      const { sync, clock, news } = startSync();
      sync.onSnapshot({ id: 100 });
      clock.advanceTo(quietMs);
      for (let i = 1; i <= 11; i++) {
        sync.onDiff([i, i]);
        clock.advanceTo(quietMs + i * 3_000);
      }
      sync.onDiff([12, 12]);
      expect(news()).toEqual([
        'request',
        'snapshot 100',
        ...(quietMs > 0 ? ['live'] : []),
        'lost: 12-12 still comes before snapshot 100',
        'request',
      ]);
    },
  );

  it('is not live by quiet with a snapshot from before the stream', () => {
    const { sync, clock, news } = startSync();
    sync.onSnapshot({ id: 5 }, false);
    clock.advanceTo(29_999);
    expect(news()).toEqual(['request', 'snapshot 5']);
    clock.advanceTo(30_000);
    expect(news()).toEqual(['lost: no update has followed an old snapshot', 'request']);
    sync.onSnapshot({ id: 5 }, false);
    sync.onDiff([6, 6]);
    expect(news()).toEqual(['snapshot 5', 'diff 6-6', 'live']);
  });

  it('is not asked for at once each time where it is lost again and again', () => {
    const { sync, clock, news } = startSync();
    const waits: number[] = [];
    const goLive = (id: number) => {
      sync.onSnapshot({ id });
      sync.onDiff([id + 1, id + 1]);
    };
    for (let id = 0; id < 6; id++) {
      goLive(id);
      news();
      sync.resync('refused');
      const start = clock.now();
      while (!news().includes('request')) clock.advanceTo(clock.now() + 500);
      waits.push(clock.now() - start);
    }
    expect(waits).toEqual([0, 0, 0, 2_000, 4_000, 8_000]);
    goLive(6);
    clock.advanceTo(clock.now() + 30_000);
    news();
    sync.resync('refused');
    expect(news()).toEqual(['lost: refused', 'request']);
  });

  it('is live without a diff once the stream stayed quiet after the snapshot', () => {
    const { sync, clock, news } = startSync();
    sync.onSnapshot({ id: 5 });
    clock.advanceTo(4_999);
    expect(news()).toEqual(['request', 'snapshot 5']);
    clock.advanceTo(5_000);
    expect(news()).toEqual(['live']);
    sync.onDiff([6, 6]);
    expect(news()).toEqual(['diff 6-6']);
  });

  it('checks the first diff after such quiet against the snapshot', () => {
    const { sync, clock, news } = startSync();
    sync.onSnapshot({ id: 5 });
    clock.advanceTo(5_000);
    news();
    sync.onDiff([8, 8]);
    expect(news()).toEqual(['gap', 'lost: sequence gap: 8-8 after snapshot 5', 'request']);
  });

  it('asks again, later each time, where the snapshot is older than the oldest diff held', () => {
    const { sync, clock, news } = startSync();
    sync.onDiff([10, 12]);
    news();
    for (const waitMs of [1_000, 2_000, 4_000]) {
      sync.onSnapshot({ id: 8 });
      clock.advanceTo(clock.now() + waitMs - 1);
      expect(news()).toEqual([]);
      clock.advanceTo(clock.now() + 1);
      expect(news()).toEqual(['request']);
    }
    sync.onSnapshot({ id: 9 });
    expect(news()).toEqual(['snapshot 9', 'diff 10-12', 'live']);
  });

  it('never waits longer than half a minute before it asks again, but as long as the venue wants', () => {
    const { sync, clock, news } = startSync();
    for (let i = 0; i < 20; i++) {
      sync.onSnapshotFailed(null);
      clock.advanceTo(clock.nextDueMs()!);
    }
    const before = clock.now();
    sync.onSnapshotFailed(null);
    expect(clock.nextDueMs()! - before).toBe(30_000);
    clock.advanceTo(clock.nextDueMs()!);
    news();
    sync.onSnapshotFailed(90_000);
    clock.advanceTo(clock.now() + 89_999);
    expect(news()).toEqual([]);
    clock.advanceTo(clock.now() + 1);
    expect(news()).toEqual(['request']);
  });

  it('drops the book on a gap, asks for a snapshot at once, and is live again with it', () => {
    const { sync, news } = startSync();
    sync.onSnapshot({ id: 5 });
    sync.onDiff([6, 6]);
    news();
    sync.onDiff([9, 10]);
    expect(news()).toEqual(['gap', 'lost: sequence gap: 9-10 after 6-6', 'request']);
    sync.onDiff([11, 11]);
    sync.onSnapshot({ id: 9 });
    expect(news()).toEqual(['snapshot 9', 'diff 9-10', 'diff 11-11', 'live']);
  });

  it('does not take a snapshot that misses the diff whose absence was noticed', () => {
    const { sync, clock, news } = startSync();
    sync.onSnapshot({ id: 5 });
    sync.onDiff([6, 6]);
    sync.onDiff([9, 10]);
    news();
    sync.onSnapshot({ id: 7 });
    expect(news()).toEqual([]);
    clock.advanceTo(60_000);
    expect(news()).toEqual(['request']);
  });

  it('drops the book where the first diff after the snapshot comes too late', () => {
    const { sync, news } = startSync();
    sync.onSnapshot({ id: 5 });
    sync.onDiff([8, 9]);
    expect(news()).toEqual([
      'request',
      'snapshot 5',
      'gap',
      'lost: sequence gap: 8-9 after snapshot 5',
      'request',
    ]);
  });

  it('loses no book over a gap that the snapshot covers', () => {
    const { sync, news } = startSync();
    sync.onDiff([1, 3]);
    sync.onSnapshot({ id: 20 });
    sync.onDiff([9, 12]);
    sync.onDiff([13, 21]);
    expect(news()).toEqual(['request', 'snapshot 20', 'gap', 'diff 13-21', 'live']);
  });

  it('keeps only what follows a gap while it waits for the snapshot', () => {
    const { sync, clock, news } = startSync();
    sync.onDiff([1, 3]);
    sync.onDiff([6, 7]);
    expect(news()).toEqual(['request', 'gap']);
    sync.onSnapshot({ id: 3 });
    clock.advanceTo(1_000);
    sync.onSnapshot({ id: 5 });
    expect(news()).toEqual(['request', 'snapshot 5', 'diff 6-7', 'live']);
  });

  it('leaves out a diff that came before', () => {
    const { sync, news } = startSync();
    sync.onSnapshot({ id: 5 });
    sync.onDiff([6, 8]);
    news();
    sync.onDiff([6, 8]);
    sync.onDiff([2, 5]);
    expect(news()).toEqual([]);
    sync.onDiff([9, 9]);
    expect(news()).toEqual(['diff 9-9']);
  });

  it('does nothing once stopped, whatever still arrives', () => {
    const { sync, clock, news } = startSync();
    sync.onSnapshot({ id: 5 });
    sync.stop();
    news();
    sync.onDiff([6, 6]);
    sync.onSnapshot({ id: 9 });
    sync.onSnapshotFailed(0);
    sync.resync('no reason');
    clock.advanceTo(100_000);
    expect(news()).toEqual([]);
    expect(clock.nextDueMs()).toBeNull();
  });

  it('starts anew with nothing left of the connection before', () => {
    const { sync, news } = startSync();
    sync.onSnapshot({ id: 5 });
    sync.onDiff([6, 6]);
    sync.stop();
    news();
    sync.start();
    sync.onDiff([3, 3]); // a venue that counts anew
    sync.onSnapshot({ id: 3 });
    expect(news()).toEqual(['request', 'snapshot 3', 'live']);
  });

  it('does not let its buffer grow without end', () => {
    const { sync, clock, news } = startSync();
    for (let id = 1; id <= 10_001; id++) sync.onDiff([id, id]);
    news();
    sync.onSnapshot({ id: 5_000 }); // the diffs after it are gone
    expect(news()).toEqual([]);
    clock.advanceTo(1_000);
    sync.onSnapshot({ id: 10_000 });
    expect(news()).toEqual(['request', 'snapshot 10000', 'diff 10001-10001', 'live']);
  });
});

describe('BookSync, when told that the book is wrong', () => {
  it('drops it and takes it anew', () => {
    const { sync, news } = startSync();
    sync.onSnapshot({ id: 5 });
    sync.onDiff([6, 6]);
    news();
    sync.resync('crossed');
    sync.onDiff([7, 7]);
    expect(news()).toEqual(['lost: crossed', 'request']);
    sync.onSnapshot({ id: 7 });
    expect(news()).toEqual(['snapshot 7', 'live']);
  });

  it('does not ask twice for the snapshot that is on its way', () => {
    const { sync, news } = startSync();
    sync.resync('crossed');
    sync.resync('crossed');
    expect(news()).toEqual(['request', 'lost: crossed', 'lost: crossed']);
  });

  it('does not take a lagging snapshot, though no diff is held that could tell', () => {
    const { sync, clock, news } = startSync();
    sync.onSnapshot({ id: 5 });
    sync.onDiff([6, 8]);
    sync.resync('crossed');
    news();
    sync.onSnapshot({ id: 7 });
    clock.advanceTo(999);
    expect(news()).toEqual([]);
    clock.advanceTo(1_000);
    sync.onSnapshot({ id: 8 });
    expect(news()).toEqual(['request', 'snapshot 8', 'live']);
  });

  it('by a diff that cannot be applied: the book is not live with that diff missing', () => {
    const run = startSync({
      applyDiff(diff) {
        if (diff[1] === 7) run.sync.resync('off_grid');
        else run.log.push(`diff ${diff.join('-')}`);
      },
    });
    run.sync.onSnapshot({ id: 5 });
    run.sync.onDiff([6, 6]);
    run.news();
    run.sync.onDiff([7, 7]);
    run.sync.onDiff([8, 8]);
    expect(run.news()).toEqual(['lost: off_grid', 'request']);
    run.sync.onSnapshot({ id: 7 });
    expect(run.news()).toEqual(['snapshot 7', 'diff 8-8', 'live']);
  });

  it('by the first diff after the snapshot: it does not go live on the way out', () => {
    const run = startSync({ applyDiff: () => run.sync.resync('off_grid') });
    run.sync.onSnapshot({ id: 5 });
    run.sync.onDiff([6, 6]);
    expect(run.news()).toEqual(['request', 'snapshot 5', 'lost: off_grid', 'request']);
  });

  it('by a diff among those held: the later ones wait for the next snapshot', () => {
    const run = startSync({
      applyDiff(diff) {
        if (diff[1] === 2) run.sync.resync('off_grid');
        else run.log.push(`diff ${diff.join('-')}`);
      },
    });
    for (const id of [1, 2, 3, 4]) run.sync.onDiff([id, id]);
    run.news();
    run.sync.onSnapshot({ id: 0 });
    expect(run.news()).toEqual(['snapshot 0', 'diff 1-1', 'lost: off_grid', 'request']);
    run.sync.onSnapshot({ id: 2 });
    expect(run.news()).toEqual(['snapshot 2', 'diff 3-3', 'diff 4-4', 'live']);
  });

  it('by whoever hears that it is live', () => {
    let count = 0;
    const run = startSync({
      live() {
        run.log.push('live');
        count += 1;
        if (count === 1) run.sync.resync('crossed');
      },
    });
    run.sync.onDiff([1, 1]);
    run.sync.onDiff([2, 2]);
    run.news();
    run.sync.onSnapshot({ id: 0 });
    expect(run.news()).toEqual(['snapshot 0', 'diff 1-1', 'diff 2-2', 'live', 'lost: crossed', 'request']);
    run.sync.onSnapshot({ id: 2 });
    expect(run.news()).toEqual(['snapshot 2', 'live']);
  });

  it('by whoever applies the snapshot', () => {
    let count = 0;
    const run = startSync({
      applySnapshot({ id }) {
        run.log.push(`snapshot ${id}`);
        count += 1;
        if (count === 1) run.sync.resync('crossed');
      },
    });
    run.sync.onDiff([1, 1]);
    run.sync.onSnapshot({ id: 1 });
    expect(run.news()).toEqual(['request', 'snapshot 1', 'lost: crossed', 'request']);
    run.clock.advanceTo(60_000);
    expect(run.news()).toEqual([]);
    run.sync.onSnapshot({ id: 1 });
    expect(run.news()).toEqual(['snapshot 1', 'live']);
  });
});

describe('BookSync, when a snapshot is of no use', () => {
  it('lets the error through and counts the snapshot as not had', () => {
    let isBroken = true;
    const run = startSync({
      applySnapshot({ id }) {
        if (isBroken) throw new Error('broken');
        run.log.push(`snapshot ${id}`);
      },
    });
    run.sync.onDiff([1, 1]);
    expect(() => run.sync.onSnapshot({ id: 0 })).toThrow('broken');
    run.sync.onSnapshotFailed(null);
    run.sync.onDiff([2, 2]);
    run.news();
    run.clock.advanceTo(1_000);
    expect(run.news()).toEqual(['request']);
    isBroken = false;
    run.sync.onSnapshot({ id: 0 });
    expect(run.news()).toEqual(['snapshot 0', 'diff 1-1', 'diff 2-2', 'live']);
  });

  it('can be answered before the request returns', () => {
    const clock = new VirtualClock(0);
    const answering: BookSync<Diff, Snapshot> = new BookSync<Diff, Snapshot>(sequencer, clock, {
      requestSnapshot: () => answering.onSnapshotFailed(null),
      applySnapshot: () => {},
      applyDiff: () => {},
      live: () => {},
      doubted: () => {},
      lost: () => {},
      link: () => {},
      gap: () => {},
    });
    answering.start();
    for (const waitMs of [1_000, 2_000, 4_000]) expect(advance(clock)).toBe(waitMs);
  });
});

function advance(clock: VirtualClock): number {
  const before = clock.now();
  clock.advanceTo(clock.nextDueMs()!);
  return clock.now() - before;
}

describe('BookSync, when a diff may have been missed', () => {
  function startLive() {
    const run = startSync();
    run.sync.onSnapshot({ id: 5 });
    run.sync.onDiff([6, 6]);
    run.news();
    return run;
  }

  it('does not trust the book until the next diff proves that none is missing', () => {
    const { sync, clock, news } = startLive();
    sync.doubt('unreadable');
    sync.doubt('unreadable again');
    expect(news()).toEqual(['doubted: unreadable']);
    sync.onDiff([6, 6]); // proves nothing: it came before
    expect(news()).toEqual([]);
    sync.onDiff([7, 7]);
    expect(news()).toEqual(['diff 7-7', 'live']);
    clock.advanceTo(60_000);
    expect(news()).toEqual([]);
  });

  it('takes it anew where the next diff shows that one is', () => {
    const { sync, news } = startLive();
    sync.doubt('unreadable');
    sync.onDiff([8, 8]);
    expect(news().slice(1)).toEqual(['gap', 'lost: sequence gap: 8-8 after 6-6', 'request']);
    sync.onSnapshot({ id: 8 });
    expect(news()).toEqual(['snapshot 8', 'live']);
  });

  it('takes it anew where no diff comes that could tell', () => {
    const { sync, clock, news } = startLive();
    sync.doubt('unreadable');
    news();
    clock.advanceTo(4_999);
    expect(news()).toEqual([]);
    clock.advanceTo(5_000);
    expect(news()).toEqual(['lost: unreadable', 'request']);
  });

  it('does not take silence after the snapshot for a proof', () => {
    const { sync, clock, news } = startSync();
    sync.onSnapshot({ id: 5 });
    sync.doubt('unreadable');
    news();
    clock.advanceTo(5_000);
    expect(news()).toEqual(['lost: unreadable', 'request']);
    sync.onSnapshot({ id: 7 });
    sync.onDiff([8, 8]);
    expect(news()).toEqual(['snapshot 7', 'diff 8-8', 'live']);
  });

  it('checks a book that was live by silence against its first diff', () => {
    const { sync, clock, news } = startSync();
    sync.onSnapshot({ id: 5 });
    clock.advanceTo(5_000);
    news();
    sync.doubt('unreadable');
    expect(news()).toEqual(['doubted: unreadable']);
    sync.onDiff([6, 6]);
    expect(news()).toEqual(['diff 6-6', 'live']);
  });

  it('has nothing to doubt while there is no book', () => {
    const { sync, clock, news } = startSync();
    sync.doubt('unreadable');
    sync.stop();
    sync.doubt('unreadable');
    clock.advanceTo(60_000);
    expect(news()).toEqual(['request']);
  });
});
