import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import {
  candleIntervals,
  DepthwireError,
  type Candle,
  type CandleInterval,
  type Trade,
} from '@depthwire/shared';
import pg from 'pg';
import {
  BLOCK_MS,
  blockTimeOf,
  mergeColumns,
  packColumns,
  selectColumns,
  unpackColumns,
} from './column-block.ts';
import { migrate, Partitions } from './postgres-schema.ts';
import { aggregate, baseQuery, CandleFold, openTimeOf, type NewestTimes } from './rollup.ts';
import {
  holesIn,
  knownCandles,
  madeOfMinutes,
  spanKinds,
  wholeBound,
  wholeSpan,
  type SpanKind,
} from './spans.ts';
import {
  MAX_ROWS,
  SAME_TRADE_MS,
  storedIntervals,
  type HistoryBatch,
  type HistoryStore,
  type Hole,
  type Retention,
  type SeriesKey,
  type Span,
  type StoredColumn,
  type StoredInterval,
  type StoredTrade,
  type TradesQuery,
  type WriteResult,
} from './store.ts';
import { addToBlocks, BLOCK_TRADES, PRUNE_LATE_MS, tradeBlockOf, type TradeBlock } from './trade-blocks.ts';
import { checkRows, rowsOf, unavailable, type UnavailableReason } from './unavailable.ts';

/** Of one process. */
const MAX_CONNECTIONS = 6;
/** Questions that wait for one of them. */
const MAX_WAITING = 256;
const CONNECT_TIMEOUT_MS = 5_000;
/** The server gives up a question first, and then this process, for a network that is cut. */
const STATEMENT_TIMEOUT_MS = 8_000;
const QUERY_TIMEOUT_MS = 10_000;
/** Whoever else holds a series holds it for one batch. */
const LOCK_TIMEOUT_MS = 3_000;
/** A process that was cut off in the midst of a batch lets go of its series. */
const IDLE_IN_TRANSACTION_MS = 10_000;
/** Rows of `trade_blocks`, or of `column_blocks`, that are read at once. */
const BLOCKS_AT_ONCE = 64;
/** Rows of blocks and tails that one call of `prune` deletes. */
const MAX_PRUNED = 5_000;
/** Of PostgreSQL: a row for which no part of its table is there. */
const NO_PARTITION = '23514';
/** A database that was replaced or restored without ours: no table, no schema. */
const NO_TABLES: ReadonlySet<string> = new Set(['42P01', '3F000']);
const INT8 = 20;
const DEFLATE = { level: 1 };

const deflate = promisify<Uint8Array, { level: number }, Buffer>(deflateRaw);
const inflate = promisify<Uint8Array, Buffer>(inflateRaw);

type Series = { readonly id: number; readonly last_number: number } & {
  readonly [K in `newest_${StoredInterval}`]: number | null;
};
interface CandleRow extends Candle {
  readonly series: number;
}

/** What one series brings, all its batches together. */
interface Work {
  readonly trades: Trade[];
  readonly heard: Span[];
  readonly columns: StoredColumn[];
}

/**
 * Stored history in PostgreSQL, for several machines. Several processes may write the same series at once: who writes holds the
 * rows of its series, in the order of their ids, and looks first which trades are there; so none is stored or counted twice.
 */
export class PostgresStore implements HistoryStore {
  readonly kind = 'postgres';
  readonly isBusy = false;
  readonly #url: string;
  readonly #partitions = new Partitions();
  readonly #ids = new Map<string, number>();
  /** Where the block begins that the columns of a series still go into one by one. */
  readonly #openBlocks = new Map<number, number>();
  #pool: pg.Pool | null = null;
  #isOpen = false;

  constructor(url: string) {
    this.#url = url;
  }

