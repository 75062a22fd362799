import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { candleIntervals, type Candle, type CandleInterval, type Trade } from '@depthwire/shared';
import { blockTimeOf, mergeColumns, packColumns, selectColumns, unpackColumns } from './column-block.ts';
import { aggregate, baseQuery, CandleFold, type NewestTimes } from './rollup.ts';
import {
  holesIn,
  knownCandles,
  madeOfMinutes,
  spanKinds,
  wholeBound,
  wholeSpan,
  type SpanKind,
} from './spans.ts';
import { migrate } from './sqlite-schema.ts';
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
import { unavailable, type UnavailableReason } from './unavailable.ts';

/** Rows that one call of `prune` deletes, so that a write never waits long for it. */
const MAX_PRUNED = 5_000;
/** Pages of the file in memory, of each thread. */
const CACHE_KB = 32_000;
/** Of the log, before they go into the file: a page that changes each second goes there once for all of them. */
const LOG_PAGES = 8_000;
/** The log is cut back to so much once it has been larger, as after a long back-fill. */
const MAX_LOG_BYTES = 64_000_000;
/** Another program may hold the file for so long, for a backup. */
const BUSY_TIMEOUT_MS = 2_000;
/** Fast is enough: the columns of a minute are much alike. */
const DEFLATE = { level: 1 };

type Row = Record<string, SQLOutputValue>;

/** What a `HistoryStore` is asked, answered at once. */
type Answers = Omit<
  {
    [K in keyof HistoryStore]: HistoryStore[K] extends (...args: infer A) => Promise<infer R>
      ? (...args: A) => R
      : never;
  },
  'kind' | 'open' | 'columns' | 'isBusy'
> & {
  /** Packed, for the way between threads. */
  columns(...args: Parameters<HistoryStore['columns']>): Uint8Array<ArrayBuffer>;
};

/**
 * Stored history in a file of SQLite. Each call blocks its thread: `sqlite-worker.ts` runs it.
 *
 * Each commit is flushed to the disk (`synchronous=FULL`). In WAL mode NORMAL too would outlive the end of the process by
 * `kill -9`, what is written is the kernel's then; but a loss of power would take all since the last checkpoint. One
 * batch a second makes that one flush a second, in a thread that nobody waits for.
 */
export class SqliteTables implements Answers {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #lock: DatabaseSync | null;
  readonly #statements = new Map<string, StatementSync>();
  readonly #series = new Map<string, number>();

  /** @param role one process writes a file, by one connection; others only read */
  constructor(path: string, role: 'writes' | 'reads') {
    this.#path = resolve(path);
    if (role === 'writes') mkdirSync(dirname(this.#path), { recursive: true });
    if (statSync(this.#path, { throwIfNoEntry: false })?.isDirectory())
      throw unavailable('refused', `${this.#path} is a folder: let history.path name a file`);
    this.#lock = role === 'writes' ? lock(this.#path) : null;
    try {
      this.#db = new DatabaseSync(this.#path, { timeout: BUSY_TIMEOUT_MS });
      try {
        this.#db.exec(`PRAGMA cache_size = -${CACHE_KB}; PRAGMA temp_store = MEMORY`);
        if (role === 'writes') {
          this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
          this.#db.exec(
            `PRAGMA wal_autocheckpoint = ${LOG_PAGES}; PRAGMA journal_size_limit = ${MAX_LOG_BYTES}`,
          );
          migrate(this.#db, this.#path);
        } else this.#db.exec('PRAGMA query_only = TRUE');
      } catch (error) {
        this.#db.close();
        throw error;
      }
    } catch (error) {
      this.#lock?.close();
      throw error;
    }
  }

  write(batches: readonly HistoryBatch[]): WriteResult {
    return this.#transaction(() => {
      const result = { trades: 0, duplicates: 0 };
      for (const { series, trades, heard, columns } of batches) {
        const id = this.#seriesFor(series);
        if (trades.length > 0) {
          const added = this.#addTrades(id, trades);
          result.trades += added;
          result.duplicates += trades.length - added;
        }
        if (heard) this.#addSpan(id, spanKinds.heard, heard);
        if (columns.length > 0) this.#addColumns(id, columns);
      }
      return result;
    });
  }

  putCandles(series: SeriesKey, interval: StoredInterval, candles: readonly Candle[], span?: Span): void {
    const first = candles[0];
    const lengthS = candleIntervals[interval];
    span ??= first && { fromMs: first.time * 1_000, toMs: (candles.at(-1)!.time + lengthS) * 1_000 };
    if (!span) return;
    this.#transaction(() => {
      const id = this.#seriesFor(series);
      this.#putCandles(id, interval, candles);
      if (interval !== '1m') return;
      this.#addSpan(id, spanKinds.minutes, span);
      const known = [...this.#spans(id, spanKinds.heard), ...this.#spans(id, spanKinds.minutes)];
      for (const longer of madeOfMinutes) {
        const made = knownCandles(longer, span, known).flatMap((time) => {
          const minutes = this.#all(
            'SELECT * FROM candles WHERE seconds = 60 AND series = ? AND time >= ? AND time < ? ORDER BY time',
            [id, time, time + candleIntervals[longer]],
          );
          return aggregate(minutes.map(candleOf), longer);
        });
        this.#putCandles(id, longer, made);
      }
    });
  }

