import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import {
  bookChecksum,
  BookReplica,
  codecs,
  frameCodes,
  type DataFrame,
  type Subscribed,
} from '@depthwire/shared';
import { EventSource } from 'eventsource';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { EventReader } from '../../test/event-reader.ts';
import { ScriptedFeed, testInstrument } from '../../test/markets.ts';
import { parseConfig, type Config } from '../config/config.ts';
import { createDepthwire } from '../depthwire.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  vi.restoreAllMocks();
});

const AAA = 'test:AAA-USD';
const BBB = 'test:BBB-USD';

async function start(gateway: Partial<Config['gateway']> = {}, port = 0) {
  const feed = new ScriptedFeed('scripted', [testInstrument(AAA), testInstrument(BBB)]);
  const config = parseConfig({
    port,
    allowedOrigins: ['https://friend.example'],
    gateway,
    history: { store: 'none' },
  });
  const depthwire = await createDepthwire({ config, logger: pino({ level: 'silent' }), feeds: [feed] });
  const url = await depthwire.listen();
  cleanups.push(() => depthwire.close());
  for (const id of [AAA, BBB]) {
    feed.snapshot([100, 5, 99, 7, 98, 2], [101, 4, 102, 6, 103, 8], id);
    feed.state('live', null, id);
  }
  return { depthwire, feed, url, stream: `${url}/api/v1/stream` };
}

async function open(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
  const reader = await EventReader.open(url, headers);
  cleanups.push(() => reader.destroy());
  return reader;
}

const isOp = (op: string) => (data: Record<number | string, unknown>) => data.op === op;
const isFrame = (code: number, ch?: unknown) => (data: Record<number | string, unknown>) =>
  data[0] === code && (ch === undefined || data[1] === ch);

/** Applies all book frames of a channel that have come. */
function apply(replica: BookReplica, reader: EventReader, ch: unknown = 1): void {
  for (const frame of reader.data as DataFrame[])
    if (Array.isArray(frame) && frame[1] === ch) expect(replica.apply(frame)).not.toBe('broken');
}

/** Waits until the book of the reader is the engine's, by sequence and checksum. */
async function untilEqual(
  replica: BookReplica,
  reader: EventReader,
  market: { book: BookReplica['book'] },
  ch: unknown = 1,
): Promise<void> {
  for (;;) {
    apply(replica, reader, ch);
    if (replica.book.sequence === market.book.sequence) break;
    if (reader.isEnded) throw new Error('the stream has ended');
    await reader.activity();
  }
  expect(bookChecksum(replica.book)).toBe(bookChecksum(market.book));
}

