import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DepthwireClient, type DepthwireError } from '@depthwire/shared';
import { expect, onTestFinished, test, vi } from 'vitest';

// A server whose machine's clock is set while it runs, by libfaketime; what passes stays what it is.

const bin = fileURLToPath(new URL('../bin/depthwire.js', import.meta.url));
const instrument = 'sim:BTC-USD';
const WAIT = { timeout: 30_000, interval: 20 };

const isInstalled = spawnSync('faketime', ['--version']).status === 0;
if (!isInstalled)
  process.stderr.write('no faketime is installed: the test with a clock that is set is skipped\n');

/** A server, and how to set its clock to so many seconds from the machine's. */
async function startServer() {
  const folder = await mkdtemp(join(tmpdir(), 'depthwire-clock-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'faketime');
  const set = async (seconds: number) => {
    await writeFile(`${file}.new`, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
    await rename(`${file}.new`, file); // it is read at any time
  };
  await set(0);
  const config = join(folder, 'depthwire.yaml');
  await writeFile(config, `feeds:\n  - feed: sim\n    instruments: [${instrument}]\n    historyDays: 1\n`);
  // The tool itself would keep to the time that it is given.
  const command = `unset FAKETIME; exec "${process.execPath}" "${bin}" serve --port 0 --config "${config}"`;
  const child = spawn('faketime', ['-f', '+0', 'sh', '-c', command], {
    cwd: folder,
    detached: true, // faketime starts the server as a process of its own: both end as a group
    env: {
      ...process.env,
      ...{ FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' },
    },
  });
  onTestFinished(async () => {
    process.kill(-child.pid!, 'SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  const origin = await vi.waitFor(() => {
    const [found] = /http:\/\/(127\.0\.0\.1|localhost):\d+/.exec(output) ?? [];
    if (found === undefined) throw new Error(`it does not listen: ${output}`);
    return found;
  }, WAIT);
  return { url: `${origin.replace('http', 'ws')}/ws`, set };
}

test.skipIf(!isInstalled)(
  'a server whose clock is set by an hour, on or back, goes on: no book is lost, and no session ends',
  { timeout: 120_000 },
  async () => {
    const { url, set } = await startServer();
    const client = new DepthwireClient({ url });
    onTestFinished(() => client.close());
    const errors: DepthwireError[] = [];
    client.on('error', (error) => errors.push(error));
    const books = [0, 100, 1_000].map((cadenceMs) => client.book(instrument, { depth: 20, cadenceMs }));
    const lost: string[] = [];
    for (const book of books) book.on('error', (error) => lost.push(error.message));
    client.connect();
    for (const book of books) await vi.waitFor(() => expect(book.state).toBe('live'), WAIT);
    const { session } = client.hello!;
    for (const book of books)
      book.on('state', () => book.state !== 'live' && lost.push(`${book.state}: ${book.reason}`));

    for (const seconds of [-3_600, 0, 3_600, 0]) {
      const frames = books.map(({ replica }) => replica.seq);
      const verified = books.map(({ replica }) => replica.verified);
      await set(seconds);
      // Its clock is another, and each cadence goes on by it.
      await vi.waitFor(
        () => expect(Math.abs(books[0]!.replica.timeMs - Date.now() - seconds * 1_000)).toBeLessThan(60_000),
        WAIT,
      );
      for (const [i, book] of books.entries()) {
        await vi.waitFor(() => expect(book.replica.seq).toBeGreaterThan(frames[i]! + 3), WAIT);
        await vi.waitFor(() => expect(book.replica.verified).toBeGreaterThan(verified[i]!), WAIT);
      }
    }
    expect(lost).toEqual([]);
    expect(errors).toEqual([]);
    expect(client.hello!.session).toBe(session);
  },
);
