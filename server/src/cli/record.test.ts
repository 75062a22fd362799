import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBinanceEmulator, startKrakenEmulator } from '@depthwire/feeds/kit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const bin = join(import.meta.dirname, '../../bin/depthwire.js');
const TICK_MS = 20;

let folder: string;
const cleanups: (() => unknown)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'depthwire-record-'));
});
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  await rm(folder, { recursive: true, force: true });
});

async function startSpot(port?: number) {
  const symbols = [
    { symbol: 'BTCUSDT', base: 'BTC', quote: 'USDT' },
    { symbol: 'ETHUSDT', base: 'ETH', quote: 'USDT' },
  ];
  const emulator = await startBinanceEmulator({ market: 'spot', symbols, tickMs: TICK_MS, port });
  cleanups.push(() => emulator.close());
  return emulator;
}

/** The command, and what it said. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', error: '' };
  child.stdout.on('data', (data) => (said.out += String(data)));
  child.stderr.on('data', (data) => (said.error += String(data)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  cleanups.push(() => child.kill('SIGKILL'));
  return { child, said, ended };
}

function record(emulator: { endpoints: object }, out: string, ...more: string[]) {
  const symbols = ['BTC-USDT', 'ETH-USDT'];
  const { endpoints } = emulator;
  const feeds = [{ feed: 'binance', market: 'spot', symbols, endpoints, httpSpacingMs: 0 }];
  return run(['record', '--feed', 'binance', '--out', out, ...more], {
    DEPTHWIRE_FEEDS: JSON.stringify(feeds),
  });
}

async function verify(...paths: string[]) {
  const { said, ended } = run(['verify', '--json', ...paths]);
  const code = await ended;
  return { code, report: JSON.parse(said.out) as Record<string, never>, error: said.error };
}

describe.concurrent('record', { timeout: 60_000 }, () => {
  test('writes a capture that leads to the very books of the venue', async () => {
    const emulator = await startSpot();
    const out = join(folder, 'whole.jsonl.gz');
    const { child, said, ended } = record(emulator, out);
    await vi.waitFor(() => expect(emulator.isSubscribed('BTCUSDT')).toBe(true), { timeout: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(said.out).toMatch(/^\d+ records, .* MB in .*whole\.jsonl\.gz\n$/);
    const { code, report } = await verify(out);
    expect(report).toMatchObject({
      venue: 'binance',
      market: 'spot',
      scales: 'metadata',
      malformed: 0,
      sequence: { gaps: 0 },
      books: { BTCUSDT: { state: 'live' }, ETHUSDT: { state: 'live' } },
    });
    expect(code).toBe(0);
  });

  test('waits for a venue that is away, and leaves no file where it never came', async () => {
    const gone = await startSpot();
    const { endpoints } = gone;
    await gone.close();
    const out = join(folder, 'away.jsonl.gz');
    const first = record({ endpoints }, out);
    await vi.waitFor(() => expect(first.said.out).toContain('the venue is away'), { timeout: 20_000 });
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(1);
    expect(first.said.out).toMatch(/\nnothing was recorded\n$/);
    expect(existsSync(out)).toBe(false);

    const second = record({ endpoints }, out);
    await vi.waitFor(() => expect(second.said.out).toContain('the venue is away'), { timeout: 20_000 });
    const emulator = await startSpot(Number(new URL(endpoints.rest).port));
    await vi.waitFor(() => expect(emulator.isSubscribed('BTCUSDT')).toBe(true), { timeout: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(0);
    expect((await verify(out)).report).toMatchObject({ books: { BTCUSDT: { state: 'live' } } });
  });

  test('names its file as a capture', async () => {
    const { said, ended } = run([
      'record',
      ...['--feed', 'kraken', '--market', 'spot', '--symbols', 'BTC-USD'],
      ...['--out', 'x.zst'],
    ]);
    expect(await ended).toBe(2);
    expect(said.error).toContain('--out x.zst: name a file that ends in .jsonl.gz');
  });

  // By itself: it looks at how far a file is behind the clock.
  test(
    'leaves a file that can be read when it is killed, and loses at most the last second',
    { concurrent: false },
    async () => {
      const emulator = await startSpot();
      const out = join(folder, 'killed.jsonl.gz');
      const { child, ended } = record(emulator, out);
      await vi.waitFor(() => expect(emulator.isSubscribed('BTCUSDT')).toBe(true), { timeout: 20_000 });
      await new Promise((resolve) => setTimeout(resolve, 3_200));
      const killedAtMs = Date.now();
      child.kill('SIGKILL');
      await ended;
      const { code, report } = await verify(out);
      expect(code).toBe(0);
      expect(report.books).toMatchObject({ BTCUSDT: { state: 'live' } });
      const { readCapture } = await import('@depthwire/feeds');
      let lastMs = 0;
      for await (const batch of readCapture(out)) lastMs = batch.at(-1)!.t;
      expect(killedAtMs - lastMs).toBeLessThan(2_500); // a block a second, and the time it took to be written
    },
  );

  test('begins another file after the given time, and each can be read alone or together', async () => {
    const emulator = await startSpot();
    const out = join(folder, 'parts.jsonl.gz');
    // The shortest period is a minute: parts by size.
    const { child, ended } = record(emulator, out, '--rotate-mb', '1');
    await vi.waitFor(() => expect(emulator.isSubscribed('BTCUSDT')).toBe(true), { timeout: 20_000 });
    const garbage = Buffer.alloc(700_000, 'x').toString(); // fills the first part
    for (let i = 0; i < 3; i++)
      emulator.sendToAll(
        JSON.stringify({ stream: 'x@other', data: { e: 'other', noise: noise(i) + garbage } }),
      );
    await vi.waitFor(async () => expect((await parts()).length).toBe(2), { timeout: 20_000 });
    await vi.waitFor(() => expect(emulator.connectionCount).toBe(2), { timeout: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    const files = (await parts()).map((name) => join(folder, name));
    for (const file of files) {
      const { code, report } = await verify(file);
      expect([file, code, report.scales]).toEqual([file, 0, 'metadata']);
    }
    const { code, report } = await verify(...files);
    expect(code).toBe(0);
    expect(Object.keys(report)).toEqual(files);

    async function parts() {
      return (await readdir(folder)).filter((name) => name.startsWith('parts-')).sort();
    }
  });

  test('ends by itself after the given time', async () => {
    const emulator = await startSpot();
    const { ended } = record(emulator, join(folder, 'short.jsonl.gz'), '--for', '1');
    expect(await ended).toBe(0);
  });

  test('records metadata that comes over a socket', async () => {
    const symbols = [{ symbol: 'BTC/USD', base: 'BTC', quote: 'USD' }];
    const emulator = await startKrakenEmulator({ symbols, tickMs: TICK_MS });
    cleanups.push(() => emulator.close());
    const { ws, rest } = emulator.endpoints;
    const out = join(folder, 'kraken.jsonl.gz');
    const what = ['--feed', 'kraken', '--market', 'spot', '--symbols', 'BTC-USD', '--ws', ws, '--rest', rest];
    expect(await run(['record', ...what, '--out', out, '--for', '3']).ended).toBe(0);
    const { code, report } = await verify(out);
    expect(report).toMatchObject({ scales: 'metadata', checksums: { bad: 0 } });
    expect(code).toBe(0);
  });

  test.each([
    [
      'a file that is there already',
      ['--feed', 'binance', '--market', 'spot', '--symbols', 'X'],
      /is there already/,
    ],
    [
      'a market without symbols',
      ['--feed', 'binance', '--market', 'spot'],
      /--market and --symbols go together/,
    ],
    ['a feed that is not configured', ['--feed', 'nowhere'], /has no feed nowhere/],
    [
      'a venue there is not',
      ['--feed', 'mtgox', '--market', 'spot', '--symbols', 'X'],
      /no adapter for venue mtgox/,
    ],
  ])('refuses %s', async (_name, args, message) => {
    const taken = join(folder, 'taken.jsonl.gz');
    await writeFile(taken, '');
    const { said, ended } = run(['record', ...args, '--out', taken]);
    expect(await ended).toBe(2);
    expect(said.error).toMatch(message);
  });
});

/** Text that does not get smaller by being compressed. */
function noise(seed: number): string {
  let value = seed + 1;
  let text = '';
  for (let i = 0; i < 80_000; i++) {
    value = (value * 48_271) % 2_147_483_647;
    text += value.toString(36);
  }
  return text;
}
