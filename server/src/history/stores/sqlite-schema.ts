import type { DatabaseSync } from 'node:sqlite';
import { unavailable } from './unavailable.ts';

/** Marks a file as ours: `DWHI`. */
const APPLICATION_ID = 0x44_57_48_49;

/**
 * What makes each version of the tables out of the one before; `PRAGMA user_version` counts those that ran. One that
 * has been released is never changed.
 *
 * Rows that are read in order of their key are WITHOUT ROWID: a page of them lies together. A trade's id is of ANY type, so
 * that 12 and '12' stay what they are. Newest times are kept with the series, because they decide about each trade's candles.
 * `trade_blocks` tells which numbers hold which times: trades are in order of arrival, which is not quite that of time.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    instrument TEXT NOT NULL,
    tick_units INTEGER NOT NULL,
    tick_decimals INTEGER NOT NULL,
    lot_units INTEGER NOT NULL,
    lot_decimals INTEGER NOT NULL,
    last_number INTEGER NOT NULL DEFAULT 0,
    candles INTEGER NOT NULL DEFAULT 0,
    newest_1s INTEGER,
    newest_1m INTEGER,
    newest_1h INTEGER,
    newest_1d INTEGER,
    UNIQUE (instrument, tick_units, tick_decimals, lot_units, lot_decimals)
  ) STRICT;

  CREATE TABLE trades (
    series INTEGER NOT NULL,
    number INTEGER NOT NULL,
    id ANY NOT NULL,
    price INTEGER NOT NULL,
    size INTEGER NOT NULL,
    is_sell INTEGER NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (series, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX trade_ids ON trades (series, id);

  CREATE TABLE trade_blocks (
    series INTEGER NOT NULL,
    block INTEGER NOT NULL,
    min_time INTEGER NOT NULL,
    max_time INTEGER NOT NULL,
    trades INTEGER NOT NULL,
    PRIMARY KEY (series, block)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE candles (
    seconds INTEGER NOT NULL,
    series INTEGER NOT NULL,
    time INTEGER NOT NULL,
    open INTEGER NOT NULL,
    high INTEGER NOT NULL,
    low INTEGER NOT NULL,
    close INTEGER NOT NULL,
    volume INTEGER NOT NULL,
    trades INTEGER NOT NULL,
    PRIMARY KEY (seconds, series, time)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE spans (
    series INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    PRIMARY KEY (series, kind, from_ms)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE column_tail (
    series INTEGER NOT NULL,
    time INTEGER NOT NULL,
    step INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (series, time)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE column_blocks (
    series INTEGER NOT NULL,
    time INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (series, time)
  ) STRICT;
  `,
];

/**
 * Brings the tables of a file to this version.
 * @throws DepthwireError `history_unavailable` of a file that is somebody else's, or was written by a newer Depthwire
 */
export function migrate(db: DatabaseSync, path: string): void {
  const read = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0] as number;
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (!isEmpty && read('application_id') !== APPLICATION_ID)
    throw unavailable(
      'not_a_database',
      `${path} is a database of another program: let history.path name another file`,
    );
  const version = read('user_version');
  if (version > migrations.length)
    throw unavailable(
      'newer_schema',
      `${path} was written by a newer Depthwire (tables ${version}, this one knows ${migrations.length}): ` +
        'run that one, or let history.path name another file',
    );
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    db.exec(
      `BEGIN IMMEDIATE; ${migration} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${index + 1}; COMMIT`,
    );
  }
}