  /** Again where the tables turned out to be gone. */
  async open(): Promise<void> {
    if (this.#isOpen) return;
    this.#pool ??= this.#createPool();
    await this.#withClient(migrate);
    this.#isOpen = true;
  }

  async write(batches: readonly HistoryBatch[]): Promise<WriteResult> {
    checkRows(rowsOf(batches));
    const ids = await this.#seriesFor(batches.map(({ series }) => series));
    const works = new Map<number, Work>();
    for (const [index, { trades, heard, columns }] of batches.entries()) {
      const id = ids[index]!;
      let work = works.get(id);
      if (!work) works.set(id, (work = { trades: [], heard: [], columns: [] }));
      for (const trade of trades) work.trades.push(trade);
      if (heard) work.heard.push(wholeSpan(heard));
      for (const column of columns) work.columns.push(column);
    }
    if (works.size === 0) {
      this.#connected();
      return { trades: 0, duplicates: 0 };
    }
    const trades = [...works.values()].flatMap((work) => work.trades);
    const columnTimes = [...works].flatMap(([id, { columns }]) =>
      columns.map(({ time }) => blockTimeOf(id, time)),
    );
    const needed = {
      trades: trades.map(({ timeMs }) => timeMs),
      column_blocks: columnTimes,
      ...Object.fromEntries(
        storedIntervals.map((interval) => [
          `candles_${interval}`,
          trades.map(({ timeMs }) => openTimeOf(timeMs / 1_000, candleIntervals[interval])),
        ]),
      ),
    };
    return this.#changing(needed, async (client) => {
      const states = await lockSeries(client, [...works.keys()]);
      const result = await addTrades(client, states, works);
      const heard = [...works].flatMap(([id, work]) => work.heard.map((span) => ({ id, span })));
      await addSpans(client, spanKinds.heard, heard);
      const openBlocks = await this.#addColumns(client, works);
      return { result, openBlocks };
    }).then(({ result, openBlocks }) => {
      for (const [id, time] of openBlocks) this.#openBlocks.set(id, time);
      return result;
    });
  }

  async putCandles(
    series: SeriesKey,
    interval: StoredInterval,
    candles: readonly Candle[],
    span?: Span,
  ): Promise<void> {
    checkRows(candles.length);
    const first = candles[0];
    const lengthS = candleIntervals[interval];
    span ??= first && { fromMs: first.time * 1_000, toMs: (candles.at(-1)!.time + lengthS) * 1_000 };
    if (!span) return;
    const id = (await this.#seriesFor([series]))[0]!;
    const times = candles.map(({ time }) => time);
    const longer = interval === '1m' ? madeOfMinutes : [];
    const needed = Object.fromEntries(
      [interval, ...longer].map((each) => [
        `candles_${each}`,
        times.map((time) => openTimeOf(time, candleIntervals[each])),
      ]),
    );
    await this.#changing(needed, async (client) => {
      await lockSeries(client, [id]);
      await putCandles(client, interval, withSeries(id, candles));
      if (interval !== '1m') return;
      await addSpans(client, spanKinds.minutes, [{ id, span: wholeSpan(span) }]);
      const known = [
        ...(await spansOf(client, id, spanKinds.heard)),
        ...(await spansOf(client, id, spanKinds.minutes)),
      ];
      for (const each of longer) {
        const made: Candle[] = [];
        for (const time of knownCandles(each, span, known)) {
          const { rows } = await client.query<CandleRow>(
            'SELECT * FROM depthwire.candles_1m WHERE series = $1 AND time >= $2 AND time < $3 ORDER BY time',
            [id, time, time + candleIntervals[each]],
          );
          made.push(...aggregate(rows.map(candleOf), each));
        }
        await putCandles(client, each, withSeries(id, made));
      }
    });
  }

  async candles(
    series: SeriesKey,
    interval: CandleInterval,
    atMost: number,
    beforeS: number,
  ): Promise<Candle[]> {
    const id = await this.#knownSeries(series);
    if (id === null) return [];
    const limit = Math.min(atMost, MAX_ROWS);
    const query = baseQuery(interval, limit, beforeS);
    const base = `SELECT time, open, high, low, close, volume, trades FROM depthwire.candles_${query.base}
      WHERE series = $1 AND time < $2 ORDER BY time DESC LIMIT $3`;
    if (interval === query.base) return (await this.#query<Candle>(base, [id, query.endS, limit])).reverse();
    // Here, not in this process: up to fifteen times as many rows would be read in the thread of live data.
    const rows = await this.#query<Candle>(
      `SELECT time / $4::bigint * $4::bigint AS time, (array_agg(open ORDER BY time))[1] AS open, max(high) AS high, min(low) AS low,
         (array_agg(close ORDER BY time DESC))[1] AS close, least(sum(volume), $5::bigint)::bigint AS volume,
         least(sum(trades), $5::bigint)::bigint AS trades
       FROM (${base}) AS base GROUP BY time / $4::bigint ORDER BY 1 DESC LIMIT $6`,
      [id, query.endS, query.limit, candleIntervals[interval], Number.MAX_SAFE_INTEGER, limit],
    );
    return rows.reverse();
  }

  async hasCandlesBefore(series: SeriesKey, interval: CandleInterval, beforeS: number): Promise<boolean> {
    return (await this.candles(series, interval, 1, beforeS)).length > 0;
  }

  async trades(series: SeriesKey, query: TradesQuery): Promise<StoredTrade[]> {
    const id = await this.#knownSeries(series);
    if (id === null) return [];
    const { direction } = query;
    const [after, before] = [Math.floor(query.afterMs ?? -Infinity), query.beforeMs ?? Infinity].map(
      wholeBound,
    ) as [number, number];
    const limit = Math.min(query.limit, MAX_ROWS);
    const isBefore = direction === 'before';
    const order = isBefore ? 'DESC' : 'ASC';
    // From the first one up to the second one, which is not among them.
    let [from, to] = isBefore
      ? [0, query.number ?? Number.MAX_SAFE_INTEGER]
      : [query.number ?? 0, Number.MAX_SAFE_INTEGER];
    const found: StoredTrade[] = [];
    // Block by block: the trades of a time may lie anywhere among the numbers.
    for (;;) {
      const blocks = await this.#query<{ block: number; min_time: number; max_time: number }>(
        `SELECT block, min_time, max_time FROM depthwire.trade_blocks
          WHERE series = $1 AND block BETWEEN $2 AND $3 AND min_time < $4 AND max_time > $5
          ORDER BY block ${order} LIMIT $6`,
        [id, tradeBlockOf(from), tradeBlockOf(to - 1), before, after, BLOCKS_AT_ONCE],
      );
      for (const { block, min_time, max_time } of blocks) {
        const first = block * BLOCK_TRADES;
        const rows = await this.#query<TradeRow>(
          `SELECT number, id, price, size, is_sell, time FROM depthwire.trades
            WHERE series = $1 AND number >= $2 AND number < $3 AND time > $4 AND time < $5
            ORDER BY number ${order} LIMIT $6`,
          [
            id,
            Math.max(from, first),
            Math.min(to, first + BLOCK_TRADES),
            Math.max(after, min_time - 1),
            Math.min(before, max_time + 1),
            limit - found.length,
          ],
        );
        for (const row of rows) found.push(tradeOf(row));
        if (found.length >= limit) break;
      }
      if (found.length >= limit || blocks.length < BLOCKS_AT_ONCE) break;
      const last = blocks.at(-1)!.block;
      if (isBefore) to = last * BLOCK_TRADES;
      else from = (last + 1) * BLOCK_TRADES;
    }
    return isBefore ? found.reverse() : found;
  }

  async numberOf(series: SeriesKey, id: Trade['id']): Promise<number | null> {
    const known = await this.#knownSeries(series);
    if (known === null) return null;
    const rows = await this.#query<{ number: number | null }>(
      'SELECT max(number) AS number FROM depthwire.trades WHERE series = $1 AND id = $2',
      [known, textOf(id)],
    );
    return rows[0]!.number;
  }

  async holes(series: SeriesKey, span: Span): Promise<Hole[]> {
    const id = await this.#knownSeries(series);
    if (id === null) return [];
    return this.#withClient(async (client) =>
      holesIn(await spansOf(client, id, spanKinds.heard), await spansOf(client, id, spanKinds.filled), span),
    );
  }

  async fillHole(series: SeriesKey, span: Span): Promise<void> {
    const id = (await this.#seriesFor([series]))[0]!;
    await this.#changing({}, async (client) => {
      await lockSeries(client, [id]);
      await addSpans(client, spanKinds.filled, [{ id, span: wholeSpan(span) }]);
    });
  }

  async disbelieve(series: SeriesKey, fromMs: number): Promise<void> {
    const id = (await this.#seriesFor([series]))[0]!;
    const of = [id, spanKinds.heard, wholeBound(fromMs)];
    await this.#changing({}, async (client) => {
      await lockSeries(client, [id]);
      await client.query('DELETE FROM depthwire.spans WHERE series = $1 AND kind = $2 AND from_ms >= $3', of);
      await client.query(
        'UPDATE depthwire.spans SET to_ms = $3 WHERE series = $1 AND kind = $2 AND to_ms > $3',
        of,
      );
    });
  }

  async heardUntil(series: SeriesKey): Promise<number | null> {
    const id = await this.#knownSeries(series);
    if (id === null) return null;
    const rows = await this.#query<{ until: number | null }>(
      'SELECT max(to_ms) AS until FROM depthwire.spans WHERE series = $1 AND kind = $2',
      [id, spanKinds.heard],
    );
    return rows[0]!.until;
  }

  async columns(
    series: SeriesKey,
    span: Span,
    options: { readonly limit: number; readonly isNewest: boolean },
  ): Promise<StoredColumn[]> {
    const id = await this.#knownSeries(series);
    if (id === null) return [];
    const wanted = { ...options, limit: Math.min(options.limit, MAX_ROWS) };
    let to = wholeBound(span.toMs);
    let from = blockTimeOf(id, wholeBound(span.fromMs));
    // The tail first: what goes from it into a block meanwhile is in both, and not in neither.
    const tail = await this.#query<StoredColumn>(
      'SELECT time, step, data FROM depthwire.column_tail WHERE series = $1 AND time < $2 ORDER BY time',
      [id, to],
    );
    const packed: StoredColumn[] = [];
    for (;;) {
      const blocks = await this.#query<{ time: number; data: Buffer }>(
        `SELECT time, data FROM depthwire.column_blocks WHERE series = $1 AND time >= $2 AND time < $3
          ORDER BY time ${options.isNewest ? 'DESC' : 'ASC'} LIMIT $4`,
        [id, from, to, BLOCKS_AT_ONCE],
      );
      const unpacked = await Promise.all(blocks.map(({ data }) => unpackBlock(data)));
      if (options.isNewest) packed.unshift(...unpacked.reverse().flat());
      else packed.push(...unpacked.flat());
      if (blocks.length < BLOCKS_AT_ONCE || selectColumns(packed, span, wanted).length >= wanted.limit) break;
      if (options.isNewest) to = blocks.at(-1)!.time;
      else from = blocks.at(-1)!.time + 1;
    }
    const own = tail.map(({ time, step, data }) => ({
      time,
      step,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    }));
    return selectColumns(mergeColumns(packed, own), span, wanted);
  }

  async prune(timeMs: number, { tradesMs, columnsMs, candlesMs }: Retention): Promise<boolean> {
    const nowMs = Math.floor(timeMs);
    const secondsOf = (interval: StoredInterval) => Math.floor((nowMs - candlesMs[interval]) / 1_000);
    const minutesMs = nowMs - candlesMs['1m'];
    return this.#withClient(async (client) => {
      // What is known of minutes ends where the minutes do. The newest span stays, for heardUntil.
      await client.query(
        `DELETE FROM depthwire.spans AS old WHERE to_ms < $1 AND EXISTS (
           SELECT FROM depthwire.spans AS later
            WHERE later.series = old.series AND later.kind = old.kind AND later.from_ms > old.from_ms)`,
        [minutesMs],
      );
      await client.query(
        `UPDATE depthwire.spans AS old SET from_ms = least(to_ms, $1) WHERE from_ms < $1 AND from_ms < to_ms AND NOT EXISTS (
           SELECT FROM depthwire.spans AS other
            WHERE other.series = old.series AND other.kind = old.kind AND other.from_ms > old.from_ms AND other.from_ms <= least(old.to_ms, $1))`,
        [minutesMs],
      );
      const blocks = await client.query(
        `DELETE FROM depthwire.trade_blocks WHERE (series, block) IN (
           SELECT series, block FROM depthwire.trade_blocks WHERE max_time < $1 LIMIT $2)`,
        [nowMs - tradesMs - PRUNE_LATE_MS - candleIntervals['1d'] * 1_000, MAX_PRUNED],
      );
      const tail = await client.query(
        `DELETE FROM depthwire.column_tail WHERE (series, time) IN (
           SELECT series, time FROM depthwire.column_tail WHERE time < $1 LIMIT $2)`,
        [nowMs - columnsMs, MAX_PRUNED],
      );
      const hasMore = await this.#partitions.drop(client, {
        trades: nowMs - tradesMs,
        column_blocks: nowMs - columnsMs - BLOCK_MS,
        candles_1s: secondsOf('1s'),
        candles_1m: secondsOf('1m'),
        candles_1h: secondsOf('1h'),
        candles_1d: secondsOf('1d'),
      });
      return hasMore || blocks.rowCount === MAX_PRUNED || tail.rowCount === MAX_PRUNED;
    });
  }

  /** Candles as the statistics of the tables have them, which the server renews by itself. */
  async figures(): Promise<{ readonly bytes: number; readonly trades: number; readonly candles: number }> {
    const rows = await this.#query<{ bytes: number; trades: number; candles: number }>(
      `SELECT
         (SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
           WHERE relnamespace = 'depthwire'::regnamespace AND relkind = 'r') AS bytes,
         (SELECT coalesce(sum(trades), 0)::bigint FROM depthwire.trade_blocks) AS trades,
         (SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class
           WHERE relnamespace = 'depthwire'::regnamespace AND relkind = 'r' AND relname LIKE 'candles\\_%') AS candles`,
      [],
    );
    return rows[0]!;
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    this.#isOpen = false;
    this.#forget();
    await pool?.end();
  }

  #createPool(): pg.Pool {
    const pool = new pg.Pool({
      connectionString: this.#url,
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      application_name: 'depthwire',
      keepAlive: true,
      types: {
        getTypeParser: (oid: number, format?: 'text' | 'binary') =>
          oid === INT8 ? Number : (pg.types.getTypeParser(oid, format as 'text') as unknown),
      } as pg.CustomTypesConfig,
    });
    pool.on('error', () => undefined); // one that was idle: the next question connects anew
    return pool;
  }

  /** @throws DepthwireError where it was not opened */
  #connected(): pg.Pool {
    if (!this.#pool || !this.#isOpen) throw unavailable('closed', `${placeOf(this.#url)} is not open`);
    return this.#pool;
  }

  async #query<R extends pg.QueryResultRow>(sql: string, values: readonly unknown[]): Promise<R[]> {
    this.#connected();
    return this.#withClient(async (client) => (await client.query<R>(sql, [...values])).rows);
  }

  /** A connection is given back as it was got, or ended where anything failed: nobody knows what state it is in. */
  async #withClient<T>(action: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const pool = this.#pool;
    if (!pool) throw unavailable('closed', `${placeOf(this.#url)} is not open`);
    if (pool.waitingCount >= MAX_WAITING)
      throw unavailable('overloaded', `${placeOf(this.#url)} has not answered ${MAX_WAITING} questions yet`);
    let client: pg.PoolClient | null = null;
    try {
      client = await pool.connect();
      client.on('error', ignore); // whatever it was waiting for is rejected too
      const result = await action(client);
      client.off('error', ignore);
      client.release();
      return result;
    } catch (error) {
      client?.release(true);
      if (NO_TABLES.has((error as { code?: string }).code ?? '')) {
        this.#forget();
        this.#isOpen = false; // they are made as it is opened
      }
      throw postgresError(error, this.#url);
    }
  }

  /** A transaction, once the parts of tables are there that it needs. */
  async #changing<T>(
    needed: Parameters<Partitions['ensure']>[1],
    action: (client: pg.PoolClient) => Promise<T>,
  ): Promise<T> {
    this.#connected();
    const attempt = () =>
      this.#withClient(async (client) => {
        await this.#partitions.ensure(client, needed);
        await client.query('BEGIN');
        const result = await action(client);
        await client.query('COMMIT');
        return result;
      });
    try {
      return await attempt();
    } catch (error) {
      // A series or a part of a table that this process knew may have been dropped by another since.
      this.#forget();
      if (((error as Error).cause as { code?: string } | undefined)?.code !== NO_PARTITION) throw error;
      return attempt();
    }
  }

  #forget(): void {
    this.#partitions.forget();
    this.#ids.clear();
    this.#openBlocks.clear();
  }

  /** Each column is a row until its block is over; then the block is one. @returns where the open blocks begin now */
  async #addColumns(client: pg.PoolClient, works: ReadonlyMap<number, Work>): Promise<Map<number, number>> {
    const openBlocks = new Map<number, number>();
    const rows = [...works].flatMap(([series, { columns }]) =>
      mergeColumns(columns, []).map((column) => ({ series, ...column })),
    );
    if (rows.length === 0) return openBlocks;
    await client.query(
      `INSERT INTO depthwire.column_tail
         SELECT * FROM unnest($1::int[], $2::bigint[], $3::float8[], $4::bytea[])
         ON CONFLICT (series, time) DO UPDATE SET step = excluded.step, data = excluded.data`,
      [
        rows.map(({ series }) => series),
        rows.map(({ time }) => time),
        rows.map(({ step }) => step),
        rows.map(({ data }) => Buffer.from(data)),
      ],
    );
    const complete: number[] = [];
    for (const [series, { columns }] of works) {
      if (columns.length === 0) continue;
      const newest = columns.reduce((latest, { time }) => Math.max(latest, time), 0);
      const openFrom = Math.max(blockTimeOf(series, newest), this.#openBlocks.get(series) ?? 0);
      openBlocks.set(series, openFrom);
      const hasOlder = columns.some(({ time }) => time < openFrom);
      if (hasOlder || this.#openBlocks.get(series) !== openFrom) complete.push(series);
    }
    if (complete.length === 0) return openBlocks;
    const until = complete.map((series) => openBlocks.get(series)!);
    const { rows: old } = await client.query<StoredColumn & { series: number }>(
      `DELETE FROM depthwire.column_tail AS tail USING unnest($1::int[], $2::bigint[]) AS n (series, until)
        WHERE tail.series = n.series AND tail.time < n.until RETURNING tail.*`,
      [complete, until],
    );
    const blocks = new Map<string, { series: number; time: number; columns: StoredColumn[] }>();
    for (const { series, ...column } of old) {
      const time = blockTimeOf(series, column.time);
      const block = blocks.get(`${series} ${time}`);
      if (block) block.columns.push(column);
      else blocks.set(`${series} ${time}`, { series, time, columns: [column] });
    }
    const packed = [...blocks.values()];
    const keys = [packed.map(({ series }) => series), packed.map(({ time }) => time)];
    const { rows: earlier } = await client.query<{ series: number; time: number; data: Buffer }>(
      `SELECT b.* FROM unnest($1::int[], $2::bigint[]) AS n (series, time)
         JOIN depthwire.column_blocks AS b ON b.series = n.series AND b.time = n.time`,
      keys,
    );
    for (const { series, time, data } of earlier) {
      const block = blocks.get(`${series} ${time}`)!;
      block.columns = mergeColumns(await unpackBlock(data), block.columns);
    }
    const data = await Promise.all(
      packed.map(({ columns }) => deflate(packColumns(mergeColumns(columns, [])), DEFLATE)),
    );
    await client.query(
      `INSERT INTO depthwire.column_blocks SELECT * FROM unnest($1::int[], $2::bigint[], $3::bytea[])
         ON CONFLICT (series, time) DO UPDATE SET data = excluded.data`,
      [...keys, data],
    );
    return openBlocks;
  }

  async #seriesFor(keys: readonly SeriesKey[]): Promise<number[]> {
    const missing = new Map<string, SeriesKey>();
    for (const key of keys) if (!this.#ids.has(nameOf(key))) missing.set(nameOf(key), key);
    if (missing.size > 0) {
      const all = [...missing.values()];
      const columns = seriesColumns(all);
      // Those that are there are not tried: each try would use up an id.
      const unnested = 'unnest($1::text[], $2::bigint[], $3::int[], $4::bigint[], $5::int[])';
      await this.#query(
        `INSERT INTO depthwire.series (instrument, tick_units, tick_decimals, lot_units, lot_decimals)
           SELECT * FROM ${unnested} EXCEPT SELECT instrument, tick_units, tick_decimals, lot_units, lot_decimals FROM depthwire.series
           ON CONFLICT DO NOTHING`,
        columns,
      );
      await this.#find(all);
    }
    return keys.map((key) => this.#ids.get(nameOf(key))!);
  }

  async #knownSeries(key: SeriesKey): Promise<number | null> {
    this.#connected();
    if (!this.#ids.has(nameOf(key))) await this.#find([key]);
    return this.#ids.get(nameOf(key)) ?? null;
  }

  async #find(keys: readonly SeriesKey[]): Promise<void> {
    const rows = await this.#query<{ id: number; ord: number }>(
      `SELECT s.id, n.ord FROM unnest($1::text[], $2::bigint[], $3::int[], $4::bigint[], $5::int[])
           WITH ORDINALITY AS n (instrument, tick_units, tick_decimals, lot_units, lot_decimals, ord)
         JOIN depthwire.series AS s USING (instrument, tick_units, tick_decimals, lot_units, lot_decimals)`,
      seriesColumns(keys),
    );
    for (const { id, ord } of rows) this.#ids.set(nameOf(keys[ord - 1]!), id);
  }
}

