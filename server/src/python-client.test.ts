import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { bookChecksum, codecs, frameCodes, type DataFrame } from '@depthwire/shared';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createKey, hashOf, secretPrefix } from './access/keys.ts';
import { parseConfig } from './config/config.ts';
import { createDepthwire, type Depthwire } from './depthwire.ts';
import { createFeeds } from './feed-factory.ts';
import { examples } from './protocol/examples.ts';

// examples/python, which knows the protocol by its document alone, against a server, with a network that fails between.

const root = fileURLToPath(new URL('../..', import.meta.url));
const instrument = 'sim:BTC-USD';
const WAIT = { timeout: 30_000, interval: 50 };

const setup = spawnSync(process.execPath, ['scripts/python.mjs'], { cwd: root, encoding: 'utf8' });
const python = setup.status === 0 ? setup.stdout.trim() : null;
if (python === null) process.stderr.write(`the Python client is not tested: ${setup.stderr}`);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The books that the server had, by epoch and sequence. */
class Server {
  readonly checksums = new Map<string, number>();
  #depthwire: Depthwire | null = null;
  #port = 0;

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/ws`;
  }

  /** From the second time on, on the port it had. */
  async start(access: object = {}): Promise<void> {
    const config = parseConfig({
      history: { store: 'none' },
      port: this.#port,
      access,
      feeds: [{ feed: 'sim', instruments: [instrument], rate: 5, historyDays: 1 }],
    });
    const depthwire = await createDepthwire({
      config,
      logger: pino({ level: 'silent' }),
      feeds: createFeeds(config.feeds),
    });
    this.#port = Number(new URL(await depthwire.listen()).port);
    this.#depthwire = depthwire;
    const { epoch } = depthwire.hub;
    const note = setInterval(() => {
      const market = depthwire.source.markets.get(instrument);
      if (market) this.checksums.set(`${epoch} ${market.book.sequence}`, bookChecksum(market.book));
    }, 1);
    cleanups.push(() => {
      clearInterval(note);
      return this.stop();
    });
  }

  async stop(): Promise<void> {
    await this.#depthwire?.close();
    this.#depthwire = null;
  }
}

/** Passes messages on, and does to them what networks do. */
async function startProxy(server: Server) {
  const proxy = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(proxy, 'listening');
  cleanups.push(() => proxy.close());
  const network = {
    connections: 0,
    resumes: 0,
    merged: 0,
    /** Data frames to be lost. */
    losses: 0,
    /** Data frames of which the checksum is to be wrong. */
    damages: 0,
    url: `ws://127.0.0.1:${(proxy.address() as { port: number }).port}/ws`,
    cut() {
      for (const client of proxy.clients) client.terminate();
    },
  };
  proxy.on('connection', (client) => {
    network.connections += 1;
    const upstream = new WebSocket(server.url, ['depthwire.v1.msgpack']);
    const opened = once(upstream, 'open').catch(() => undefined);
    client.on('message', (data: Buffer) => {
      if (data.includes('resume')) network.resumes += 1;
      void opened.then(() => upstream.readyState === WebSocket.OPEN && upstream.send(data));
    });
    upstream.on('message', (data: Buffer) => {
      const isFrame = data[0]! >>> 4 === 0x9;
      if (isFrame && network.losses > 0) {
        network.losses -= 1;
        return;
      }
      const frame = codecs.msgpack.decode(data) as unknown[];
      if (frame[0] === frameCodes.bookMerged) network.merged += 1;
      const checksumAt = frame[0] === frameCodes.bookMerged ? 11 : frame[0] === frameCodes.bookDelta ? 9 : -1;
      if (isFrame && network.damages > 0 && frame[checksumAt] !== undefined) {
        network.damages -= 1;
        frame[checksumAt] = ((frame[checksumAt] as number) ^ 1) >>> 0;
        client.send(codecs.msgpack.encode(frame as unknown as DataFrame));
        return;
      }
      client.send(data);
    });
    upstream.on('error', () => client.terminate());
    upstream.on('close', (code) => (code >= 3000 || code === 1001 ? client.close(code) : client.terminate()));
    client.on('close', () => upstream.terminate());
  });
  return network;
}

interface Line {
  readonly state: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly checksum: number;
}

