import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Trade } from '@depthwire/shared';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { batchOf, testSeries, trade } from '../../../test/history-batches.ts';
import { launchPostgres, postgresPath, type Postgres } from '../../../test/launch-postgres.ts';
import { startPostgres } from '../../../test/postgres.ts';
import { openStore } from '../../../test/stores.ts';
import { CandleSeries } from '../../engine/candles.ts';
import { createHistoryStore } from './create-store.ts';
import { storedIntervals, type HistoryBatch } from './store.ts';
import { BLOCK_TRADES } from './trade-blocks.ts';

const START_MS = 1_700_006_400_000;
const DAY_MS = 86_400_000;
/** Only ends a test that has failed. */
const PATIENT = { timeout: 20_000, interval: 50 };
const series = testSeries();
const reasonOf = (reason: string) => ({ code: 'history_unavailable', details: { reason } });

describe.skipIf(postgresPath === null)('history in PostgreSQL', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await launchPostgres();
  });
  afterAll(() => postgres.remove());

  test('is opened by several processes at once', async () => {
    const fresh = await startPostgres();
    const stores = await Promise.all(
      Array.from({ length: 5 }, () => openStore({ store: 'postgres', url: fresh.url })),
    );
    await Promise.all(
      stores.map((store, index) =>
        store.write([batchOf([trade('same', START_MS), trade(index, START_MS + index * DAY_MS)])]),
      ),
    );
    const ids = (await stores[0]!.trades(series, { direction: 'from', limit: 100 })).map(({ id }) => id);
    expect(ids.map(String).sort()).toEqual(['0', '1', '2', '3', '4', 'same']);
  });

  test('has each trade once, and candles of it, whoever of two writes it and when', async () => {
    const first = await openStore({ store: 'postgres', url: postgres.url });
    const second = await openStore({ store: 'postgres', url: postgres.url });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 6 }),
        fc.scheduler(),
        async (seconds, sizes, scheduler) => {
          const keys = [testSeries(`test:A${++run}-USD`), testSeries(`test:B${run}-USD`)];
          const trades = seconds
            .sort((a, b) => a - b)
            .map((second, index) =>
              trade(index, START_MS + second * 1_000, 1 + ((index * 7) % 50), 1 + index),
            );
          // Both feeds bring the same in the same order, cut differently; neither waits for the other.
          const write = async (store: typeof first, from: number) => {
            const left = [...trades];
            for (let index = from; left.length > 0; index++) {
              const part = left.splice(0, sizes[index % sizes.length]);
              const batches: HistoryBatch[] = keys.map((key) => batchOf(part, { series: key }));
              await scheduler.schedule(Promise.resolve());
              await store.write(index % 2 === 0 ? batches : batches.reverse());
            }
          };
          const both = Promise.all([write(first, 0), write(second, 1)]);
          await scheduler.waitFor(both);
          for (const key of keys) {
            const stored = await first.trades(key, { direction: 'from', limit: 1_000 });
            expect(stored.map(({ id }) => id)).toEqual(trades.map(({ id }) => id));
            for (const interval of storedIntervals)
              expect(await second.candles(key, interval, 1_000, Infinity)).toEqual(
                candlesOf(trades, interval),
              );
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  test('pages trades so that each is seen once where few are left of each of many blocks', async () => {
    const store = await openStore({ store: 'postgres', url: postgres.url });
    const key = testSeries('test:SPARSE-USD');
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    onTestFinished(() => client.end());
    const ids = Array.from({ length: 140 }, (_, id) => id);
    for (const id of ids) {
      await store.write([batchOf([trade(id, START_MS + id)], { series: key })]);
      // The next one is the last of the next block.
      await client.query('UPDATE depthwire.series SET last_number = $1 WHERE instrument = $2', [
        (id + 2) * BLOCK_TRADES - 2,
        key.instrument,
      ]);
    }
    for (const direction of ['before', 'from'] as const)
      expect((await store.trades(key, { direction, limit: 1_000 })).map(({ id }) => id)).toEqual(ids);
  });

  test('is away while the server is, and goes on by itself', async () => {
    const own = await startPostgres();
    const store = await openStore({ store: 'postgres', url: own.url });
    let count = 0;
    const write = () =>
      store.write([batchOf([trade(count, START_MS + count * 1_000)])]).then(() => (count += 1));
    await write();
    for (const end of [() => own.stop('immediate'), () => own.kill(), () => own.stop('fast')]) {
      await end();
      await expect(write()).rejects.toMatchObject({ code: 'history_unavailable' });
      await expect(store.heardUntil(series)).rejects.toMatchObject({ code: 'history_unavailable' });
      await own.restart();
      await write();
      expect(await store.candles(series, '1d', 1, Infinity)).toMatchObject([{ trades: count }]);
    }
  });

  test('has a batch that was cut off wholly or not at all', async () => {
    const own = await startPostgres({ isUnsafe: false });
    const store = await openStore({ store: 'postgres', url: own.url });
    const trades = Array.from({ length: 3_000 }, (_, i) => trade(i, START_MS + i * 100));
    let sent = 0;
    for (let round = 0; round < 4; round++) {
      const part = trades.slice(sent, sent + 700);
      const written = store.write([batchOf(part)]).then(
        () => true,
        () => false,
      );
      await own.stop('immediate');
      const isAnswered = await written;
      await own.restart();
      const before = (await store.trades(series, { direction: 'from', limit: 10_000 })).length;
      expect(isAnswered ? [sent + 700] : [sent, sent + 700]).toContain(before);
      await store.write([batchOf(part)]); // as whoever got no answer does
      sent += part.length;
      expect(await store.candles(series, '1d', 1, Infinity)).toMatchObject([{ trades: sent }]);
    }
  });

  test('does not wait for a writer that was cut off in the midst of a batch longer than it may', async () => {
    const store = await openStore({ store: 'postgres', url: postgres.url });
    const key = testSeries('test:HELD-USD');
    await store.write([batchOf([trade(1, START_MS)], { series: key })]);
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('BEGIN');
    await client.query('SELECT FROM depthwire.series FOR UPDATE');
    await expect(store.write([batchOf([trade(2, START_MS)], { series: key })])).rejects.toMatchObject({
      code: 'history_unavailable',
    });
    // whoever reads waits for nobody
    expect(await store.candles(key, '1m', 1, Infinity)).toMatchObject([{ trades: 1 }]);
    await client.query('ROLLBACK');
    expect(await store.write([batchOf([trade(2, START_MS)], { series: key })])).toMatchObject({ trades: 1 });
  });

  test('has parts of tables by day, made ahead, and dropped by whoever prunes', async () => {
    const own = await startPostgres();
    const store = await openStore({ store: 'postgres', url: own.url });
    const other = await openStore({ store: 'postgres', url: own.url });
    await store.write([batchOf([trade(1, START_MS)])]);
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    onTestFinished(() => client.end());
    const parts = async () =>
      (
        await client.query<{ name: string }>(
          "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'depthwire.trades'::regclass ORDER BY 1",
        )
      ).rows.map(({ name }) => name);
    const day = START_MS / DAY_MS;
    expect(await parts()).toEqual([`depthwire.trades_p${day}`, `depthwire.trades_p${day + 1}`]);
    const years = 100_000 * DAY_MS;
    const retention = {
      tradesMs: DAY_MS,
      columnsMs: DAY_MS,
      candlesMs: { '1s': DAY_MS, '1m': years, '1h': years, '1d': years },
    };
    expect(await other.prune(START_MS + 2 * DAY_MS, retention)).toBe(false);
    expect(await parts()).toEqual([`depthwire.trades_p${day + 1}`]);
    // it believes that its parts are still there
    await store.write([batchOf([trade(2, START_MS + 1)])]);
    expect(await parts()).toEqual([`depthwire.trades_p${day}`, `depthwire.trades_p${day + 1}`]);
    expect(await other.candles(series, '1m', 9, Infinity)).toMatchObject([{ trades: 2 }]);
  });

  test('says what to do about a wrong address, and never the password', async () => {
    const open = async (change: (url: URL) => void) => {
      const url = new URL(postgres.url);
      url.password = 'secret';
      change(url);
      const store = createHistoryStore({ store: 'postgres', url: url.href });
      onTestFinished(() => store.close());
      return store.open().catch((error: unknown) => error);
    };
    const noDatabase = await open((url) => (url.pathname = '/nowhere'));
    expect(noDatabase).toMatchObject(reasonOf('refused'));
    expect(String(noDatabase)).toContain('Create the database');
    const noUser = await open((url) => (url.username = 'nobody'));
    expect(noUser).toMatchObject(reasonOf('refused'));
    const nobody = await open((url) => (url.port = '1'));
    expect(nobody).toMatchObject(reasonOf('away'));
    for (const error of [noDatabase, noUser, nobody]) expect(String(error)).not.toContain('secret');
  });

  test('goes on once a server that took its place takes connections, and then changes', async () => {
    const own = await startPostgres();
    const store = await openStore({ store: 'postgres', url: own.url });
    await store.write([batchOf([trade(1, START_MS)])]);
    const write = () => store.write([batchOf([trade(2, START_MS + 1_000)])]);
    await own.restart('closed');
    // What was connected to the server of before finds out first.
    await vi.waitFor(
      () =>
        expect(write()).rejects.toMatchObject({
          ...reasonOf('away'),
          message: expect.stringContaining('the database system is not accepting connections') as unknown,
        }),
      PATIENT,
    );
    await own.restart('readable');
    await vi.waitFor(
      () =>
        expect(write()).rejects.toMatchObject({
          ...reasonOf('away'),
          message: expect.stringContaining('is a standby: promote it') as unknown,
        }),
      PATIENT,
    );
    // Whoever only reads has all that it has; a process that starts now, too.
    const reader = await openStore({ store: 'postgres', url: own.url });
    for (const each of [store, reader])
      expect(await each.candles(series, '1m', 9, Infinity)).toMatchObject([{ trades: 1 }]);
    await own.promote();
    await vi.waitFor(write, PATIENT);
    expect(await reader.candles(series, '1m', 9, Infinity)).toMatchObject([{ trades: 2 }]);
  });

  test('is read by a role that may do nothing else, whoever makes parts of tables later', async () => {
    const own = await startPostgres();
    // As docs/operating.md has it.
    const grants = `
      CREATE ROLE depthwire LOGIN;
      CREATE ROLE depthwire_reader LOGIN;
      CREATE SCHEMA depthwire AUTHORIZATION depthwire;
      GRANT USAGE ON SCHEMA depthwire TO depthwire_reader;
      ALTER DEFAULT PRIVILEGES FOR ROLE depthwire IN SCHEMA depthwire GRANT SELECT ON TABLES TO depthwire_reader;`;
    await own.run('psql', ['-qX', '-d', own.url, '-v', 'ON_ERROR_STOP=1', '-c', grants]);
    const urlOf = (user: string) => own.url.replace('tester', user);
    const early = createHistoryStore({ store: 'postgres', url: urlOf('depthwire_reader') });
    onTestFinished(() => early.close());
    await expect(early.open()).rejects.toMatchObject({
      ...reasonOf('refused'),
      message: expect.stringContaining('start one before gateways') as unknown,
    });
    const writer = await openStore({ store: 'postgres', url: urlOf('depthwire') });
    await early.open();
    const column = { time: START_MS, step: 1, data: new Uint8Array([1, 2]) };
    const heard = { fromMs: START_MS, toMs: START_MS + 60_000 };
    await writer.write([batchOf([trade(1, START_MS)], { columns: [column], heard })]);
    await writer.write([batchOf([trade(2, START_MS + 40 * DAY_MS)])]);
    const reader = await openStore({ store: 'postgres', url: urlOf('depthwire_reader') });
    for (const store of [early, reader]) {
      expect(await store.trades(series, { direction: 'from', limit: 9 })).toHaveLength(2);
      expect(await store.candles(series, '1m', 9, Infinity)).toHaveLength(2);
      expect(await store.candles(series, '4h', 9, Infinity)).toHaveLength(2);
      expect(await store.columns(series, heard, { limit: 9, isNewest: true })).toHaveLength(1);
      expect(await store.heardUntil(series)).toBe(heard.toMs);
      expect(await store.holes(series, heard)).toEqual([]);
      expect(await store.numberOf(series, 2)).toBe(await writer.numberOf(series, 2));
      expect((await store.figures()).bytes).toBeGreaterThan(0);
      await expect(store.write([batchOf([trade(3, START_MS)])])).rejects.toMatchObject(reasonOf('refused'));
    }
  });

  test('goes on in a database that it was dumped and restored into', async () => {
    const own = await startPostgres();
    const first = await openStore({ store: 'postgres', url: own.url });
    await first.write([batchOf([trade(1, START_MS), trade(2, START_MS + 1)])]);
    await first.close();
    // As docs/operating.md has it.
    const dump = join(tmpdir(), `depthwire-${own.port}.dump`);
    onTestFinished(() => rm(dump, { force: true }));
    const restored = own.url.replace(/postgres$/, 'restored');
    await own.run('pg_dump', ['-Fc', '-n', 'depthwire', '-f', dump, own.url]);
    await own.run('createdb', ['--maintenance-db', own.url, 'restored']);
    await own.run('pg_restore', ['-d', restored, dump]);
    const second = await openStore({ store: 'postgres', url: restored });
    expect(await second.write([batchOf([trade(2, START_MS + 1), trade(3, START_MS + 2)])])).toEqual({
      trades: 1,
      duplicates: 1,
    });
    // An instrument that is new there, and a day that has no part yet.
    const other = testSeries('test:NEW-USD');
    await second.write([batchOf([trade(1, START_MS + 9 * DAY_MS)], { series: other })]);
    expect(await second.candles(series, '1d', 9, Infinity)).toMatchObject([{ trades: 3 }]);
    expect(await second.candles(other, '1d', 9, Infinity)).toMatchObject([{ trades: 1 }]);
  });

  test('is refused where a newer Depthwire made it', async () => {
    const own = await startPostgres();
    const store = await openStore({ store: 'postgres', url: own.url });
    await store.close();
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('UPDATE depthwire.version SET version = 99');
    await expect(store.open()).rejects.toMatchObject(reasonOf('newer_schema'));
  });
});

function candlesOf(trades: readonly Trade[], interval: (typeof storedIntervals)[number]) {
  const candles = new CandleSeries(interval);
  for (const { timeMs, price, size } of trades) candles.add(timeMs, price, size);
  return candles.all;
}