/** Until the transaction ends nobody else writes these series. Always in the same order: so no two wait for each other. */
async function lockSeries(client: pg.PoolClient, ids: readonly number[]): Promise<Map<number, Series>> {
  const { rows } = await client.query<Series>(
    `SELECT id, last_number, newest_1s, newest_1m, newest_1h, newest_1d FROM depthwire.series
      WHERE id = ANY($1) ORDER BY id FOR UPDATE`,
    [ids],
  );
  if (rows.length < ids.length) throw unavailable('failed', 'a series that was there is gone');
  return new Map(rows.map((row) => [row.id, row]));
}

async function addTrades(
  client: pg.PoolClient,
  states: ReadonlyMap<number, Series>,
  works: ReadonlyMap<number, Work>,
): Promise<WriteResult> {
  const all = [...works].flatMap(([series, { trades }]) => trades.map((trade) => ({ series, trade })));
  if (all.length === 0) return { trades: 0, duplicates: 0 };
  const isThere = await storedTrades(client, all);
  const fresh: { series: number; trade: Trade }[] = [];
  const seen = new Map<string, number[]>();
  for (const [index, { series, trade }] of all.entries()) {
    const name = `${series} ${textOf(trade.id)}`;
    const times = seen.get(name);
    if (isThere.has(index) || times?.some((timeMs) => Math.abs(timeMs - trade.timeMs) <= SAME_TRADE_MS))
      continue;
    if (times) times.push(trade.timeMs);
    else seen.set(name, [trade.timeMs]);
    fresh.push({ series, trade });
  }
  const result = { trades: fresh.length, duplicates: all.length - fresh.length };
  if (fresh.length === 0) return result;

  const find = await storedCandles(client, fresh);
  const perSeries = new Map<number, { number: number; fold: CandleFold; blocks: Map<number, TradeBlock> }>();
  const numbers: number[] = [];
  for (const { series, trade } of fresh) {
    let of = perSeries.get(series);
    if (!of) {
      const state = states.get(series)!;
      const newest = Object.fromEntries(
        storedIntervals.map((interval) => [interval, state[`newest_${interval}`]]),
      ) as NewestTimes;
      const fold = new CandleFold(newest, (interval, time) => find.get(`${interval} ${series} ${time}`));
      perSeries.set(series, (of = { number: state.last_number, fold, blocks: new Map() }));
    }
    numbers.push((of.number += 1));
    of.fold.add(trade);
    addToBlocks(of.blocks, of.number, trade);
  }
  await client.query(
    `INSERT INTO depthwire.trades (series, number, id, price, size, is_sell, time)
       SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[], $7::bigint[])`,
    [
      fresh.map(({ series }) => series),
      numbers,
      fresh.map(({ trade }) => textOf(trade.id)),
      fresh.map(({ trade }) => trade.price),
      fresh.map(({ trade }) => trade.size),
      fresh.map(({ trade }) => trade.side === 'sell'),
      fresh.map(({ trade }) => trade.timeMs),
    ],
  );
  const blocks = [...perSeries].flatMap(([series, of]) =>
    [...of.blocks].map(([block, figures]) => ({ series, block, ...figures })),
  );
  await client.query(
    `INSERT INTO depthwire.trade_blocks AS b
       SELECT * FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
       ON CONFLICT (series, block) DO UPDATE SET min_time = least(b.min_time, excluded.min_time),
         max_time = greatest(b.max_time, excluded.max_time), trades = b.trades + excluded.trades`,
    [
      blocks.map(({ series }) => series),
      blocks.map(({ block }) => block),
      blocks.map(({ minMs }) => minMs),
      blocks.map(({ maxMs }) => maxMs),
      blocks.map(({ trades }) => trades),
    ],
  );
  for (const interval of storedIntervals) {
    const rows = [...perSeries].flatMap(([series, { fold }]) =>
      withSeries(series, [...fold.changed[interval].values()]),
    );
    await upsertCandles(client, interval, rows);
  }
  await client.query(
    `UPDATE depthwire.series AS s SET last_number = n.number, newest_1s = n.s, newest_1m = n.m, newest_1h = n.h, newest_1d = n.d
       FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) AS n (id, number, s, m, h, d)
      WHERE s.id = n.id`,
    [
      [...perSeries.keys()],
      [...perSeries.values()].map(({ number }) => number),
      ...storedIntervals.map((interval) => [...perSeries.values()].map(({ fold }) => fold.newest[interval])),
    ],
  );
  return result;
}

