import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { bookChecksum, DepthwireClient, whenReady } from '@depthwire/shared';
import { freePort } from '../../test/ports.ts';
import { redisPath, startRedis } from '../../test/redis.ts';

const bin = fileURLToPath(new URL('../../bin/depthwire.js', import.meta.url));
/** Only ends a test that has failed. */
const PATIENT = { timeout: 30_000, interval: 50 };
const TEST_MS = 120_000;
const ids = ['sim:BTC-USD', 'sim:ETH-USD', 'sim:SOL-USD'];
const feeds = `[{feed: sim, rate: 5, instruments: [${ids.join(', ')}]}]`;

interface Health {
  readonly books: { readonly live: number };
  readonly bus: {
    readonly connected: boolean;
    readonly feeds: { readonly leader: string | null; readonly epoch: number | null }[];
  };
}

interface Book {
  readonly state: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly checksum: number;
}

/** A process of its own, as an operator starts it. */
class Server {
  readonly url: string;
  readonly child: ChildProcess;

  constructor(role: 'ingest' | 'gateway', port: number, bus: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.child = spawn(process.execPath, [bin, 'serve', '--role', role, '--port', `${port}`], {
      env: {
        ...process.env,
        DEPTHWIRE_BUS: bus,
        DEPTHWIRE_FEEDS: feeds,
        LOG_LEVEL: 'warn',
        DEPTHWIRE_HISTORY: '{store: none}',
      },
      stdio: 'inherit',
    });
    onTestFinished(() => this.kill());
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  async get<T>(path: string): Promise<T> {
    return (await (await fetch(`${this.url}/api/v1/${path}`)).json()) as T;
  }

  async epoch(): Promise<number | null> {
    return (await this.get<Health>('health')).bus.feeds[0]?.epoch ?? null;
  }
}

async function start() {
  const redis = await startRedis();
  const serve = async (role: 'ingest' | 'gateway') => new Server(role, await freePort(), redis.url);
  const ingests = [await serve('ingest'), await serve('ingest')];
  const gateways = [await serve('gateway'), await serve('gateway')];
  const allLive = () =>
    vi.waitFor(async () => {
      for (const gateway of gateways) {
        const { books, bus } = await gateway.get<Health>('health');
        expect(books.live).toBe(ids.length);
        expect(bus.connected).toBe(true);
      }
    }, PATIENT);
  await allLive();
  return { redis, ingests, gateways, allLive, ...watch(gateways) };
}

/** Looks at the books of all gateways all the time: of one epoch and count of updates there is one book. */
function watch(gateways: readonly Server[]) {
  const found = new Map<string, number>();
  const epochs = new Map<Server, number>();
  const problems: string[] = [];
  let shared = 0;
  let isOver = false;
  const look = async (gateway: Server) => {
    while (!isOver) {
      for (const id of ids) {
        const book = await gateway.get<Book>(`instruments/${id}/book`).catch(() => null);
        if (book?.state !== 'live') continue;
        const key = `${id} ${book.epoch} ${book.sequence}`;
        const before = found.get(key);
        if (before !== undefined) shared += 1;
        if (before !== undefined && before !== book.checksum) problems.push(`two books of ${key}`);
        found.set(key, book.checksum);
        if (book.epoch < (epochs.get(gateway) ?? 0)) problems.push(`${id} went back to epoch ${book.epoch}`);
        epochs.set(gateway, book.epoch);
      }
      await delay(5);
    }
  };
  const looking = gateways.map(look);
  onTestFinished(() => {
    isOver = true;
  });
  return {
    problems,
    async end() {
      isOver = true;
      await Promise.all(looking);
      expect(problems).toEqual([]);
      expect(shared).toBeGreaterThan(10);
    },
  };
}

async function leaderOf(ingests: readonly Server[]): Promise<Server> {
  return vi.waitFor(async () => {
    for (const ingest of ingests) if ((await ingest.epoch()) !== null) return ingest;
    throw new Error('nobody leads');
  }, PATIENT);
}

async function client({ url }: Server) {
  const client = new DepthwireClient({ url: `${url.replace('http', 'ws')}/ws` });
  onTestFinished(() => client.close());
  const errors: string[] = [];
  client.on('error', ({ code, message }) => errors.push(`${code}: ${message}`));
  client.connect();
  const book = await whenReady(client.book(ids[0]!, { depth: 0, cadenceMs: 0 }));
  const trades = await whenReady(client.trades(ids[0]!, { cadenceMs: 0 }));
  return { book, trades, errors };
}

test.skipIf(redisPath === null)(
  'two ingests and two gateways: the leader is killed, another leads, and every client has its books',
  async () => {
    const { ingests, gateways, allLive, end } = await start();
    const clients = await Promise.all(gateways.map(client));
    const leader = await leaderOf(ingests);
    const before = (await leader.epoch())!;
    const killedAt = performance.now();
    await leader.kill();
    const [other] = ingests.filter((ingest) => ingest !== leader);
    await leaderOf([other!]);
    for (const gateway of gateways)
      await vi.waitFor(async () => expect(await gateway.epoch()).toBeGreaterThan(before), PATIENT);
    await allLive();
    process.stdout.write(`live again after ${Math.round(performance.now() - killedAt)} ms\n`);
    for (const { book, errors } of clients) {
      await vi.waitFor(() => expect(book.state).toBe('live'), PATIENT);
      expect(errors).toEqual([]);
    }
    // Both clients come by the very same books: at some moment they are of the same update.
    await vi.waitFor(() => {
      const [one, two] = clients.map(({ book: { book } }) => [book.sequence, bookChecksum(book)]);
      expect(one).toEqual(two);
    }, PATIENT);
    for (const gateway of gateways) {
      const { trades } = await gateway.get<{ trades: { id: number; time: number }[] }>(
        `instruments/${ids[0]}/trades?limit=1000`,
      );
      expect(new Set(trades.map(({ id }) => id)).size).toBe(trades.length);
      const times = trades.map(({ time }) => time);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
    await end();
  },
  TEST_MS,
);

test.skipIf(redisPath === null)(
  'a leader that stood still says nothing that anybody takes when it goes on',
  async () => {
    const { ingests, gateways, allLive, end } = await start();
    const leader = await leaderOf(ingests);
    const [other] = ingests.filter((ingest) => ingest !== leader);
    const before = (await leader.epoch())!;
    leader.child.kill('SIGSTOP');
    await leaderOf([other!]);
    await allLive();
    await delay(2_000); // what it took from its venue meanwhile waits for it
    leader.child.kill('SIGCONT');
    await vi.waitFor(async () => expect(await leader.epoch()).toBeNull(), PATIENT);
    const after = (await other!.epoch())!;
    expect(after).toBeGreaterThan(before);
    await allLive();
    for (const gateway of gateways) expect(await gateway.epoch()).toBe(after);
    await end();
  },
  TEST_MS,
);

test.skipIf(redisPath === null)(
  'Redis that stands still and goes on: the same leader, the same epoch, and right books',
  async () => {
    const { redis, ingests, gateways, allLive, end } = await start();
    const leader = await leaderOf(ingests);
    const before = (await leader.epoch())!;
    process.kill(redis.pid!, 'SIGSTOP');
    await vi.waitFor(async () => {
      for (const gateway of gateways) expect((await gateway.get<Health>('health')).books.live).toBe(0);
    }, PATIENT);
    process.kill(redis.pid!, 'SIGCONT');
    await allLive();
    expect(await leader.epoch()).toBe(before);
    await end();
  },
  TEST_MS,
);
