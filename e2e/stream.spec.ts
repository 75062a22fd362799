import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { bookChecksum, BookReplica, type DataFrame, type Subscribed } from '@depthwire/shared';
import { expect, test } from './fixtures.ts';

const instrument = 'sim:BTC-USD';
const query = `book=${instrument},depth=0,cadence=0&trades=${instrument}&ticker=${instrument}`;

type Seen = [event: string, data: string];

/** A way to the server that can be cut. */
async function startProxy(url: string) {
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(Number(new URL(url).port), '127.0.0.1');
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut,
    close() {
      cut();
      proxy.close();
    },
  };
}

test('the EventSource of a browser has the book, goes on by itself after a cut, and begins anew after a restart', async ({
  page,
  depthwire,
}) => {
  const proxy = await startProxy(depthwire.url);
  try {
    await page.goto(`${proxy.url}/api/v1/health`);
    await page.evaluate((url) => {
      const seen: Seen[] = [];
      const source = new EventSource(url);
      for (const event of ['hello', 'subscribed', 'book'])
        source.addEventListener(event, ({ data }: MessageEvent<string>) => seen.push([event, data]));
      Object.assign(globalThis, { seen });
    }, `/api/v1/stream?${query}`);

    const replica = new BookReplica();
    const answers: Subscribed[] = [];
    const checksums = new Map<number, number>();
    async function read(): Promise<void> {
      const seen = await page.evaluate(() => (globalThis as unknown as { seen: Seen[] }).seen.splice(0));
      for (const [event, data] of seen) {
        if (event === 'hello') checksums.clear();
        else if (event === 'subscribed') {
          const answer = JSON.parse(data) as Subscribed;
          answers.push(answer);
          if (answer.topic !== 'book') continue;
          if (answer.seq === undefined) replica.restart();
          else replica.resume(answer.seq);
        } else {
          expect(replica.apply(JSON.parse(data) as DataFrame)).not.toBe('broken');
          checksums.set(replica.book.sequence, bookChecksum(replica.book));
        }
      }
    }
    const hasServersBook = async () => {
      const response = await fetch(`${depthwire.url}/api/v1/instruments/${instrument}/book`);
      const { sequence, checksum } = (await response.json()) as { sequence: number; checksum: number };
      await read();
      return replica.state === 'live' && checksums.get(sequence) === checksum;
    };
    await expect.poll(hasServersBook, { timeout: 15_000, intervals: [100] }).toBe(true);

    proxy.cut();
    await expect.poll(async () => (await read(), answers.length), { timeout: 15_000 }).toBe(6);
    expect(answers.slice(3).map(({ topic, seq }) => [topic, typeof seq])).toEqual(
      ['book', 'trades', 'ticker'].map((topic) => [topic, 'number']),
    );
    await expect.poll(hasServersBook, { timeout: 15_000, intervals: [100] }).toBe(true);

    await depthwire.restart();
    await expect.poll(async () => (await read(), answers.length), { timeout: 20_000 }).toBeGreaterThan(8);
    expect(answers.slice(-3).map(({ seq }) => seq)).toEqual([undefined, undefined, undefined]);
    await expect.poll(hasServersBook, { timeout: 15_000, intervals: [100] }).toBe(true);
  } finally {
    proxy.close();
  }
});