/** Which of these are stored, by their index. Each is looked up in the index: no plan shall read a table for it. */
async function storedTrades(
  client: pg.PoolClient,
  all: readonly { readonly series: number; readonly trade: Trade }[],
): Promise<Set<number>> {
  const times = all.map(({ trade }) => trade.timeMs);
  const [min, max] = extremesOf(times);
  const { rows } = await client.query<{ ord: number }>(
    `SELECT n.ord FROM unnest($1::int[], $2::text[], $3::bigint[]) WITH ORDINALITY AS n (series, id, time, ord),
       LATERAL (SELECT FROM depthwire.trades AS t WHERE t.series = n.series AND t.id = n.id
         AND t.time BETWEEN n.time - $4 AND n.time + $4 AND t.time BETWEEN $5 AND $6 LIMIT 1) AS t`,
    [
      all.map(({ series }) => series),
      all.map(({ trade }) => textOf(trade.id)),
      times,
      SAME_TRADE_MS,
      min - SAME_TRADE_MS,
      max + SAME_TRADE_MS,
    ],
  );
  return new Set(rows.map(({ ord }) => ord - 1));
}

/** The candles that trades belong to, as they are stored, by interval, series and time. */
async function storedCandles(
  client: pg.PoolClient,
  trades: readonly { readonly series: number; readonly trade: Trade }[],
): Promise<Map<string, Candle>> {
  const found = new Map<string, Candle>();
  for (const interval of storedIntervals) {
    const wanted = new Map<string, { readonly series: number; readonly time: number }>();
    for (const { series, trade } of trades) {
      const time = openTimeOf(trade.timeMs / 1_000, candleIntervals[interval]);
      wanted.set(`${series} ${time}`, { series, time });
    }
    const times = [...wanted.values()].map(({ time }) => time);
    const { rows } = await client.query<CandleRow>(
      `SELECT c.* FROM unnest($1::int[], $2::bigint[]) AS n (series, time),
         LATERAL (SELECT * FROM depthwire.candles_${interval} AS c
           WHERE c.series = n.series AND c.time = n.time AND c.time BETWEEN $3 AND $4 LIMIT 1) AS c`,
      [[...wanted.values()].map(({ series }) => series), times, ...extremesOf(times)],
    );
    for (const row of rows) found.set(`${interval} ${row.series} ${row.time}`, candleOf(row));
  }
  return found;
}