  candles(series: SeriesKey, interval: CandleInterval, atMost: number, beforeS: number): Candle[] {
    const id = this.#knownSeries(series);
    if (id === null) return [];
    const limit = Math.min(atMost, MAX_ROWS);
    const query = baseQuery(interval, limit, beforeS);
    const base =
      'SELECT * FROM candles WHERE seconds = ? AND series = ? AND time < ? ORDER BY time DESC LIMIT ?';
    const lengthS = candleIntervals[interval];
    const key = [candleIntervals[query.base], id] as const;
    if (interval === query.base)
      return this.#all(base, [...key, query.endS, limit])
        .reverse()
        .map(candleOf);
    const rows = this.#all(
      `WITH base AS (${base}), longer AS (
         SELECT min(time) AS first, max(time) AS last, max(high) AS high, min(low) AS low,
           min(sum(volume), ${Number.MAX_SAFE_INTEGER}) AS volume, min(sum(trades), ${Number.MAX_SAFE_INTEGER}) AS trades
         FROM base GROUP BY time / ${lengthS})
       SELECT first / ${lengthS} * ${lengthS} AS time, high, low, volume, trades,
         (SELECT open FROM candles WHERE seconds = ? AND series = ? AND time = first) AS open,
         (SELECT close FROM candles WHERE seconds = ? AND series = ? AND time = last) AS close
       FROM longer ORDER BY first DESC LIMIT ?`,
      [...key, query.endS, query.limit, ...key, ...key, limit],
    );
    return rows.reverse().map(candleOf);
  }

  hasCandlesBefore(series: SeriesKey, interval: CandleInterval, beforeS: number): boolean {
    return this.candles(series, interval, 1, beforeS).length > 0;
  }

  trades(series: SeriesKey, query: TradesQuery): StoredTrade[] {
    const id = this.#knownSeries(series);
    if (id === null) return [];
    const { direction, afterMs = -Infinity, beforeMs = Infinity } = query;
    const limit = Math.min(query.limit, MAX_ROWS);
    const isBefore = direction === 'before';
    const [from, to] = isBefore
      ? [0, query.number ?? Number.MAX_SAFE_INTEGER]
      : [query.number ?? 0, Number.MAX_SAFE_INTEGER];
    const order = isBefore ? 'DESC' : 'ASC';
    // Block by block: the trades of a time may lie anywhere among the numbers.
    const blocks = this.#prepare(
      `SELECT block FROM trade_blocks WHERE series = ? AND block BETWEEN ? AND ? AND min_time < ? AND max_time > ? ORDER BY block ${order}`,
    ).iterate(id, tradeBlockOf(from), tradeBlockOf(to), beforeMs, afterMs);
    const found: Row[] = [];
    for (const row of blocks) {
      const first = (row.block as number) * BLOCK_TRADES;
      found.push(
        ...this.#all(
          `SELECT number, id, price, size, is_sell, time FROM trades WHERE series = ? AND number >= ? AND number < ? AND time > ? AND time < ? ORDER BY number ${order} LIMIT ?`,
          [
            id,
            Math.max(from, first),
            Math.min(to, first + BLOCK_TRADES),
            afterMs,
            beforeMs,
            limit - found.length,
          ],
        ),
      );
      if (found.length >= limit) break;
    }
    if (isBefore) found.reverse();
    return found.map(tradeOf);
  }

  numberOf(series: SeriesKey, id: Trade['id']): number | null {
    const known = this.#knownSeries(series);
    if (known === null) return null;
    const row = this.#get(
      'SELECT max(number) AS number FROM trades INDEXED BY trade_ids WHERE series = ? AND id = ?',
      [known, boundId(id)],
    );
    return row!.number as number | null;
  }

  holes(series: SeriesKey, span: Span): Hole[] {
    const id = this.#knownSeries(series);
    if (id === null) return [];
    return holesIn(this.#spans(id, spanKinds.heard), this.#spans(id, spanKinds.filled), span);
  }

  fillHole(series: SeriesKey, span: Span): void {
    this.#transaction(() => this.#addSpan(this.#seriesFor(series), spanKinds.filled, span));
  }

  disbelieve(series: SeriesKey, fromMs: number): void {
    this.#transaction(() => {
      const of = [this.#seriesFor(series), spanKinds.heard, wholeBound(fromMs)];
      this.#run('DELETE FROM spans WHERE series = ? AND kind = ? AND from_ms >= ?', of);
      this.#run('UPDATE spans SET to_ms = ?3 WHERE series = ?1 AND kind = ?2 AND to_ms > ?3', of);
    });
  }

  heardUntil(series: SeriesKey): number | null {
    const id = this.#knownSeries(series);
    if (id === null) return null;
    const row = this.#get('SELECT max(to_ms) AS until FROM spans WHERE series = ? AND kind = ?', [
      id,
      spanKinds.heard,
    ]);
    return row!.until as number | null;
  }

  columns(
    series: SeriesKey,
    span: Span,
    options: { readonly limit: number; readonly isNewest: boolean },
  ): Uint8Array<ArrayBuffer> {
    const id = this.#knownSeries(series);
    if (id === null) return packColumns([]);
    const tail = this.#tail(id, span.toMs);
    const limit = Math.min(options.limit, MAX_ROWS);
    const blocks = this.#prepare(
      `SELECT time, data FROM column_blocks WHERE series = ? AND time >= ? AND time < ? ORDER BY time ${options.isNewest ? 'DESC' : 'ASC'}`,
    ).iterate(id, blockTimeOf(id, wholeBound(span.fromMs)), span.toMs);
    const packed: StoredColumn[] = [];
    for (const { data } of blocks) {
      const columns = unpackBlock(data as Uint8Array);
      if (options.isNewest) packed.unshift(...columns);
      else packed.push(...columns);
      if (selectColumns(packed, span, { ...options, limit }).length >= limit) break;
    }
    return packColumns(selectColumns(mergeColumns(packed, tail), span, { ...options, limit }));
  }

  prune(timeMs: number, { tradesMs, columnsMs, candlesMs }: Retention): boolean {
    const nowMs = Math.floor(timeMs);
    return this.#transaction(() => {
      // What is known of minutes ends where the minutes do; before their rows, which go bit by bit.
      this.#cutSpans(nowMs - candlesMs['1m']);
      let left = MAX_PRUNED - this.#pruneTrades(nowMs - tradesMs);
      for (const { id } of this.#all('SELECT id FROM series', [])) {
        for (const interval of storedIntervals) {
          if (left <= 0) break;
          left -= this.#pruneCandles(id as number, interval, nowMs - candlesMs[interval], left);
        }
        if (left <= 0) break;
        left -= this.#pruneColumns(id as number, nowMs - columnsMs, left);
      }
      return left <= 0;
    });
  }

  figures(): { readonly bytes: number; readonly trades: number; readonly candles: number } {
    const sumOf = (sql: string) => Number(Object.values(this.#get(sql, [])!)[0]);
    const log = statSync(`${this.#path}-wal`, { throwIfNoEntry: false });
    return {
      bytes: sumOf('PRAGMA page_count') * sumOf('PRAGMA page_size') + (log?.size ?? 0),
      trades: sumOf('SELECT coalesce(sum(trades), 0) FROM trade_blocks'),
      candles: sumOf('SELECT coalesce(sum(candles), 0) FROM series'),
    };
  }

  close(): void {
    this.#db.close();
    this.#lock?.close();
  }

  /** @returns how many of them are new */
  #addTrades(series: number, trades: readonly Trade[]): number {
    const state = this.#get('SELECT * FROM series WHERE id = ?', [series])!;
    let number = state.last_number as number;
    const newest = Object.fromEntries(
      storedIntervals.map((interval) => [interval, state[`newest_${interval}`] as number | null]),
    ) as NewestTimes;
    const fold = new CandleFold(newest, (interval, time) => {
      const row = this.#get('SELECT * FROM candles WHERE seconds = ? AND series = ? AND time = ?', [
        candleIntervals[interval],
        series,
        time,
      ]);
      return row && candleOf(row);
    });
    // Without statistics SQLite would rather go through all trades of the series.
    const find = this.#prepare('SELECT time FROM trades INDEXED BY trade_ids WHERE series = ? AND id = ?');
    const isThere = (trade: Trade) =>
      find
        .all(series, boundId(trade.id))
        .some(({ time }) => Math.abs((time as number) - trade.timeMs) <= SAME_TRADE_MS);
    const insert = this.#prepare('INSERT INTO trades VALUES (?, ?, ?, ?, ?, ?, ?)');
    const blocks = new Map<number, TradeBlock>();
    let added = 0;
    for (const trade of trades) {
      if (isThere(trade)) continue;
      number += 1;
      added += 1;
      insert.run(
        series,
        number,
        boundId(trade.id),
        trade.price,
        trade.size,
        trade.side === 'sell' ? 1 : 0,
        trade.timeMs,
      );
      fold.add(trade);
      addToBlocks(blocks, number, trade);
    }
    if (added === 0) return 0;
    for (const [block, { minMs, maxMs, trades }] of blocks) {
      this.#run(
        `INSERT INTO trade_blocks VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
           min_time = min(min_time, excluded.min_time), max_time = max(max_time, excluded.max_time),
           trades = trades + excluded.trades`,
        [series, block, minMs, maxMs, trades],
      );
    }
    for (const interval of storedIntervals)
      for (const candle of fold.changed[interval].values()) this.#putCandle(series, interval, candle);
    this.#run(
      'UPDATE series SET last_number = ?, candles = candles + ?, newest_1s = ?, newest_1m = ?, newest_1h = ?, newest_1d = ? WHERE id = ?',
      [number, fold.added, ...storedIntervals.map((interval) => fold.newest[interval]), series],
    );
    return added;
  }

  #putCandle(series: number, interval: StoredInterval, candle: Candle): void {
    const { time, open, high, low, close, volume, trades } = candle;
    this.#run('INSERT OR REPLACE INTO candles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', [
      candleIntervals[interval],
      series,
      time,
      open,
      high,
      low,
      close,
      volume,
      trades,
    ]);
  }

  #putCandles(series: number, interval: StoredInterval, candles: readonly Candle[]): void {
    if (candles.length === 0) return;
    const seconds = candleIntervals[interval];
    let added = 0;
    for (const candle of candles) {
      const isThere = this.#get('SELECT 1 FROM candles WHERE seconds = ? AND series = ? AND time = ?', [
        seconds,
        series,
        candle.time,
      ]);
      if (!isThere) added += 1;
      this.#putCandle(series, interval, candle);
    }
    const newest = candles.reduce((latest, { time }) => Math.max(latest, time), 0);
    this.#run(
      `UPDATE series SET candles = candles + ?, newest_${interval} = max(coalesce(newest_${interval}, 0), ?) WHERE id = ?`,
      [added, newest, series],
    );
  }

  /** It goes on a span that it follows on; spans may overlap, whoever reads takes their union. */
  #addSpan(series: number, kind: SpanKind, span: Span): void {
    const { fromMs, toMs } = wholeSpan(span);
    if (toMs <= fromMs) return; // of a clock that was set
    const { changes } = this.#run(
      'UPDATE spans SET to_ms = max(to_ms, ?) WHERE series = ? AND kind = ? AND from_ms <= ? AND to_ms >= ?',
      [toMs, series, kind, fromMs, fromMs],
    );
    if (changes === 0)
      this.#run(
        'INSERT INTO spans VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET to_ms = max(to_ms, excluded.to_ms)',
        [series, kind, fromMs, toMs],
      );
  }

  #spans(series: number, kind: SpanKind): Span[] {
    const rows = this.#all('SELECT from_ms, to_ms FROM spans WHERE series = ? AND kind = ?', [series, kind]);
    return rows.map((row) => ({ fromMs: row.from_ms as number, toMs: row.to_ms as number }));
  }

  #cutSpans(beforeMs: number): void {
    // The newest stays, for heardUntil.
    this.#run(
      `DELETE FROM spans WHERE to_ms < ? AND EXISTS (
         SELECT 1 FROM spans AS later WHERE later.series = spans.series AND later.kind = spans.kind AND later.from_ms > spans.from_ms)`,
      [beforeMs],
    );
    // Of spans that overlap there the last one alone: they would begin at the same time, and one row has to go.
    this.#run(
      `UPDATE spans SET from_ms = min(to_ms, ?1) WHERE from_ms < ?1 AND from_ms < to_ms AND NOT EXISTS (
         SELECT 1 FROM spans AS other WHERE other.series = spans.series AND other.kind = spans.kind
            AND other.from_ms > spans.from_ms AND other.from_ms <= min(spans.to_ms, ?1))`,
      [beforeMs],
    );
  }

  /** Each column is a row until its block is over; then the block is one. */
  #addColumns(series: number, columns: readonly StoredColumn[]): void {
    for (const { time, step, data } of columns)
      this.#run('INSERT OR REPLACE INTO column_tail VALUES (?, ?, ?, ?)', [series, time, step, data]);
    const newest = columns.reduce((latest, { time }) => Math.max(latest, time), 0);
    const openFrom = blockTimeOf(series, newest);
    const complete = Map.groupBy(this.#tail(series, openFrom), ({ time }) => blockTimeOf(series, time));
    for (const [time, tail] of complete) {
      const row = this.#get('SELECT data FROM column_blocks WHERE series = ? AND time = ?', [series, time]);
      const earlier = row ? unpackBlock(row.data as Uint8Array) : [];
      const data = deflateRawSync(packColumns(mergeColumns(earlier, tail)), DEFLATE);
      this.#run('INSERT OR REPLACE INTO column_blocks VALUES (?, ?, ?)', [series, time, data]);
    }
    if (complete.size > 0)
      this.#run('DELETE FROM column_tail WHERE series = ? AND time < ?', [series, openFrom]);
  }

  #tail(series: number, beforeMs: number): StoredColumn[] {
    const rows = this.#all(
      'SELECT time, step, data FROM column_tail WHERE series = ? AND time < ? ORDER BY time',
      [series, beforeMs],
    );
    return rows as unknown as StoredColumn[];
  }

  /** @returns how many rows it deleted */
  #pruneTrades(beforeMs: number): number {
    let deleted = 0;
    const blocks = this.#all('SELECT * FROM trade_blocks WHERE min_time < ? LIMIT ?', [
      beforeMs - PRUNE_LATE_MS,
      Math.ceil(MAX_PRUNED / BLOCK_TRADES),
    ]);
    for (const { series, block, max_time } of blocks) {
      const first = (block as number) * BLOCK_TRADES;
      const key = [series, block] as number[];
      const { changes } = this.#run(
        'DELETE FROM trades WHERE series = ? AND number >= ? AND number < ? AND time < ?',
        [series as number, first, first + BLOCK_TRADES, beforeMs],
      );
      deleted += changes;
      if ((max_time as number) < beforeMs)
        this.#run('DELETE FROM trade_blocks WHERE series = ? AND block = ?', key);
      else
        this.#run(
          'UPDATE trade_blocks SET min_time = ?, trades = trades - ? WHERE series = ? AND block = ?',
          [beforeMs, changes, ...key],
        );
    }
    return blocks.length > 0 ? Math.max(deleted, MAX_PRUNED) : 0;
  }

  #pruneCandles(series: number, interval: StoredInterval, beforeMs: number, limit: number): number {
    const { changes } = this.#run(
      `DELETE FROM candles WHERE (seconds, series, time) IN (
         SELECT seconds, series, time FROM candles WHERE seconds = ? AND series = ? AND time < ? LIMIT ?)`,
      [candleIntervals[interval], series, Math.floor(beforeMs / 1_000), limit],
    );
    if (changes > 0) this.#run('UPDATE series SET candles = candles - ? WHERE id = ?', [changes, series]);
    return changes;
  }

  #pruneColumns(series: number, beforeMs: number, limit: number): number {
    const tail = this.#run('DELETE FROM column_tail WHERE series = ? AND time < ?', [series, beforeMs]);
    const blocks = this.#run(
      `DELETE FROM column_blocks WHERE rowid IN (
         SELECT rowid FROM column_blocks WHERE series = ? AND time < ? LIMIT ?)`,
      [series, blockTimeOf(series, beforeMs), limit],
    );
    return tail.changes + blocks.changes;
  }

  #seriesFor(key: SeriesKey): number {
    const known = this.#knownSeries(key);
    if (known !== null) return known;
    const { lastInsertRowid } = this.#prepare(
      'INSERT INTO series (instrument, tick_units, tick_decimals, lot_units, lot_decimals) VALUES (?, ?, ?, ?, ?)',
    ).run(...columnsOf(key));
    return Number(lastInsertRowid);
  }

  /** Remembered once it is committed: whoever asks first after that finds it in the table. */
  #knownSeries(key: SeriesKey): number | null {
    const name = columnsOf(key).join(' ');
    const known = this.#series.get(name);
    if (known !== undefined) return known;
    const row = this.#get(
      'SELECT id FROM series WHERE instrument = ? AND tick_units = ? AND tick_decimals = ? AND lot_units = ? AND lot_decimals = ?',
      columnsOf(key),
    );
    if (!row) return null;
    if (!this.#db.isTransaction) this.#series.set(name, row.id as number);
    return row.id as number;
  }

  #transaction<T>(action: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = action();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  #run(sql: string, values: readonly Value[]): { readonly changes: number } {
    return { changes: Number(this.#prepare(sql).run(...values).changes) };
  }

  #get(sql: string, values: readonly Value[]): Row | undefined {
    return this.#prepare(sql).get(...values);
  }

  #all(sql: string, values: readonly Value[]): Row[] {
    return this.#prepare(sql).all(...values);
  }
}

