import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BookReplica, codecs } from '@depthwire/shared';
import { hasRecorded, recordedFolder, spotCapture, writeCapture } from '../../test/captures.ts';
import type { VerifyReport } from './verify.ts';

const bin = fileURLToPath(new URL('../../bin/depthwire.js', import.meta.url));
/** Of a test that starts several processes beside others that do. */
const TIMEOUT_MS = 60_000;
/** One market: a server with all of them takes a second longer to start. */
const sim = JSON.stringify([{ feed: 'sim', instruments: ['sim:BTC-USD'], historyDays: 1 }]);
let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'depthwire-cli-'));
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [bin, ...args],
      { cwd: folder, env: { ...process.env, PORT: '', HOST: '' } },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
  });
}

async function verify(file: string, ...args: string[]): Promise<{ code: number; report: VerifyReport }> {
  const { code, stdout, stderr } = await run('verify', file, '--json', ...args);
  expect(stderr).toBe('');
  return { code, report: JSON.parse(stdout) as VerifyReport };
}

/** Starts a server on a free port and waits until it listens. */
async function serve(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [bin, ...args, '--port', '0'], {
    cwd: folder,
    env: { ...process.env, DEPTHWIRE_FEEDS: sim },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  for await (const line of createInterface(child.stdout)) {
    const entry = JSON.parse(line) as { msg: string; url: string };
    if (entry.msg === 'listening') return entry.url;
  }
  throw new Error('the server ended before it listened');
}

describe.concurrent('depthwire', { timeout: TIMEOUT_MS }, () => {
  test('has help for every command, and exit codes in it', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    for (const command of ['serve', 'replay', 'record', 'verify', 'tail', 'inspect', 'new-feed'])
      expect(stdout).toContain(command);
    expect(stdout).toContain('Exit codes');
    expect((await run('verify', '--help')).stdout).toContain('--symbols');
  });

  test.each([
    [['dance'], "unknown command 'dance'"],
    [['verify'], 'missing required argument'],
    [['serve', '--port', 'eighty'], 'expected an integer from 0 to 65535'],
    [['serve', '--log-level', 'loud'], 'logLevel (--log-level): expected fatal, error'],
    [['tail', 'sim:BTC-USD', '--url', 'localhost:8080'], 'expected a WebSocket URL such as ws://'],
    [['serve', '--speed', '2'], '--speed goes with --replay'],
    [['serve', '--config', 'nowhere.yaml'], 'nowhere.yaml: cannot be read'],
    [['replay', 'x.jsonl', '--speed', '-1'], 'expected a number above 0'],
    [['verify', 'nowhere.jsonl'], 'nowhere.jsonl: there is no such file'],
  ])('%j ends with code 2 and says what is wrong', async (args, message) => {
    const { code, stderr, stdout } = await run(...args);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test('a wrong configuration stops the start and names the key', async () => {
    await writeFile(join(folder, 'wrong.yaml'), 'gateway:\n  heartbeat: 5\n');
    const { code, stderr } = await run('serve', '--config', 'wrong.yaml');
    expect(code).toBe(2);
    expect(stderr).toContain('gateway.heartbeat (wrong.yaml): unknown key');
  });
});

describe('depthwire serve', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s, also before it listens', async (signal) => {
    // a venue that takes the connection and never answers
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const feeds = `[{feed: sim, instruments: ["sim:BTC-USD"]}, {feed: binance, market: spot, symbols: [BTC-USDT], endpoints: {rest: "http://127.0.0.1:${port}"}}]`;
    const child = spawn(process.execPath, [bin, 'serve', '--port', '0'], {
      cwd: folder,
      env: { ...process.env, DEPTHWIRE_FEEDS: feeds },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const messages: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      const { msg } = JSON.parse(line) as { msg: string };
      messages.push(msg);
      if (msg === 'feed started') child.kill(signal);
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect([child.exitCode, child.signalCode]).toEqual([0, null]);
    expect(messages).toContain('shutting down');
    expect(messages).not.toContain('listening');
    silent.close();
  });

  test('ends while it still reads a recording', async () => {
    const file = await writeCapture(join(folder, 'long.jsonl.gz'), spotCapture());
    const blank = gzipSync(Buffer.alloc(2 ** 24, '\n'));
    for (let i = 0; i < 64; i++) await appendFile(file, blank); // a gigabyte, read for over a minute
    const child = spawn(process.execPath, [bin, 'serve', '--replay', file, '--port', '0'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    children.push(child);
    await delay(1_000);
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect([child.exitCode, child.signalCode]).toEqual([0, null]);
  });
});

describe.concurrent('depthwire verify', { timeout: TIMEOUT_MS }, () => {
  test('reports a right capture and ends with 0', async () => {
    const file = await writeCapture(join(folder, 'right.jsonl.gz'), spotCapture());
    const { code, report } = await verify(file);
    expect(code).toBe(0);
    expect(report).toMatchObject({
      venue: 'binance',
      market: 'spot',
      scales: 'digits',
      frames: 27,
      bookUpdates: 20,
      trades: 7,
      malformed: 0,
      sequence: { links: 19, gaps: 0 },
      checksums: { ok: 0, bad: 0 },
      resyncs: 0,
      books: { ABCUSDT: { state: 'live', bids: 2, asks: 2, best_bid: '9.99', best_ask: '10.01' } },
    });
    expect(report.notes[0]).toContain('digits');
    expect((await verify(file, '--depth', '1')).report.books.ABCUSDT).toMatchObject({ bids: 1, asks: 1 });
  });

  test('finds a missing frame and does not call the book live', async () => {
    const records = spotCapture();
    records.splice(12, 1); // a book update after the snapshot
    const { code, report } = await verify(await writeCapture(join(folder, 'gap.jsonl'), records));
    expect(code).toBe(1);
    expect(report.sequence.gaps).toBe(1);
    expect(report.resyncs).toBe(1);
    expect(report.books.ABCUSDT).toMatchObject({
      state: 'recovering',
      reason: expect.stringContaining('gap'),
    });
  });

  test('resyncs after a missing frame where the capture holds a later snapshot', async () => {
    const whole = spotCapture();
    const truth = (await verify(await writeCapture(join(folder, 'whole.jsonl'), whole))).report.books
      .ABCUSDT!;
    const records = spotCapture();
    const body = {
      lastUpdateId: 115,
      bids: [
        ['9.99', '5'],
        ['9.98', '1'],
      ],
      asks: [
        ['10.01', '4'],
        ['10.02', '6'],
      ],
    };
    const at = records.findIndex((record) => 'data' in record && String(record.data).includes('"U":116'));
    const t = (records[at] as { t: number }).t - 1;
    records.splice(at, 0, {
      t,
      conn: 'rest',
      kind: 'rest',
      url: 'https://api.binance.com/api/v3/depth?symbol=ABCUSDT&limit=1000',
      data: JSON.stringify(body),
    });
    records.splice(12, 1);
    const { report } = await verify(await writeCapture(join(folder, 'healed.jsonl'), records));
    expect(report.sequence.gaps).toBe(1);
    expect(report.books.ABCUSDT).toEqual(truth);
  });

  test('does not call a capture right in which nothing could be checked', async () => {
    const records = spotCapture().filter((record) => !('data' in record));
    const file = await writeCapture(join(folder, 'nothing.jsonl'), [
      ...records,
      { t: 2_000, conn: 'ws', kind: 'in', data: '{"e":"kline","k":{}}' },
    ]);
    const { code, report } = await verify(file);
    expect({ code, frames: report.frames, books: report.books }).toEqual({ code: 1, frames: 1, books: {} });
    expect(report.notes).toContainEqual(expect.stringContaining('no book or trade of binance spot'));
  });

  test('makes a table of a folder of captures, where one that cannot be read is a row', async () => {
    const place = join(folder, 'captures');
    await mkdir(place);
    await writeCapture(join(place, 'a.jsonl.gz'), spotCapture());
    await writeFile(join(place, 'b.jsonl'), 'no capture\n');
    await writeFile(join(place, 'notes.txt'), 'not looked at');
    const { code, stdout } = await run('verify', place);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^capture +market +frames/);
    expect(stdout).toMatch(/a\.jsonl\.gz +binance spot .* 1 of 1 +right/);
    expect(stdout).toMatch(/b\.jsonl .*line 1: not JSON/);
    expect(stdout).toMatch(/\n1 of 2 right\n$/);
    const json = await run('verify', '--json', place);
    const reports = JSON.parse(json.stdout) as Record<string, object>;
    expect(reports).toMatchObject({
      [join(place, 'a.jsonl.gz')]: { books: { ABCUSDT: { state: 'live' } } },
      [join(place, 'b.jsonl')]: { error: { code: 'capture_corrupt' } },
    });
    expect((await run('verify', join(place, 'a.jsonl.gz'), join(place, 'a.jsonl.gz'))).code).toBe(0);
    await rm(join(place, 'b.jsonl'));
    expect((await run('verify', place)).code).toBe(0);
    expect(await run('verify', join(place, 'a.jsonl.gz'), 'nowhere')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nowhere: there is no such file'),
    });
    await rm(join(place, 'a.jsonl.gz'));
    expect(await run('verify', place)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('holds no captures'),
    });
  });

  test('names the line where a capture is corrupt, cut off or of an unknown venue', async () => {
    const corrupt = await writeCapture(join(folder, 'corrupt.jsonl'), spotCapture());
    const lines = (await readFile(corrupt, 'utf8')).split('\n');
    lines[4] = '{"t": 1, "conn"';
    await writeFile(corrupt, lines.join('\n'));
    expect(await run('verify', corrupt)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/line 5: not JSON[\s\S]*capture_corrupt/),
    });

    const cut = await writeCapture(join(folder, 'cut.jsonl.gz'), spotCapture(2_000));
    await writeFile(cut, (await readFile(cut)).subarray(0, -200));
    const { code, stdout } = await run('verify', cut);
    expect(code).toBe(1);
    expect(stdout).toMatch(/not right[\s\S]*cut off: the compressed data ends early, after line \d+/);
    expect(stdout).toMatch(/ABCUSDT +live/); // up to there
    expect(JSON.parse((await run('verify', '--json', cut)).stdout)).toMatchObject({
      cut: expect.stringContaining('ends early') as string,
    });

    const unknown = await writeCapture(join(folder, 'unknown.jsonl'), [
      { t: 1, conn: 'ws', kind: 'open', url: 'wss://example.com' },
    ]);
    expect(await run('verify', unknown)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/line 1: no adapter[\s\S]*capture_unknown_venue/),
    });
  });

  test('knows the symbols of a capture', async () => {
    const file = await writeCapture(join(folder, 'symbols.jsonl'), spotCapture());
    expect(await run('verify', file, '--symbols', 'XYZUSDT')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it has: ABCUSDT'),
    });
    expect(await run('verify', file, '--venue', 'mtgox')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('binance'),
    });
  });
});