async function putCandles(
  client: pg.PoolClient,
  interval: StoredInterval,
  rows: readonly CandleRow[],
): Promise<void> {
  if (rows.length === 0) return;
  // Of two of one time the later one counts.
  await upsertCandles(client, interval, [...new Map(rows.map((row) => [row.time, row])).values()]);
  await client.query(
    `UPDATE depthwire.series SET newest_${interval} = greatest(newest_${interval}, $2) WHERE id = $1`,
    [rows[0]!.series, extremesOf(rows.map(({ time }) => time))[1]],
  );
}

async function upsertCandles(
  client: pg.PoolClient,
  interval: StoredInterval,
  rows: readonly CandleRow[],
): Promise<void> {
  await client.query(
    `INSERT INTO depthwire.candles_${interval} (series, time, open, high, low, close, volume, trades)
       SELECT * FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
       ON CONFLICT (series, time) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
         close = excluded.close, volume = excluded.volume, trades = excluded.trades`,
    (['series', 'time', 'open', 'high', 'low', 'close', 'volume', 'trades'] as const).map((name) =>
      rows.map((row) => row[name]),
    ),
  );
}

/** Each goes on a span that it follows on; spans may overlap, whoever reads takes their union. */
async function addSpans(
  client: pg.PoolClient,
  kind: SpanKind,
  all: readonly { readonly id: number; readonly span: Span }[],
): Promise<void> {
  if (all.length === 0) return;
  // Those of one series one after the other: each may go on the one before.
  const rounds: { readonly id: number; readonly span: Span }[][] = [];
  const perSeries = new Map<number, number>();
  for (const each of all) {
    if (each.span.toMs <= each.span.fromMs) continue; // of a clock that was set
    const round = perSeries.get(each.id) ?? 0;
    perSeries.set(each.id, round + 1);
    (rounds[round] ??= []).push(each);
  }
  for (const round of rounds) {
    const values = [
      kind,
      round.map(({ id }) => id),
      round.map(({ span }) => span.fromMs),
      round.map(({ span }) => span.toMs),
    ];
    const { rows } = await client.query<{ series: number }>(
      `UPDATE depthwire.spans AS s SET to_ms = greatest(s.to_ms, n.to_ms)
         FROM unnest($2::int[], $3::bigint[], $4::bigint[]) AS n (series, from_ms, to_ms)
        WHERE s.series = n.series AND s.kind = $1 AND s.from_ms <= n.from_ms AND s.to_ms >= n.from_ms RETURNING s.series`,
      values,
    );
    const extended = rows.map(({ series }) => series);
    if (new Set(extended).size === round.length) continue;
    await client.query(
      `INSERT INTO depthwire.spans SELECT series, $1, from_ms, to_ms
         FROM unnest($2::int[], $3::bigint[], $4::bigint[]) AS n (series, from_ms, to_ms) WHERE series <> ALL($5::int[])
       ON CONFLICT (series, kind, from_ms) DO UPDATE SET to_ms = greatest(spans.to_ms, excluded.to_ms)`,
      [...values, extended],
    );
  }
}

