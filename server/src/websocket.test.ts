import { once } from 'node:events';
import { ServerResponse } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { queryObjects } from 'node:v8';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { pino } from 'pino';
import { VirtualClock } from '@depthwire/feeds';
import {
  BookReplica,
  bookChecksum,
  codecs,
  DepthwireClient,
  frameCodes,
  type OpenWebSocket,
} from '@depthwire/shared';
import { WebSocket } from 'ws';
import { freePort } from '../test/ports.ts';
import { RawClient } from '../test/raw-client.ts';
import { connect, isFrame, isOp, serve as start } from '../test/server.ts';
import { START_MS } from '../test/markets.ts';
import type { Config } from './config/config.ts';

const openWebSocket: OpenWebSocket = (url, protocols) =>
  new WebSocket(url, protocols) as unknown as ReturnType<OpenWebSocket>;

/** Updates of 20 kB each: more in all than the kernel's socket buffers hold. */
const ROUNDS = 1_500;

const subscribe = {
  op: 'subscribe',
  id: 1,
  topic: 'book',
  instrument: 'test:AAA-USD',
  depth: 10,
  cadence: 0,
};

describe('WebSocket', () => {
  test('greets, acknowledges with what it grants, sends a snapshot and then deltas', async () => {
    const { ws, feed } = await start();
    const client = await connect(ws);
    expect(await client.next()).toMatchObject({ op: 'hello', protocol: 1, heartbeatMs: 15_000 });
    client.send({ ...subscribe, depth: 7, cadence: 15 });
    expect(await client.next()).toMatchObject({
      op: 'subscribed',
      id: 1,
      depth: 10,
      cadence: 20,
      instrument: { id: 'test:AAA-USD' },
    });
    const snapshot = (await client.next()) as unknown as number[];
    expect(snapshot.slice(0, 5)).toEqual([1, expect.any(Number), 0, 1, 1]); // live, the first update
    feed.delta([100, 6], []);
    const delta = (await client.next()) as unknown as number[];
    expect(delta.slice(0, 4)).toEqual([2, snapshot[1], 1, 1]);
  });

  test('carries the same messages in both encodings', async () => {
    const { ws } = await start();
    const [json, msgpack] = await Promise.all([connect(ws, 'json'), connect(ws, 'msgpack')]);
    for (const client of [json, msgpack]) client.send(subscribe);
    expect(await json.next(isFrame(1))).toEqual(await msgpack.next(isFrame(1)));
    expect(json.frames.every((frame) => typeof frame === 'string')).toBe(true);
    expect(msgpack.frames.every((frame) => typeof frame !== 'string')).toBe(true);
  });

  test('speaks MessagePack to a client that names no subprotocol, and refuses one that names only others', async () => {
    const { ws } = await start();
    const plain = await connect(ws, 'msgpack', { protocols: [] });
    expect(await plain.next()).toMatchObject({ op: 'hello' });
    const other = new RawClient(ws, 'json', { protocols: ['graphql-ws'] });
    expect((await other.end()).code).not.toBe(1000);
  });

  test.each([
    [{ op: 'subscribe', id: 1, topic: 'book', instrument: 'test:NONE-USD' }, 'unknown_instrument'],
    [{ op: 'subscribe', id: 1, topic: 'gossip', instrument: 'test:AAA-USD' }, 'unknown_topic'],
    [
      { op: 'subscribe', id: 1, topic: 'candles', instrument: 'test:AAA-USD', interval: '7m' },
      'invalid_request',
    ],
    [{ op: 'unsubscribe', id: 1, ch: 99 }, 'unknown_channel'],
    [{ op: 'snapshot', id: 1, ch: 99 }, 'unknown_channel'],
    [{ op: 'dance', id: 1 }, 'invalid_request'],
    [[1, 2, 3], 'invalid_request'],
    [null, 'invalid_request'],
  ])('answers %j with %s and goes on', async (request, code) => {
    const { ws } = await start();
    const client = await connect(ws);
    client.send(request);
    expect(await client.next(isOp('error'))).toMatchObject({ op: 'error', code, retry: false });
    client.send(subscribe);
    expect(await client.next(isOp('subscribed'))).toMatchObject({ id: 1 });
  });

  test('answers unreadable frames with an error, and ends the session after ten', async () => {
    const { ws } = await start();
    const client = await connect(ws);
    for (let i = 0; i < 10; i++) client.socket.send('{not json');
    expect(await client.next(isOp('error'))).toMatchObject({ id: null, code: 'malformed_message' });
    expect((await client.end()).code).toBe(4400);
  });

  test('ends a session that sends more than it may in one message', async () => {
    const { ws } = await start({ gateway: { maxMessageBytes: 1_000 } as Config['gateway'] });
    const client = await connect(ws);
    client.socket.send('x'.repeat(2_000));
    expect((await client.end()).code).toBe(1009);
  });

  test('logs a message that is too large as one warning, without a stack', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const limits = { maxMessageBytes: 1_000 } as Config['gateway'];
    const { ws } = await start({ gateway: limits }, undefined, { logger });
    const client = await connect(ws);
    client.socket.send('x'.repeat(2_000_000));
    expect((await client.end()).code).toBe(1009);
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ level: 40, closeCode: 1009, maxMessageBytes: 1_000 }),
    ]);
    expect(lines[0]).not.toContain('stack');
  });

  test('limits subscriptions of a session', async () => {
    const { ws } = await start({ gateway: { maxSubscriptions: 2 } as Config['gateway'] });
    const client = await connect(ws);
    for (const [id, topic] of ['book', 'trades', 'ticker'].entries())
      client.send({ op: 'subscribe', id, topic, instrument: 'test:AAA-USD' });
    expect(await client.next(isOp('error'))).toMatchObject({ id: 2, code: 'too_many_subscriptions' });
  });

  test('limits connections, and lets one in when another has left', async () => {
    const { ws } = await start({ gateway: { maxConnections: 1 } as Config['gateway'] });
    const first = await connect(ws);
    const second = new RawClient(ws);
    expect((await second.end()).code).toBe(1013);
    first.socket.close();
    await first.end();
    expect(await (await connect(ws)).next()).toMatchObject({ op: 'hello' });
  });

  test('gives a second request for a channel that is held its own answer and snapshot, and frames once', async () => {
    const { ws, feed } = await start();
    const client = await connect(ws);
    const held = { ...subscribe, resume: { epoch: 1, ch: 1, seq: 0 }, dept: 7 }; // what it does not know it ignores
    client.send(subscribe);
    const { ch } = await client.next(isOp('subscribed'));
    await client.next(isFrame(frameCodes.bookSnapshot));
    feed.delta([100, 6], []);
    await client.next(isFrame(frameCodes.bookDelta));
    client.send({ ...held, id: 2 });
    const again = await client.next();
    expect(again).toMatchObject({ op: 'subscribed', id: 2, ch, depth: 10 });
    expect(again).not.toHaveProperty('seq');
    expect(await client.next()).toMatchObject({ 0: frameCodes.bookSnapshot, 1: ch, 2: 1 });
    feed.delta([100, 7], []);
    expect(await client.next()).toMatchObject({ 0: frameCodes.bookDelta, 1: ch, 2: 2 });
    client.send({ op: 'ping', id: 3 });
    expect(await client.next()).toMatchObject({ op: 'pong' });
    client.send({ op: 'unsubscribe', id: 4, ch });
    expect(await client.next()).toMatchObject({ op: 'unsubscribed' });
    feed.delta([100, 8], []);
    client.send({ op: 'unsubscribe', id: 5, ch });
    expect(await client.next()).toMatchObject({ op: 'error', id: 5, code: 'unknown_channel' });
  });

  test('refuses a second request for a channel that is held where there is no room for one more', async () => {
    const { ws } = await start({ gateway: { maxSubscriptions: 1 } as Config['gateway'] });
    const client = await connect(ws);
    client.send(subscribe);
    client.send({ ...subscribe, id: 2 });
    expect(await client.next(isOp('error'))).toMatchObject({ id: 2, code: 'too_many_subscriptions' });
  });

  test('stops sending after unsubscribe', async () => {
    const { ws, feed } = await start();
    const client = await connect(ws);
    client.send(subscribe);
    const { ch } = await client.next(isOp('subscribed'));
    client.send({ op: 'unsubscribe', id: 2, ch });
    await client.next(isOp('unsubscribed'));
    feed.delta([100, 6], []);
    client.send({ op: 'ping', id: 3 });
    expect(await client.next()).toMatchObject({ op: 'pong', id: 3 });
  });

  test('gives a client that does not read no queue, but one frame for all once it reads again', async () => {
    const { ws, feed, depthwire } = await start({
      gateway: { maxBufferedBytes: 65_536 } as Config['gateway'],
    });
    const slow = await connect(ws, 'json');
    const quick = await connect(ws, 'json');
    for (const client of [slow, quick]) {
      client.send({ ...subscribe, depth: 0 });
      await client.next(isFrame(1));
    }
    const first = slow.messages.length;
    slow.socket.pause();
    const levels = Array.from({ length: 2_000 }, (_, i) => [100_000 + i, 1]).flat();
    for (let round = 1; round <= ROUNDS; round++) {
      feed.delta(
        [],
        levels.map((value, i) => (i % 2 === 1 ? round : value)),
      );
      if (round % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await quick.next((frame) => frame[2] === ROUNDS);
    slow.socket.resume();
    await slow.next((frame) => frame[2] === ROUNDS);

    const replica = new BookReplica();
    const frames = slow.frames.slice(2 + first).map((frame) => codecs.json.decode(frame) as unknown[]);
    for (const frame of frames) expect(replica.apply(frame)).toBe('applied');
    expect(frames.length).toBeLessThan(ROUNDS);
    expect(frames.some(([code]) => code === frameCodes.bookMerged || code === frameCodes.bookSnapshot)).toBe(
      true,
    );
    expect(replica.state).toBe('live');
    expect(bookChecksum(replica.book)).toBe(bookChecksum(depthwire.source.markets.get('test:AAA-USD')!.book));
  }, 20_000);

  test('what waits for a slow client stays as it was while others get more', async () => {
    const { ws, feed, depthwire } = await start({
      gateway: { maxBufferedBytes: 2 ** 28 } as Config['gateway'],
    });
    const depths = [50, 100, 0];
    const slow = await connect(ws, 'json');
    const quick = await connect(ws, 'json');
    for (const client of [slow, quick]) {
      for (const depth of depths) {
        client.send({ ...subscribe, depth });
        await client.next(isFrame(1));
      }
    }
    slow.socket.pause();
    for (let round = 1; round <= ROUNDS; round++) {
      feed.delta([], Array.from({ length: 2_000 }, (_, i) => [100_000 + i, round]).flat());
      await new Promise((resolve) => setImmediate(resolve));
    }
    const isLast = (frame: Record<number, unknown>) => frame[2] === ROUNDS;
    for (const client of [quick, slow]) {
      client.socket.resume();
      for (let left = depths.length; left > 0; left--) await client.next(isLast);
      const replicas = new Map<unknown, BookReplica>();
      for (const bytes of client.frames) {
        const frame = codecs.json.decode(bytes) as unknown[];
        if (!Array.isArray(frame)) continue;
        if (!replicas.has(frame[1])) replicas.set(frame[1], new BookReplica());
        expect(replicas.get(frame[1])!.apply(frame)).toBe('applied');
      }
      const { book } = depthwire.source.markets.get('test:AAA-USD')!;
      expect([...replicas.values()].map((replica) => replica.seq)).toEqual(depths.map(() => ROUNDS));
      for (const replica of replicas.values()) expect(bookChecksum(replica.book)).toBe(bookChecksum(book));
    }
  }, 30_000);

  test('ends a session whose client is gone silent', async () => {
    const { ws } = await start({ gateway: { heartbeatMs: 1_000 } as Config['gateway'] });
    const client = new RawClient(ws);
    onTestFinished(() => client.socket.terminate());
    await client.open();
    (client.socket as unknown as { _autoPong: boolean })._autoPong = false;
    expect((await client.end()).code).toBe(4408);
  }, 10_000);

  test('admits its own pages, listed origins and clients without one, and no others', async () => {
    const { ws, url } = await start({ allowedOrigins: ['https://partner.example'] });
    await connect(ws, 'json', { origin: url });
    await connect(ws, 'json', { origin: 'https://partner.example' });
    await connect(ws, 'json');
    const stranger = new RawClient(ws, 'json', { origin: 'https://evil.example' });
    await expect(stranger.open()).rejects.toThrow('403');
  });

  test('says goodbye with a hint when it shuts down', async () => {
    const { ws, depthwire } = await start();
    const client = await connect(ws);
    await client.next(isOp('hello'));
    const closing = depthwire.close();
    expect(await client.next(isOp('goodbye'))).toMatchObject({ reconnectMs: 2_000 });
    expect((await client.end()).code).toBe(1001);
    await closing;
  });

  test('ends one session after the other when it stops, and those that are left go on', async () => {
    const { ws, url, depthwire, feed } = await start({ shutdownMs: 2_000 });
    const clients = await Promise.all(Array.from({ length: 100 }, () => connect(ws, 'json')));
    for (const client of clients) client.send(subscribe);
    await Promise.all(clients.map((client) => client.next(isFrame(frameCodes.bookSnapshot))));
    const order: number[] = [];
    const last: number[] = [];
    const ends = clients.map(async (client, i) => {
      const { code } = await client.end();
      order.push(i);
      last[i] = client.messages.filter((message) => Array.isArray(message)).length;
      return code;
    });
    const closing = depthwire.close();
    let lots = 5;
    const trading = setInterval(() => feed.delta([100, (lots += 1)], []), 20);
    onTestFinished(() => clearInterval(trading));
    // Not ready any more, and says so, while it still serves.
    const health = await fetch(`${url}/api/v1/health`);
    expect(health.status).toBe(503);
    const late = await connect(ws, 'json');
    expect(await late.end()).toEqual({ code: 1013, reason: 'shutting down' });
    expect(new Set(await Promise.all(ends))).toEqual(new Set([1001]));
    clearInterval(trading);
    await closing;
    for (const client of clients)
      expect(
        client.messages.filter((message) => isOp('goodbye')(message as Record<string, unknown>)),
      ).toHaveLength(1);
    // In the order in which they came, more or less; the later ones saw more of the market.
    const half = order.slice(0, 50).filter((i) => i < 50).length;
    expect(half).toBeGreaterThan(40);
    expect(last[99]!).toBeGreaterThan(last[0]!);
  });

  test('cuts off whoever does not leave when it stops', async () => {
    const { ws, depthwire } = await start({ shutdownMs: 200 });
    const client = await connect(ws, 'json');
    client.socket.pause(); // reads nothing, not even that it should leave
    await depthwire.close();
    client.socket.resume();
    expect((await client.end()).code).toBeOneOf([1001, 1006]);
  });

  test.each([
    ['of the present', undefined],
    ['of a recording played twice', START_MS],
  ])(
    'keeps replicas of the SDK equal to the engine, across a restart of a server %s',
    async (_, startMs) => {
      const port = await freePort();
      const restart = () =>
        start({ port }, undefined, startMs === undefined ? {} : { marketClock: new VirtualClock(startMs) });
      const first = await restart();
      const client = new DepthwireClient({
        url: first.ws,
        openWebSocket,
        backoff: { baseMs: 50, maxMs: 100 },
      });
      onTestFinished(() => client.close());
      const book = client.book('test:AAA-USD', { depth: 10, cadenceMs: 0 });
      client.connect();
      await vi.waitFor(() => expect(book.state).toBe('live'));
      const firstEpoch = client.hello!.epoch;
      first.feed.delta([100, 9], [101, 0]);
      await vi.waitFor(() => expect(book.book.sequence).toBe(2));
      expect(bookChecksum(book.book)).toBe(
        bookChecksum(first.depthwire.source.markets.get('test:AAA-USD')!.book),
      );

      await first.depthwire.close();
      await vi.waitFor(() => expect(client.state).toBe('waiting'));
      expect(book.state).toBe('recovering');
      expect(book.book.bids.toFlat()).toEqual([100, 9, 99, 7]); // the last picture stays

      const second = await restart();
      await vi.waitFor(() => expect(book.state).toBe('live'), { timeout: 5_000 });
      expect(bookChecksum(book.book)).toBe(
        bookChecksum(second.depthwire.source.markets.get('test:AAA-USD')!.book),
      );
      expect(book.book.bids.toFlat()).toEqual([100, 5, 99, 7]);
      expect(client.hello!.epoch).not.toBe(firstEpoch);
      second.feed.delta([100, 2], []); // numbered as the first run's delta was
      await vi.waitFor(() => expect(book.book.bids.toFlat()).toEqual([100, 2, 99, 7]));
    },
    15_000,
  );

  test('a client whose connection breaks off goes on where it was', async () => {
    const { ws, feed, depthwire } = await start();
    const sockets: WebSocket[] = [];
    const codes: number[][] = [];
    const client = new DepthwireClient({
      url: ws,
      backoff: { baseMs: 400, maxMs: 400 },
      random: () => 0.99, // long enough away for it to be seen
      openWebSocket: (url, protocols) => {
        const socket = new WebSocket(url, protocols);
        const own: number[] = [];
        socket.on('message', (data: Buffer) => {
          const message = codecs.msgpack.decode(data) as unknown[];
          if (Array.isArray(message)) own.push(message[0] as number);
        });
        sockets.push(socket);
        codes.push(own);
        return socket as unknown as ReturnType<OpenWebSocket>;
      },
    });
    onTestFinished(() => client.close());
    client.connect();
    const book = client.book('test:AAA-USD', { depth: 10, cadenceMs: 0 });
    const trades = client.trades('test:AAA-USD', { cadenceMs: 0 });
    const market = depthwire.source.markets.get('test:AAA-USD')!;
    await vi.waitFor(() => expect([book.state, trades.granted]).toEqual(['live', expect.anything()]));
    feed.trade(100, 1, 1);
    feed.delta([100, 6], []);
    await vi.waitFor(() =>
      expect([book.book.sequence, trades.trades.length]).toEqual([market.book.sequence, 1]),
    );
    sockets[0]!.terminate();
    await vi.waitFor(() => expect(client.state).not.toBe('open'));
    feed.delta([98, 3], [101, 0]);
    feed.trade(100, 2, 2);
    await vi.waitFor(() => expect([book.state, book.book.sequence]).toEqual(['live', market.book.sequence]));
    await vi.waitFor(() => expect(trades.trades.map(({ id }) => id)).toEqual([1, 2]));
    expect(codes).toHaveLength(2);
    expect(codes[1]!.toSorted((a, b) => a - b)).toEqual([frameCodes.bookMerged, frameCodes.tradesMerged]);
    expect([book.resyncs, trades.resyncs, trades.merged?.missed]).toEqual([0, 0, 0]);
    expect(book.replica.verified).toBeGreaterThan(1);
  });

  test('ends a connection that asks for an upgrade while it awaits another answer', async () => {
    const { url, depthwire } = await start();
    const { hostname: host, port } = new URL(url);
    const socket = connectTcp({ host, port: Number(port) });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    const upgrade = [
      ...['GET /ws HTTP/1.1', `Host: ${host}`, 'Connection: Upgrade', 'Upgrade: websocket'],
      ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='],
    ];
    const requests = ['GET /api/v1/health HTTP/1.1', `Host: ${host}`, '', ...upgrade, '', ''];
    socket.write(requests.join('\r\n'));
    await once(socket.resume(), 'close');
    await depthwire.close();
  });

  test('keeps neither request nor response of a connection that lives', async () => {
    const { ws } = await start();
    const before = queryObjects(ServerResponse, { format: 'count' });
    for (let i = 0; i < 20; i++) await connect(ws);
    expect(queryObjects(ServerResponse, { format: 'count' }) - before).toBeLessThan(10);
  });
});
