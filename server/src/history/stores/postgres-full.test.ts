import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { ScriptedFeed } from '../../../test/markets.ts';
import { postgresOwner, postgresPath, startPostgres, type Postgres } from '../../../test/postgres.ts';
import { serveFeeds } from '../../../test/server.ts';
import { canMount, mountSmallDisk, type SmallDisk } from '../../../test/small-disk.ts';
import { openStore } from '../../../test/stores.ts';
import { testSeries } from '../../../test/history-batches.ts';

/** Only ends a test that has failed. */
const PATIENT = { timeout: 40_000, interval: 50 };
const TEST_MS = 120_000;
/** Of trades, until they do not fit into what its files have. */
const MANY = 200;
const ID = 'test:AAA-USD';

interface Health {
  readonly history: {
    readonly state: string;
    readonly reason: string | null;
    readonly waitingTrades: number;
  };
  readonly books: { readonly live: number };
}

/** What is stored of one market, while the disk has no room and after it has. */
async function fillWhileTrading(
  postgres: Postgres,
  disk: SmallDisk,
  reason: RegExp,
  mend: () => Promise<void>,
): Promise<void> {
  const feed = new ScriptedFeed();
  const history = { store: 'postgres', url: postgres.url };
  const { get, depthwire } = await serveFeeds([feed], { history });
  feed.snapshot([100, 5], [101, 4]);
  feed.state('live');
  let id = 0;
  const trade = (count: number) => {
    for (let i = 0; i < count; i++) feed.trade(100, 1, ++id);
  };
  const health = async () => (await get('/api/v1/health')).body as Health;
  trade(5);
  await vi.waitFor(async () => {
    expect((await health()).history).toMatchObject({ state: 'writing', waitingTrades: 0 });
  }, PATIENT);

  await disk.fill();
  await vi.waitFor(async () => {
    trade(MANY);
    expect((await health()).history.state).toBe('away');
  }, PATIENT);
  feed.delta([100, 7], []);
  trade(10);
  const { books, history: told } = await health();
  expect(books.live).toBe(1);
  expect(told.reason).toMatch(reason);
  expect(told.waitingTrades).toBeGreaterThan(0);
  expect(depthwire.source.markets.get(ID)!.book.bids.lotsAt(0)).toBe(7);
  expect((await get(`/api/v1/instruments/${ID}/candles?interval=1d`)).body).toMatchObject({
    candles: [[expect.anything(), '1.00', '1.00', '1.00', '1.00', expect.anything(), id]],
  });

  await disk.makeRoom();
  await mend();
  trade(5);
  await vi.waitFor(async () => {
    expect((await health()).history).toMatchObject({ state: 'writing', reason: null, waitingTrades: 0 });
  }, PATIENT);
  const store = await openStore({ store: 'postgres', url: postgres.url });
  const stored: unknown[] = [];
  for (let from = 0; ;) {
    const page = await store.trades(testSeries(ID), { direction: 'from', number: from, limit: 10_000 });
    if (page.length === 0) break;
    stored.push(...page.map((each) => each.id));
    from = page.at(-1)!.number + 1;
  }
  expect(stored).toEqual(Array.from({ length: id }, (_, i) => i + 1));
  const days = await store.candles(testSeries(ID), '1d', 9, Infinity);
  expect(days.reduce((sum, { trades }) => sum + trades, 0)).toBe(id);
}

describe.skipIf(postgresPath === null || !canMount)('PostgreSQL whose disk is full', () => {
  test(
    'refuses what it has no room for: live data goes on, and all of it is written once there is room',
    async () => {
      const disk = mountSmallDisk(6, postgresOwner());
      const postgres = await startPostgres();
      for (const sql of [
        `CREATE TABLESPACE small LOCATION '${disk.folder}'`,
        'ALTER ROLE tester SET default_tablespace = small',
      ])
        await postgres.run('psql', ['-qX', '-d', postgres.url, '-c', sql]);
      await fillWhileTrading(postgres, disk, /disk of the database is full: make room/, () =>
        Promise.resolve(),
      );
    },
    TEST_MS,
  );

  test(
    'has no room for its log of changes: all of it is written once there is room and it is started again',
    async () => {
      const disk = mountSmallDisk(12, postgresOwner());
      const postgres = await startPostgres({
        initdb: ['--waldir', join(disk.folder, 'wal'), '--wal-segsize=1'],
        settings: ['min_wal_size=2MB', 'max_wal_size=4MB', 'wal_recycle=off'],
      });
      await fillWhileTrading(postgres, disk, /PostgreSQL at/, async () => {
        await postgres.restart();
      });
    },
    TEST_MS,
  );
});