async function spansOf(client: pg.PoolClient, series: number, kind: SpanKind): Promise<Span[]> {
  const { rows } = await client.query<{ from_ms: number; to_ms: number }>(
    'SELECT from_ms, to_ms FROM depthwire.spans WHERE series = $1 AND kind = $2',
    [series, kind],
  );
  return rows.map((row) => ({ fromMs: row.from_ms, toMs: row.to_ms }));
}

interface TradeRow {
  readonly number: number;
  readonly id: string;
  readonly price: number;
  readonly size: number;
  readonly is_sell: boolean;
  readonly time: number;
}

function tradeOf({ number, id, price, size, is_sell, time }: TradeRow): StoredTrade {
  const original = id.startsWith('n') ? Number(id.slice(1)) : id.slice(1);
  return { number, id: original, price, size, side: is_sell ? 'sell' : 'buy', timeMs: time } as StoredTrade;
}

/** Numbers and text in one column: the first letter tells which. */
const textOf = (id: Trade['id']) => (typeof id === 'number' ? `n${id}` : `t${id}`);

function candleOf({ time, open, high, low, close, volume, trades }: CandleRow): Candle {
  return { time, open, high, low, close, volume, trades };
}

const withSeries = (series: number, candles: readonly Candle[]): CandleRow[] =>
  candles.map((candle) => ({ series, ...candle }));