type Value = string | number | bigint | null | Uint8Array;

/**
 * A file beside the other, held as long as this process lives: the operating system lets it go however that ends. The
 * database itself stays free for the tools that read it or make a backup.
 */
function lock(path: string): DatabaseSync {
  const file = `${path}.lock`;
  const held = new DatabaseSync(file);
  try {
    held.exec('BEGIN EXCLUSIVE');
    return held;
  } catch (error) {
    held.close();
    throw primaryCode(error) === SQLITE_BUSY
      ? unavailable(
          'in_use',
          `${path} is written by another process: one of them alone may have it. Give this one another history.path, ` +
            'or let several use PostgreSQL (history.store: postgres)',
          error,
        )
      : error;
  }
}

/** Any error of SQLite as ours, with what to do about it. */
export function sqliteError(error: unknown, path: string): Error {
  const { errcode, syscall, message } = error as { errcode?: number; syscall?: string; message?: string };
  if (errcode === undefined && syscall === undefined) return error as Error;
  const told = known[errcode === undefined ? SQLITE_CANTOPEN : primaryCode(error)] ?? known[SQLITE_IOERR]!;
  return unavailable(told.reason, `${path}: ${message}. ${told.todo}`, error);
}

const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;
const SQLITE_CANTOPEN = 14;