describe.concurrent('depthwire replay', { timeout: TIMEOUT_MS }, () => {
  test('writes byte-identical frames each time, from which a client rebuilds the book', async () => {
    const file = await writeCapture(join(folder, 'replayed.jsonl'), spotCapture());
    const [first, second] = [
      await run('replay', file, '--frames', 'first.bin'),
      await run('replay', file, '--frames', 'second.bin'),
    ];
    expect(first.stdout).toBe(second.stdout);
    expect(first.stdout).toMatch(/^\d+ frames, \d+ bytes, sha256 [0-9a-f]{64}\n$/);
    const bytes = await readFile(join(folder, 'first.bin'));
    expect(bytes.equals(await readFile(join(folder, 'second.bin')))).toBe(true);
    const { report } = await verify(file);
    const replicas = replay(bytes);
    expect(replicas.size).toBe(2);
    for (const replica of replicas.values()) {
      expect(replica.state).toBe('live');
      expect([replica.book.bids.count, replica.book.asks.count]).toEqual([
        report.books.ABCUSDT!.bids,
        report.books.ABCUSDT!.asks,
      ]);
    }
  });

  test('serves the recorded market, and waits for a subscriber when asked to', async () => {
    const file = await writeCapture(join(folder, 'served.jsonl'), spotCapture());
    const url = await serve('serve', '--replay', file, '--speed', 'max', '--wait');
    const id = 'binance:ABC-USDT';
    const before = (await (await fetch(`${url}/api/v1/instruments/${id}`)).json()) as {
      state: string;
      instrument: { origin: string };
    };
    expect(before).toMatchObject({ state: 'syncing', instrument: { origin: 'replayed' } });
    const { code, stdout } = await run(
      'tail',
      id,
      '--url',
      `${url.replace('http', 'ws')}/ws`,
      '--once',
      '--depth',
      '3',
    );
    expect(code).toBe(0);
    expect(stdout).toContain('binance:ABC-USDT  live · replayed');
    expect(stdout).toContain('10.01');
  });
});