const nameOf = ({ instrument, tick, lot }: SeriesKey) =>
  `${instrument} ${tick.units} ${tick.decimals} ${lot.units} ${lot.decimals}`;

const seriesColumns = (keys: readonly SeriesKey[]) => [
  keys.map(({ instrument }) => instrument),
  keys.map(({ tick }) => tick.units),
  keys.map(({ tick }) => tick.decimals),
  keys.map(({ lot }) => lot.units),
  keys.map(({ lot }) => lot.decimals),
];

function extremesOf(values: readonly number[]): [min: number, max: number] {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return [min, max];
}

/** @returns none of a block that cannot be read */
async function unpackBlock(data: Uint8Array): Promise<StoredColumn[]> {
  const packed = await inflate(data).catch(() => null);
  return packed === null ? [] : unpackColumns(packed);
}

const ignore = () => undefined;

/** Without the password. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `PostgreSQL at ${host}${pathname}`;
}

/** Any error of the database or the way to it as ours, with what to do about it. */
function postgresError(error: unknown, url: string): Error {
  if (error instanceof DepthwireError) return error;
  const { code, message } = error as { code?: string; message?: string };
  const told = code === undefined ? undefined : (known[code] ?? known[code.slice(0, 2)]);
  const { reason, todo } = told ?? {
    reason: 'away',
    todo: 'Nothing is lost that is still held: it is tried again',
  };
  return unavailable(reason, `${placeOf(url)}: ${message || code}. ${todo}`, error);
}

/** By SQLSTATE, or by its class: postgresql.org/docs/current/errcodes-appendix.html. */
const known: Readonly<Record<string, { readonly reason: UnavailableReason; readonly todo: string }>> = {
  '3D000': { reason: 'refused', todo: 'Create the database, or let history.url name another one' },
  42501: {
    reason: 'refused',
    todo: 'Let the user of an ingest create a schema and tables, and start one before gateways whose user may only read',
  },
  25006: {
    reason: 'away',
    todo: 'That server is a standby: promote it, or let history.url name the primary',
  },
  53100: { reason: 'full', todo: 'The disk of the database is full: make room, writing goes on by itself' },
  53300: { reason: 'overloaded', todo: 'Raise max_connections of the server' },
  '42P01': { reason: 'failed', todo: 'The tables are gone, and are made anew' },
  '3F000': { reason: 'failed', todo: 'The tables are gone, and are made anew' },
  28: { reason: 'refused', todo: 'Correct user and password in history.url' },
  22: { reason: 'failed', todo: 'This is a fault of Depthwire: please report it' },
  23: { reason: 'failed', todo: 'This is a fault of Depthwire: please report it' },
  42: { reason: 'failed', todo: 'This is a fault of Depthwire: please report it' },
};
