import type { ClientBase } from 'pg';
import { unavailable } from './unavailable.ts';

/** All of ours is in this schema: the database may hold other things too. */
const SCHEMA = 'depthwire';
/** Held by whoever changes tables or partitions; any number that others do not take. */
const ADVISORY_LOCK = 0x44_57_48_49;
/** Of one table, that one write may need: venues give a few days of candles, not the times of many years. */
const MAX_NEW_PARTITIONS = 400;
/** That one call of `prune` drops. */
const MAX_DROPPED = 4;

const DAY_S = 86_400;
const DAY_MS = DAY_S * 1_000;

/** Tables in parts by their `time`, and how much of it a part has: milliseconds, of candles seconds. */
const partitioned = {
  trades: DAY_MS,
  column_blocks: DAY_MS,
  candles_1s: DAY_S,
  candles_1m: 30 * DAY_S,
  candles_1h: 365 * DAY_S,
  candles_1d: 3_650 * DAY_S,
} as const;
export type PartitionedTable = keyof typeof partitioned;

const candleColumns = `
  series integer NOT NULL, time bigint NOT NULL, open bigint NOT NULL, high bigint NOT NULL, low bigint NOT NULL,
  close bigint NOT NULL, volume bigint NOT NULL, trades bigint NOT NULL, PRIMARY KEY (series, time)`;

/**
 * A unique key of a table in parts has to have the time in it. One of (series, id, time) is enough, because who writes holds the
 * row of the series and has looked for the same id at other times (`SAME_TRADE_MS`).
 */
const tables: Readonly<Record<PartitionedTable, string>> = {
  trades: `
    series integer NOT NULL, number bigint NOT NULL, id text COLLATE "C" NOT NULL, price bigint NOT NULL,
    size bigint NOT NULL, is_sell boolean NOT NULL, time bigint NOT NULL,
    PRIMARY KEY (series, number, time), UNIQUE (series, id, time)`,
  column_blocks: `
    series integer NOT NULL, time bigint NOT NULL, data bytea NOT NULL, PRIMARY KEY (series, time)`,
  candles_1s: candleColumns,
  candles_1m: candleColumns,
  candles_1h: candleColumns,
  candles_1d: candleColumns,
};

/** The first version of the tables. A later one is a function more in this list; one that was released is never changed. */
const migrations: readonly ((client: ClientBase, hasTimescale: boolean) => Promise<void>)[] = [
  async (client, hasTimescale) => {
    await client.query(`
      CREATE TABLE depthwire.series (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        instrument text NOT NULL,
        tick_units bigint NOT NULL, tick_decimals integer NOT NULL,
        lot_units bigint NOT NULL, lot_decimals integer NOT NULL,
        last_number bigint NOT NULL DEFAULT 0,
        newest_1s bigint, newest_1m bigint, newest_1h bigint, newest_1d bigint,
        UNIQUE (instrument, tick_units, tick_decimals, lot_units, lot_decimals)
      ) WITH (fillfactor = 50);
      CREATE TABLE depthwire.trade_blocks (
        series integer NOT NULL, block bigint NOT NULL, min_time bigint NOT NULL, max_time bigint NOT NULL,
        trades bigint NOT NULL, PRIMARY KEY (series, block)
      ) WITH (fillfactor = 50);
      CREATE TABLE depthwire.spans (
        series integer NOT NULL, kind smallint NOT NULL, from_ms bigint NOT NULL, to_ms bigint NOT NULL,
        PRIMARY KEY (series, kind, from_ms)
      ) WITH (fillfactor = 50);
      CREATE TABLE depthwire.column_tail (
        series integer NOT NULL, time bigint NOT NULL, step double precision NOT NULL, data bytea NOT NULL,
        PRIMARY KEY (series, time)
      )`);
    for (const [table, width] of Object.entries(partitioned)) {
      const columns = tables[table as PartitionedTable];
      if (hasTimescale) {
        await client.query(`CREATE TABLE depthwire.${table} (${columns})`);
        await client.query(
          'SELECT create_hypertable($1::regclass, $2::name, chunk_time_interval => $3::bigint)',
          [`${SCHEMA}.${table}`, 'time', width],
        );
      } else await client.query(`CREATE TABLE depthwire.${table} (${columns}) PARTITION BY RANGE (time)`);
    }
    // They are packed already.
    await client.query('ALTER TABLE depthwire.column_blocks ALTER data SET STORAGE EXTERNAL');
  },
];

/**
 * Brings the tables to this version, alone among all processes; where they are there, it looks and changes nothing, as a role
 * that may only read has to. Where the database has TimescaleDB as the tables are made, they are hypertables; no test of ours
 * has run with it.
 */
export async function migrate(client: ClientBase): Promise<void> {
  if ((await versionOf(client)) === migrations.length) return;
  await alone(client, async () => {
    // Whoever may not make a schema may still have been given one.
    const schema = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [SCHEMA]);
    if (schema.rowCount === 0) await client.query(`CREATE SCHEMA ${SCHEMA}`);
    await client.query('CREATE TABLE IF NOT EXISTS depthwire.version (version integer NOT NULL)');
    const version = await versionOf(client);
    if (version === migrations.length) return;
    const timescale = await client.query("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'");
    for (const migration of migrations.slice(version)) await migration(client, timescale.rows.length > 0);
    await client.query('DELETE FROM depthwire.version');
    await client.query('INSERT INTO depthwire.version VALUES ($1)', [migrations.length]);
  });
}