describe('an event stream', () => {
  test('greets, says what is granted, and sends the messages of a WebSocket as events', async () => {
    const { stream, feed } = await start();
    const reader = await open(`${stream}?book=${AAA},depth=7,cadence=15&trades=${BBB},cadence=0&rate=100`);
    expect(reader.response.statusCode).toBe(200);
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff', // as every answer
    });
    const hello = await reader.next((data, event) => data.op === 'hello' && event === 'hello');
    expect(hello).toMatchObject({ protocol: 1, heartbeatMs: 15_000 });
    expect(await reader.next(isOp('limited'))).toMatchObject({ id: 0, rate: 100, bandwidth: null });
    expect(await reader.next(isOp('subscribed'))).toMatchObject({ id: 1, depth: 10, cadence: 20 });
    const isBook = (_: unknown, event: string) => event === 'book';
    expect(await reader.next(isBook)).toMatchObject({ 0: frameCodes.bookSnapshot, 3: 1 });
    const trades = (await reader.next(isOp('subscribed'))) as Record<string, unknown>;
    expect(trades).toMatchObject({ id: 2, topic: 'trades', cadence: 0 });
    feed.delta([100, 6], [], AAA);
    expect(await reader.next(isBook)).toMatchObject({ 1: 1, 2: 1 });
    feed.trade(101, 2, 1, BBB);
    expect(await reader.next((_, event) => event === 'trades')).toMatchObject({ 1: trades.ch });
    expect(reader.retries[0]).toBeGreaterThanOrEqual(500);
    expect(reader.retries[0]).toBeLessThanOrEqual(2_500);
  });

  test('gives the very book of the engine', async () => {
    const { stream, feed, depthwire } = await start({ checksumIntervalMs: 0 });
    const reader = await open(`${stream}?book=${AAA},depth=0,cadence=0`);
    const replica = new BookReplica();
    for (let i = 1; i <= 300; i++) feed.delta([100 - (i % 40), i], [101 + (i % 30), i + 1], AAA);
    const market = depthwire.source.markets.get(AAA)!;
    await untilEqual(replica, reader, market);
    expect(replica.state).toBe('live');
    expect(replica.book.bids.toFlat()).toEqual(market.book.bids.toFlat());
    expect(replica.verified).toBeGreaterThan(1);
  });

  test('is read by EventSource, which never meets a gap', async () => {
    const { stream, feed, depthwire } = await start({ checksumIntervalMs: 0 });
    const source = new EventSource(`${stream}?book=${AAA},depth=0,cadence=0`);
    cleanups.push(() => source.close());
    const replica = new BookReplica();
    const outcomes: string[] = [];
    source.addEventListener('book', ({ data }) =>
      outcomes.push(replica.apply(JSON.parse(data as string) as DataFrame)),
    );
    await vi.waitFor(() => expect(outcomes).toHaveLength(1));
    for (let i = 1; i <= 50; i++) feed.delta([100, i], [], AAA);
    const { book } = depthwire.source.markets.get(AAA)!;
    await vi.waitFor(() => expect(replica.book.sequence).toBe(book.sequence));
    expect(bookChecksum(replica.book)).toBe(bookChecksum(book));
    expect(new Set(outcomes)).toEqual(new Set(['applied']));
  });

  test('is encoded once for two hundred who ask for the same', async () => {
    const { stream, feed } = await start();
    const readers = await Promise.all(
      Array.from({ length: 200 }, () => open(`${stream}?book=${AAA},cadence=0&trades=${AAA},cadence=0`)),
    );
    await Promise.all(readers.map((reader) => reader.next(isFrame(frameCodes.tradesSnapshot))));
    const encode = vi.spyOn(codecs.json, 'encode');
    for (let i = 1; i <= 10; i++) {
      feed.delta([100, i], [], AAA);
      feed.trade(100, 1, i, AAA);
    }
    const last = await Promise.all(
      readers.map((reader) => reader.next((data) => data[0] === frameCodes.trades && data[2] === 10)),
    );
    expect(encode).toHaveBeenCalledTimes(20);
    for (const frame of last) expect(frame).toEqual(last[0]);
  });

  test('sends one frame for all that a client missed which did not read, and a book that is right', async () => {
    const { stream, feed, depthwire } = await start({ maxBufferedBytes: 65_536 });
    const reader = await open(`${stream}?book=${AAA},depth=0,cadence=0`);
    const replica = new BookReplica();
    await untilEqual(replica, reader, depthwire.source.markets.get(AAA)!);
    reader.events.length = 0;
    reader.response.pause();
    const wide = (size: number) => Array.from({ length: 1_000 }, (_, i) => [100 - i, size + i]).flat();
    for (let i = 1; i <= 1_500; i++) {
      feed.delta(wide(i), [], AAA);
      await new Promise(setImmediate);
    }
    reader.response.resume();
    const market = depthwire.source.markets.get(AAA)!;
    await untilEqual(replica, reader, market);
    const codes = (reader.data as DataFrame[]).filter(Array.isArray).map(([code]) => code as number);
    expect(codes.some((code) => code === frameCodes.bookMerged || code === frameCodes.bookSnapshot)).toBe(
      true,
    );
    expect(codes.length).toBeLessThan(1_500);
    while (reader.lastEventId === '') await reader.activity(); // and it may go on from there
  });

  test('pings by comments', async () => {
    const { stream } = await start({ heartbeatMs: 1_000 });
    const reader = await open(`${stream}?status=${AAA}`);
    while (reader.comments.length < 3) await reader.activity(); // for longer than a silent client is kept
    expect(reader.comments).toEqual(['ping', 'ping', 'ping']);
    expect(reader.isEnded).toBe(false);
  });

  test('says goodbye, when to come back and why it ends', async () => {
    const { stream, depthwire } = await start();
    const readers = await Promise.all([1, 2].map(() => open(`${stream}?status=${AAA}`)));
    await Promise.all(readers.map((reader) => reader.next(isOp('hello'))));
    await depthwire.close();
    await Promise.all(readers.map((reader) => reader.end()));
    for (const reader of readers) {
      expect(reader.data.slice(-2)).toEqual([
        { op: 'goodbye', reconnectMs: 2_000 },
        { op: 'close', code: 1001, reason: 'server shuts down' },
      ]);
    }
    expect(readers.map(({ retries }) => retries.at(-1)).sort()).toEqual([1_000, 2_000]);
  });

  test('counts as a connection, and leaves nothing behind', async () => {
    const { stream, url } = await start({ maxConnections: 2 });
    const health = async () =>
      (await (await fetch(`${url}/api/v1/health`)).json()) as { connections: number };
    const readers = await Promise.all([1, 2].map(() => open(`${stream}?status=${AAA}`)));
    expect((await health()).connections).toBe(2);
    const refused = await fetch(`${stream}?status=${AAA}`);
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: 'unavailable' } }]);
    for (const reader of readers) reader.destroy();
    await vi.waitFor(async () => expect((await health()).connections).toBe(0));
  });

  test('is not begun behind an answer that its connection owes', async () => {
    const { url } = await start();
    const { hostname, port } = new URL(url);
    const socket = connectTcp(Number(port), hostname).setEncoding('utf8');
    cleanups.push(() => socket.destroy());
    let text = '';
    socket.on('data', (chunk: string) => (text += chunk));
    socket.write(`GET /api/v1/stream?status=${AAA} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`.repeat(2));
    await vi.waitFor(() => expect(text).toContain('event: position'));
    expect(await (await fetch(`${url}/api/v1/health`)).json()).toMatchObject({ connections: 1 });
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test.each([
    [`book=${AAA},dept=5`, 400, 'invalid_request'],
    ['', 400, 'invalid_request'],
    ['book=test:NONE-USD', 404, 'unknown_instrument'],
    [`book=${AAA}&book=test:NONE-USD`, 404, 'unknown_instrument'],
    [`book=${AAA}&trades=${AAA}&ticker=${AAA}&status=${AAA}`, 400, 'too_many_subscriptions'],
  ])('is refused before it begins: %s', async (query, status, code) => {
    const { stream, url } = await start({ maxSubscriptions: 3 });
    const response = await fetch(`${stream}?${query}`);
    expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }]);
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await (await fetch(`${url}/api/v1/health`)).json()).toMatchObject({ connections: 0 });
  });

  test('is for the pages that WebSockets are for', async () => {
    const { stream } = await start();
    const refused = await fetch(`${stream}?book=${AAA}`, { headers: { origin: 'https://evil.example' } });
    expect([refused.status, await refused.json()]).toMatchObject([
      403,
      { error: { code: 'origin_not_allowed' } },
    ]);
    const reader = await open(`${stream}?book=${AAA}`, { origin: 'https://friend.example' });
    expect(reader.response.statusCode).toBe(200);
  });

  test('answers HEAD with its headers, and a wrong query as GET does', async () => {
    const { stream, url } = await start();
    const head = (query: string) => fetch(`${stream}?${query}`, { method: 'HEAD' });
    const right = await head(`book=${AAA}`);
    expect([right.status, right.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    expect((await head('book=x')).status).toBe(400);
    expect(await (await fetch(`${url}/api/v1/health`)).json()).toMatchObject({ connections: 0 });
  });
});