describe.concurrent('depthwire tail', { timeout: TIMEOUT_MS }, () => {
  const nowhere = 'ws://127.0.0.1:1/ws';
  const nobody = `no server answers at ${nowhere}: connect ECONNREFUSED 127.0.0.1:1; is the server running?`;

  test('ends with 1 and a reason where there is no server or no such instrument', async () => {
    expect(await run('tail', 'sim:BTC-USD', '--url', nowhere, '--once')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(nobody),
    });
    const url = await serve('serve');
    expect(await run('tail', 'sim:MOON-USD', '--url', `${url.replace('http', 'ws')}/ws`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('sim:MOON-USD'),
    });
  });

  test('tells into a pipe why there is nothing to show, and goes on trying', async () => {
    const child = spawn(process.execPath, [bin, 'tail', 'sim:BTC-USD', '--url', nowhere], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    const [line] = (await once(createInterface(child.stderr), 'line')) as [string];
    expect(line).toContain(nobody);
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describe.skipIf(!hasRecorded)('recorded captures', { concurrent: true, timeout: TIMEOUT_MS }, () => {
  interface Indexed {
    file: string;
    venue: string;
    messages: number;
    books: Record<string, object>;
  }
  let index: Indexed[] = [];
  beforeAll(async () => {
    index = JSON.parse(await readFile(`${recordedFolder}index.json`, 'utf8')) as Indexed[];
  });

  test('every Binance capture leads to exactly the books of its index', async () => {
    const captures = index.filter(({ venue }) => venue === 'binance');
    expect(captures).toHaveLength(6);
    for (const { file, messages, books } of captures) {
      const { code, report } = await verify(`${recordedFolder}${file}`);
      expect(code, file).toBe(0);
      expect(report.frames).toBe(messages);
      expect(report.books).toMatchObject(books);
      expect(Object.keys(report.books).sort()).toEqual(Object.keys(books).sort());
    }
  });

  test('a replica that follows the frames equals the engine by checksum at every one of them, twice the same', async () => {
    const file = `${recordedFolder}binance-spot-ethusdt-2024-08.jsonl.gz`;
    const first = await run('replay', file, '--frames', 'recorded.bin');
    expect((await run('replay', file, '--frames', '-')).stdout).toBe(first.stdout);
    const replicas = replay(await readFile(join(folder, 'recorded.bin')));
    for (const replica of replicas.values()) expect(replica.verified).toBeGreaterThan(6_000);
  });

  test('a recorded frame left out is found', async () => {
    const lines: string[] = [];
    const source = createReadStream(`${recordedFolder}binance-usdm-4sym-2021-07.jsonl.gz`).pipe(
      createGunzip(),
    );
    for await (const line of createInterface(source)) lines.push(line);
    const updates = lines.flatMap((line, i) => (line.includes('sushiusdt@depth') && i > 500 ? [i] : []));
    lines.splice(updates[20]!, 1);
    await writeFile(join(folder, 'recorded-gap.jsonl'), lines.join('\n'));
    const { code, report } = await verify('recorded-gap.jsonl');
    expect(code).toBe(1);
    expect(report.sequence.gaps).toBe(1);
    const states = Object.entries(report.books).map(([symbol, { state }]) => [symbol, state]);
    expect(Object.fromEntries(states)).toEqual({
      SUSHIUSDT: 'recovering',
      AKROUSDT: 'live',
      KEEPUSDT: 'live',
      CTKUSDT: 'live',
    });
  });
});

/** Rebuilds every book channel of a frames file; each frame must apply, and each checksum hold. */
function replay(bytes: Buffer): Map<number, BookReplica> {
  const replicas = new Map<number, BookReplica>();
  for (let offset = 0; offset < bytes.length;) {
    const length = bytes.readUInt32BE(offset);
    const frame = codecs.msgpack.decode(bytes.subarray(offset + 4, offset + 4 + length)) as [number, number];
    offset += 4 + length;
    if (frame[0] > 3) continue;
    let replica = replicas.get(frame[1]);
    if (!replica) replicas.set(frame[1], (replica = new BookReplica()));
    expect(replica.apply(frame), replica.error?.message).toBe('applied');
  }
  return replicas;
}