/**
 * Of the tables that are there; 0 for none.
 * @throws DepthwireError where a newer Depthwire made them
 */
async function versionOf(client: ClientBase): Promise<number> {
  const table = await client.query<{ name: string | null }>(
    "SELECT to_regclass('depthwire.version') AS name",
  );
  if (table.rows[0]!.name === null) return 0;
  const { rows } = await client.query<{ version: number }>('SELECT version FROM depthwire.version');
  const version = rows[0]?.version ?? 0;
  if (version > migrations.length)
    throw unavailable(
      'newer_schema',
      `the schema ${SCHEMA} was written by a newer Depthwire (tables ${version}, this one knows ${migrations.length}): ` +
        'run that one, or let history.url name another database',
    );
  return version;
}

/** Parts of the tables by time: made before they are needed, dropped as a whole when they are too old. */
export class Partitions {
  /** Names of parts that are there, as far as this process knows. */
  readonly #known = new Set<string>();
  #isNative: boolean | null = null;

  /** They may have been dropped by somebody else. */
  forget(): void {
    this.#known.clear();
    this.#isNative = null;
  }

  /** Makes the parts for rows of these times, and the one after each. In a transaction of its own. */
  async ensure(
    client: ClientBase,
    times: Partial<Record<PartitionedTable, Iterable<number>>>,
  ): Promise<void> {
    const missing = new Map<string, { readonly table: PartitionedTable; readonly index: number }>();
    for (const [name, all] of Object.entries(times)) {
      const table = name as PartitionedTable;
      for (const time of all) {
        const index = Math.floor(time / partitioned[table]);
        for (const each of [index, index + 1]) {
          const part = partName(table, each);
          if (!this.#known.has(part)) missing.set(part, { table, index: each });
        }
      }
    }
    if (missing.size === 0 || !(await this.#isPartitioned(client))) return;
    if (missing.size > MAX_NEW_PARTITIONS)
      throw unavailable('refused', `one write has rows of ${missing.size} parts of tables that do not exist`);
    await alone(client, async () => {
      const there = new Set(await partsOf(client));
      for (const [part, { table, index }] of missing) {
        if (there.has(part)) continue;
        // Attached, not created in place: so nobody who reads or writes has to wait.
        await client.query(`CREATE TABLE depthwire.${part} (LIKE depthwire.${table} INCLUDING ALL)`);
        await client.query(
          `ALTER TABLE depthwire.${table} ATTACH PARTITION depthwire.${part} FOR VALUES FROM (${index * partitioned[table]}) TO (${(index + 1) * partitioned[table]})`,
        );
      }
    });
    for (const part of missing.keys()) this.#known.add(part);
  }

  /**
   * Drops some of the parts that are older as a whole.
   * @param before the time that rows of each table are kept from, in its own unit
   * @returns whether there are more
   */
  async drop(client: ClientBase, before: Readonly<Record<PartitionedTable, number>>): Promise<boolean> {
    if (!(await this.#isPartitioned(client))) {
      for (const [table, time] of Object.entries(before))
        await client.query('SELECT drop_chunks($1::regclass, older_than => $2::bigint)', [
          `${SCHEMA}.${table}`,
          time,
        ]);
      return false;
    }
    const old = (await partsOf(client)).filter((part) => {
      const table = Object.keys(partitioned).find((name) => part.startsWith(`${name}_p`)) as PartitionedTable;
      const index = Number(part.slice(table.length + 2));
      return (index + 1) * partitioned[table] <= before[table];
    });
    await alone(client, async () => {
      for (const part of old.slice(0, MAX_DROPPED))
        await client.query(`DROP TABLE IF EXISTS depthwire.${part}`);
    });
    for (const part of old) this.#known.delete(part);
    return old.length > MAX_DROPPED;
  }

  async #isPartitioned(client: ClientBase): Promise<boolean> {
    if (this.#isNative === null) {
      const { rows } = await client.query<{ relkind: string }>(
        "SELECT relkind FROM pg_class WHERE oid = 'depthwire.trades'::regclass",
      );
      this.#isNative = rows[0]!.relkind === 'p';
    }
    return this.#isNative;
  }
}

const partName = (table: PartitionedTable, index: number) => `${table}_p${index}`;

async function partsOf(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT part.relname AS name FROM pg_inherits
       JOIN pg_class AS part ON part.oid = inhrelid
       JOIN pg_class AS whole ON whole.oid = inhparent
      WHERE whole.relnamespace = 'depthwire'::regnamespace AND whole.relkind = 'p' AND part.relkind = 'r'`,
  );
  return rows.map(({ name }) => name);
}

/** A transaction that no other process changes tables in. */
async function alone(client: ClientBase, action: () => Promise<void>): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
    await action();
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined); // the connection may be gone
    throw error;
  }
}