describe('a client of an event stream that comes back', () => {
  const query = `book=${AAA},depth=0,cadence=0&book=${BBB},depth=0,cadence=0`;
  const merged = (reader: EventReader) =>
    (reader.data as DataFrame[]).filter((frame) => Array.isArray(frame)).map(([code, ch]) => [code, ch]);

  /** Two books that the client has, up to its last id, and that went on without it. */
  async function lost() {
    const running = await start({ checksumIntervalMs: 0 });
    const { stream, feed, depthwire } = running;
    const reader = await open(`${stream}?${query}`);
    const books = { [AAA]: new BookReplica(), [BBB]: new BookReplica() };
    const both = async (from: EventReader) => {
      await untilEqual(books[AAA]!, from, depthwire.source.markets.get(AAA)!, 1);
      await untilEqual(books[BBB]!, from, depthwire.source.markets.get(BBB)!, 2);
    };
    await reader.next(isFrame(frameCodes.bookSnapshot, 2)).then(() => undefined);
    reader.destroy();
    const again = await open(`${stream}?${query}`);
    feed.delta([100, 9], [], AAA);
    feed.delta([99, 9], [101, 0], BBB);
    feed.delta([100, 8], [], AAA);
    await both(again);
    return { ...running, books, both, reader: again };
  }

  test('gets what it missed of each book, and no snapshot of any', async () => {
    const { stream, feed, books, both, reader } = await lost();
    reader.destroy();
    feed.delta([98, 1], [], AAA);
    feed.delta([], [102, 1], BBB);
    const back = await open(`${stream}?${query}`, { 'last-event-id': reader.lastEventId });
    const answers = [await back.next(isOp('subscribed')), await back.next(isOp('subscribed'))];
    expect(answers).toMatchObject([
      { seq: expect.any(Number) as number },
      { seq: expect.any(Number) as number },
    ]);
    const again = await open(`${stream}?${query}&lastEventId=${reader.lastEventId}`);
    await both(again);
    expect(merged(again)).toEqual([
      [frameCodes.bookMerged, 1],
      [frameCodes.bookMerged, 2],
    ]);
    expect(Object.values(books).map(({ state }) => state)).toEqual(['live', 'live']);
  });

  test('gets nothing but the answers where it missed nothing', async () => {
    const { stream, feed, both, reader } = await lost();
    reader.destroy();
    const back = await open(`${stream}?${query}`, { 'last-event-id': reader.lastEventId });
    while (back.lastEventId === '') await back.activity();
    expect(back.lastEventId).toBe(reader.lastEventId);
    expect(merged(back)).toEqual([]);
    feed.delta([97, 1], [], AAA);
    await both(back);
    expect(merged(back)).toEqual([[frameCodes.bookDelta, 1]]);
  });

  test.each([
    ['of another run', (id: string) => `0${id}`],
    ['that never was', (id: string) => `${id.split('.')[0]}.999999`],
    ['of somebody else', () => 'abc'],
  ])('gets snapshots where its id is one %s', async (_, change) => {
    const { stream, feed, reader } = await lost();
    reader.destroy();
    feed.delta([98, 1], [], AAA);
    const back = await open(`${stream}?${query}`, { 'last-event-id': change(reader.lastEventId) });
    for (const ch of [1, 2]) {
      expect(await back.next(isOp('subscribed'))).not.toHaveProperty('seq');
      await back.next(isFrame(frameCodes.bookSnapshot, ch));
    }
  });

  test('gets a snapshot of what it did not ask for before, and what it missed of the rest', async () => {
    const { stream, reader } = await lost();
    reader.destroy();
    const more = `${query}&book=${BBB},depth=1,cadence=50`;
    const back = await open(`${stream}?${more}`, { 'last-event-id': reader.lastEventId });
    await back.next(isFrame(frameCodes.bookSnapshot, 3));
    await back.next(isOp('position'));
    expect(back.lastEventId).not.toBe('');
  });

  test('may be EventSource by itself: a cut in the middle of anything leaves its books right', async () => {
    const { feed, depthwire, url } = await start({ checksumIntervalMs: 0 });
    // Cut within the head, an answer, a snapshot, and then among the deltas.
    const allowances = [600, 1_900, 2_900, 20_000, 30_000];
    const sockets = new Set<Socket>();
    const proxy = createServer((client) => {
      const server = connectTcp(Number(new URL(url).port), '127.0.0.1');
      sockets.add(client);
      const allowance = allowances.shift() ?? Infinity;
      let passed = 0;
      client.pipe(server);
      server.on('data', (chunk: Buffer) => {
        const room = allowance - passed;
        passed += chunk.length;
        client.write(chunk.subarray(0, Math.max(0, room)));
        if (passed >= allowance) client.destroySoon();
      });
      for (const socket of [client, server]) {
        socket.on('error', () => undefined);
        socket.on('close', () => {
          client.destroy();
          server.destroy();
        });
      }
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    });
    const source = new EventSource(
      `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/api/v1/stream?${query}&trades=${AAA},cadence=0`,
    );
    cleanups.push(() => source.close());
    const books = new Map<unknown, BookReplica>();
    const instruments = new Map<unknown, string>();
    const outcomes: string[] = [];
    let resumed = 0;
    let newestTrade = 0;
    let inStep = 0;
    source.addEventListener('subscribed', ({ data }) => {
      const { ch, seq, topic, instrument } = JSON.parse(data as string) as Subscribed;
      if (topic !== 'book') return;
      instruments.set(ch, instrument.id);
      const replica = books.get(ch) ?? new BookReplica();
      books.set(ch, replica);
      if (seq === undefined) replica.restart();
      else {
        replica.resume(seq);
        resumed += 1;
      }
    });
    source.addEventListener('book', ({ data, lastEventId }) => {
      const frame = JSON.parse(data as string) as DataFrame;
      inStep += lastEventId === '' ? 0 : 1;
      outcomes.push(books.get(frame[1])!.apply(frame));
    });
    source.addEventListener('trades', ({ data }) => {
      const frame = JSON.parse(data as string) as DataFrame;
      const ids = (frame.at(frame[0] === frameCodes.tradesMerged ? 11 : 4) as unknown as [number][]).map(
        ([id]) => id,
      );
      if (frame[0] !== frameCodes.tradesSnapshot) {
        const count = frame[0] === frameCodes.tradesMerged ? frame[6] : ids.length;
        expect(ids.at(-1)).toBe(newestTrade + count); // none twice, none left out
      }
      newestTrade = ids.at(-1) ?? 0;
    });
    let round = 0;
    const churn = () => {
      round += 1;
      feed.delta([100 - (round % 9), round], [], AAA);
      feed.delta([], [101 + (round % 7), round], BBB);
      if (round % 10 === 0) feed.trade(100, 1, round / 10, AAA);
    };
    const timer = setInterval(churn, 10);
    cleanups.push(() => clearInterval(timer));
    await vi.waitFor(() => expect(allowances).toEqual([]), 20_000);
    const before = inStep;
    await vi.waitFor(() => expect(inStep).toBeGreaterThan(before + 50), 20_000);
    clearInterval(timer);
    await vi.waitFor(() => {
      for (const [ch, replica] of books) {
        const { book } = depthwire.source.markets.get(instruments.get(ch)!)!;
        expect(replica.book.sequence).toBe(book.sequence);
        expect(bookChecksum(replica.book)).toBe(bookChecksum(book));
        expect(replica.state).toBe('live');
      }
    }, 10_000);
    await vi.waitFor(() => expect(newestTrade).toBe(Math.floor(round / 10)));
    expect(outcomes).not.toContain('broken');
    expect(resumed).toBeGreaterThanOrEqual(2); // both books at once
  }, 60_000);
});