/** `tail.py`, as a user would run it. */
function startTail(
  url: string,
  options: readonly string[] = [],
  key?: string,
): { lines: Line[]; other: string[] } {
  const lines: Line[] = [];
  const other: string[] = [];
  const child = spawn(python!, ['examples/python/tail.py', instrument, '--url', url, ...options], {
    cwd: root,
    env: { ...process.env, DEPTHWIRE_KEY: key },
  });
  cleanups.push(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  createInterface(child.stdout).on('line', (line) => {
    const found = /^(\w+) .*\(epoch (\d+), sequence (\d+), checksum (\d+)\)$/.exec(line);
    if (!found) other.push(line);
    else {
      const [epoch, sequence, checksum] = found.slice(2).map(Number);
      lines.push({ state: found[1]!, epoch: epoch!, sequence: sequence!, checksum: checksum! });
    }
  });
  createInterface(child.stderr).on('line', (line) => other.push(line));
  return { lines, other };
}

describe.skipIf(python === null)('the Python client', { timeout: 120_000 }, () => {
  const server = new Server();

  /** Compares what it showed as live with what the server had; both pass over some sequences. */
  function compared(lines: readonly Line[]): number {
    let count = 0;
    for (const { state, epoch, sequence, checksum } of lines) {
      const expected = server.checksums.get(`${epoch} ${sequence}`);
      if (state !== 'live' || expected === undefined) continue;
      expect(checksum, `sequence ${sequence} of epoch ${epoch}`).toBe(expected);
      count += 1;
    }
    return count;
  }

  test.each([
    ['every update', ['--cadence', '0', '--depth', '50'], 0],
    ['merged frames, as it asks for fewer', ['--cadence', '0', '--depth', '0', '--rate', '10'], 10],
  ])(
    'has the right book of %s, through lost and damaged frames, cuts and restarts',
    async (_, options, least) => {
      await server.start();
      const network = await startProxy(server);
      const { lines, other } = startTail(network.url, options);
      const stepsOf = async () => {
        const from = lines.length;
        await vi.waitFor(
          () => expect(compared(lines.slice(from)), other.join('\n')).toBeGreaterThan(5),
          WAIT,
        );
      };
      await stepsOf();

      const states = () => lines.map(({ state }) => state);
      const recoveries = () =>
        states().filter((state, i) => state === 'recovering' && states()[i - 1] === 'live').length;
      for (const trouble of ['losses', 'damages'] as const) {
        const before = recoveries();
        network[trouble] = 1;
        await vi.waitFor(() => expect(recoveries()).toBeGreaterThan(before), WAIT);
        await vi.waitFor(() => expect(states().at(-1)).toBe('live'), WAIT);
        await stepsOf();
      }
      expect(network.connections).toBe(1);
      expect(network.merged).toBeGreaterThanOrEqual(least);

      network.cut();
      await vi.waitFor(() => expect(network.connections).toBeGreaterThan(1), WAIT);
      await stepsOf();
      expect(network.resumes).toBeGreaterThan(0);
      const epochs = () => [...new Set(lines.map(({ epoch }) => epoch))].filter((epoch) => epoch > 0);
      expect(epochs()).toHaveLength(1);

      await server.stop();
      await vi.waitFor(() => expect(states().at(-1)).toBe('recovering'), WAIT);
      await server.start();
      await vi.waitFor(() => expect(epochs()).toHaveLength(2), WAIT);
      await stepsOf();
      expect(other).toEqual([]);
    },
  );

  test('says who it is where the server wants to know, and what is wrong where it cannot', async () => {
    const key = createKey(secretPrefix);
    await server.start({ keys: [{ id: 'desk', hash: hashOf(key) }] });
    const { lines } = startTail(server.url, [], key);
    await vi.waitFor(() => expect(lines.at(-1)?.state).toBe('live'), WAIT);
    const nobody = startTail(server.url);
    await vi.waitFor(
      () => expect(nobody.other.join('\n')).toContain('the server wants a key or token'),
      WAIT,
    );
    const guessing = startTail(server.url, [], createKey(secretPrefix));
    await vi.waitFor(
      () => expect(guessing.other.join('\n')).toContain('unauthenticated: token: no such key'),
      WAIT,
    );
  });

  test('takes a frame that goes on from the book of another gateway, and no other', () => {
    const { bookSnapshot, bookDelta, bookState, bookResumed } = examples.frames;
    const here = [...bookSnapshot, ...bookDelta, ...bookState];
    const program = [
      'import json, sys',
      'from book import Book, BookError',
      'here, resumed = json.load(sys.stdin)',
      'def moved():',
      '    book = Book()',
      '    for frame in here: book.apply(frame)',
      '    book.move()',
      '    return book',
      'book = moved()',
      'print(book.state, book.apply(resumed), book.state, book.seq, book.sequence)',
      'resumed[4] -= 1',
      'book = moved()',
      'try: book.apply(resumed)',
      'except BookError: print(book.state, book.seq)',
    ].join('\n');
    const { stdout } = spawnSync(python!, ['-c', program], {
      cwd: `${root}examples/python`,
      input: JSON.stringify([here, bookResumed[0]]),
      encoding: 'utf8',
    });
    expect(stdout.split('\n').slice(0, 2)).toEqual(['recovering True live 12 18255', 'recovering None']);
  });

  test('says what is refused', async () => {
    await server.start();
    const { other } = startTail(server.url.replace('/ws', '/nothing'));
    await vi.waitFor(() => expect(other.join('\n')).toContain('404'), WAIT);
  });
});
