import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { backup, DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { batchOf, testSeries, trade } from '../../../test/history-batches.ts';
import { openStore, temporaryFolder } from '../../../test/stores.ts';
import { createHistoryStore } from './create-store.ts';

const WRITER = fileURLToPath(new URL('../../../test/history-writer.ts', import.meta.url));
/** The limit of the size of a file is the kernel's, and a full disk is that to SQLite. */
const prlimit = ['/usr/bin/prlimit'].find((file) => existsSync(file));
const START_MS = 1_700_006_400_000;
const series = testSeries();

/** A process that writes 50 trades whenever it is asked to. */
function startWriter(path: string, first = 0, limit: readonly string[] = []) {
  const [file, ...args] = [...limit, process.execPath, WRITER, path, `${first}`];
  const child = spawn(file!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  return {
    pid: child.pid!,
    kill,
    /** What it says: how many trades there are, or why they were not written. */
    async write(): Promise<string> {
      child.stdin.write('\n');
      return String((await lines.next()).value);
    },
    /** Without waiting for what it says. */
    begin: () => child.stdin.write('\n'),
  };
}

async function tradesOf(path: string): Promise<string[]> {
  const store = createHistoryStore({ store: 'sqlite', path });
  try {
    await store.open();
    const trades = await store.trades(series, { direction: 'from', limit: 10_000 });
    const candles = await store.candles(series, '1d', 10, Infinity);
    expect(candles.reduce((sum, each) => sum + each.trades, 0)).toBe(trades.length);
    return trades.map(({ id }) => String(id));
  } finally {
    await store.close();
  }
}
const idsUpTo = (count: number) => Array.from({ length: count }, (_, i) => `trade-${i}`);
const reasonOf = (reason: string) => ({ code: 'history_unavailable', details: { reason } });

describe('a file of stored history', () => {
  test('has all that was answered for after kill -9, and the last batch wholly or not at all', async () => {
    const path = join(await temporaryFolder(), 'history.db');
    let count = 0;
    for (let round = 0; round < 3; round++) {
      const writer = startWriter(path, count);
      for (let i = 0; i < 4; i++) count = Number(await writer.write());
      writer.begin();
      await writer.kill();
      const found = await tradesOf(path);
      expect([count, count + 50]).toContain(found.length);
      expect(found).toEqual(idsUpTo(found.length));
      count = found.length;
    }
  });

  test('is refused to a second process until the first one ends, however it does', async () => {
    const path = join(await temporaryFolder(), 'history.db');
    const first = startWriter(path);
    expect(await first.write()).toBe('50');
    const second = createHistoryStore({ store: 'sqlite', path });
    onTestFinished(() => second.close());
    await expect(second.open()).rejects.toMatchObject({
      ...reasonOf('in_use'),
      message: expect.stringContaining('history.store: postgres'),
    });
    expect(await first.write()).toBe('100');
    await first.kill();
    await second.open();
    expect(await second.numberOf(series, 'trade-99')).toBe(100);
    const third = createHistoryStore({ store: 'sqlite', path });
    await expect(third.open()).rejects.toMatchObject(reasonOf('in_use'));
  });

  test('can be read and copied by other programs meanwhile', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'history.db');
    const store = await openStore({ store: 'sqlite', path });
    await store.write([batchOf([trade(1, START_MS)])]);
    const other = new DatabaseSync(path, { readOnly: true });
    const copy = join(folder, 'copy.db');
    await backup(other, copy);
    await store.write([batchOf([trade(2, START_MS)])]);
    expect(other.prepare('SELECT count(*) AS n FROM trades').get()).toEqual({ n: 2 });
    other.close();
    expect(await tradesOf(copy)).toEqual(['1']);
  });

  test.skipIf(!prlimit)(
    'takes nothing while the disk is full, is whole, and goes on once there is room',
    async () => {
      const path = join(await temporaryFolder(), 'history.db');
      const writer = startWriter(path, 0, [prlimit!, '--fsize=262144:unlimited']);
      let count = 0;
      let said = '';
      while (!said) {
        const answer = await writer.write();
        if (/^\d+$/.test(answer)) count = Number(answer);
        else said = answer;
      }
      expect(said).toBe('full');
      expect(await writer.write()).toBe('full');
      expect(count).toBeGreaterThan(0);
      execFileSync(prlimit!, ['--pid', `${writer.pid}`, '--fsize=unlimited']);
      expect(await writer.write()).toBe(`${count + 50}`);
      await writer.kill();
      expect(await tradesOf(path)).toEqual(idsUpTo(count + 50));
      const db = new DatabaseSync(path);
      expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      db.close();
    },
  );

  test('is left alone where it is something else, and the error says what to do', async () => {
    const folder = await temporaryFolder();
    const open = (name: string) => openStore({ store: 'sqlite', path: join(folder, name) });
    await writeFile(join(folder, 'text.db'), 'Not a database. '.repeat(1_000));
    await expect(open('text.db')).rejects.toMatchObject({
      ...reasonOf('not_a_database'),
      message: expect.stringContaining('let history.path name another file'),
    });
    const other = new DatabaseSync(join(folder, 'other.db'));
    other.exec('CREATE TABLE trades (mine TEXT)');
    other.close();
    await expect(open('other.db')).rejects.toMatchObject(reasonOf('not_a_database'));
    await (await open('newer.db')).close();
    const newer = new DatabaseSync(join(folder, 'newer.db'));
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    await expect(open('newer.db')).rejects.toMatchObject({
      ...reasonOf('newer_schema'),
      message: expect.stringContaining('newer Depthwire'),
    });
    await mkdir(join(folder, 'folder'));
    await expect(open('folder')).rejects.toMatchObject({
      ...reasonOf('refused'),
      message: expect.stringContaining('is a folder: let history.path name a file'),
    });
    await writeFile(join(folder, 'file'), '');
    await expect(open('file/history.db')).rejects.toMatchObject({ code: 'history_unavailable' });
  });

  test('makes its folder, and can be opened again after it could not be', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a', 'b', 'history.db');
    const holder = await openStore({ store: 'sqlite', path });
    const store = createHistoryStore({ store: 'sqlite', path });
    onTestFinished(() => store.close());
    await expect(store.open()).rejects.toMatchObject(reasonOf('in_use'));
    await expect(store.heardUntil(series)).rejects.toMatchObject(reasonOf('closed'));
    await holder.close();
    await store.open();
    expect(await store.heardUntil(series)).toBeNull();
  });
});