/** Of the extended codes the lowest byte. */
const primaryCode = (error: unknown) => ((error as { errcode?: number }).errcode ?? 0) & 0xff;

/** By the primary codes of sqlite.org/rescode.html. */
const known: Readonly<Record<number, { readonly reason: UnavailableReason; readonly todo: string }>> = {
  5: { reason: 'in_use', todo: 'Another program holds it: end that one' },
  8: { reason: 'refused', todo: 'Let this user write the file and its folder' },
  10: { reason: 'full', todo: 'The disk is full or fails: make room, writing goes on by itself' },
  11: {
    reason: 'not_a_database',
    todo: 'It is damaged: put a backup in its place, or move it away to begin anew',
  },
  13: { reason: 'full', todo: 'The disk is full: make room, writing goes on by itself' },
  14: { reason: 'refused', todo: 'Let this user write the file and its folder' },
  26: { reason: 'not_a_database', todo: 'It is no database: let history.path name another file' },
};

/** @returns none of a block that cannot be read */
function unpackBlock(data: Uint8Array): StoredColumn[] {
  let packed: Uint8Array;
  try {
    packed = inflateRawSync(data);
  } catch {
    return [];
  }
  return unpackColumns(packed);
}

const columnsOf = ({ instrument, tick, lot }: SeriesKey) =>
  [instrument, tick.units, tick.decimals, lot.units, lot.decimals] as const;

/** As a whole number where it is one: node:sqlite stores every number of a column without affinity as a float else. */
const boundId = (id: Trade['id']) => (typeof id === 'number' && Number.isSafeInteger(id) ? BigInt(id) : id);

function candleOf(row: Row): Candle {
  const { time, open, high, low, close, volume, trades } = row as unknown as Candle;
  return { time, open, high, low, close, volume, trades };
}

function tradeOf({ number, id, price, size, is_sell, time }: Row): StoredTrade {
  const side = is_sell === 1 ? 'sell' : 'buy';
  return { number, id, price, size, side, timeMs: time } as StoredTrade;
}
