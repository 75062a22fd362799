import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import {
  bidFrame,
  checksumOf,
  grantAll,
  grant,
  grantEachItsOwn,
  hello,
  instrument,
  ScriptedServer,
  settled,
  snapshotFrame,
  until,
} from '../../test/scripted-server.ts';
import type { Clock } from '../model/clock.ts';
import type { DepthwireError } from '../model/errors.ts';
import { scaleOf, type EpochMs } from '../model/units.ts';
import { closeCodes } from '../protocol/close-codes.ts';
import { codecs, type Message } from '../protocol/codec.ts';
import { wireStateOf } from '../protocol/messages.ts';
import { subprotocols } from '../protocol/version.ts';
import { DepthwireClient, type ClientOptions, type ConnectionState } from './client.ts';
import { platformClock } from './platform.ts';

/** The machine's clock, some times as fast: what takes seconds takes milliseconds. */
function hurriedClock(factor: number): Clock {
  const startMs = platformClock.now();
  const now = () => (startMs + (platformClock.now() - startMs) * factor) as EpochMs;
  return {
    now,
    at: (timeMs, task) => platformClock.at(platformClock.now() + (timeMs - now()) / factor, task),
  };
}

let server: ScriptedServer;
let url: string;
let clients: DepthwireClient[];

beforeEach(async () => {
  server = new ScriptedServer();
  url = await server.start();
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.close();
  await server.stop();
});

interface Observed {
  readonly client: DepthwireClient;
  readonly states: ConnectionState[];
  readonly errors: DepthwireError[];
}

function observe(options: Partial<ClientOptions> = {}): Observed {
  const client = new DepthwireClient({ url, backoff: { baseMs: 10, maxMs: 20 }, ...options });
  clients.push(client);
  const states: ConnectionState[] = [];
  const errors: DepthwireError[] = [];
  client.on('state', (state) => states.push(state));
  client.on('error', (error) => errors.push(error));
  return { client, states, errors };
}

async function connected(options: Partial<ClientOptions> = {}): Promise<Observed> {
  const observed = observe(options);
  observed.client.connect();
  await until(() => expect(observed.client.state).toBe('open'));
  return observed;
}

/** A client with one live book on channel 1, seq 5. */
async function withLiveBook(options: Partial<ClientOptions> = {}) {
  const observed = await connected(options);
  const book = observed.client.book(instrument.id);
  await until(() => expect(book.granted).not.toBeNull());
  server.last.send(snapshotFrame(1, 5, [100, 5], [101, 3]));
  await until(() => expect(book.state).toBe('live'));
  return { ...observed, book };
}

describe('connecting', () => {
  test('goes from idle to open, and holds what the server said', async () => {
    const { client, states } = observe();
    expect(client.state).toBe('idle');
    client.connect();
    client.connect();
    await until(() => expect(client.state).toBe('open'));
    expect(states).toEqual(['connecting', 'open']);
    expect(client.hello).toEqual(hello);
    expect(server.connections).toHaveLength(1);
    expect(server.last.socket.protocol).toBe(subprotocols.msgpack);
  });

  test('closes for good', async () => {
    const { client, states } = await connected();
    const closed = once(server.last.socket, 'close');
    client.close();
    client.close();
    expect((await closed)[0]).toBe(1000);
    expect(states).toEqual(['connecting', 'open', 'closed']);
    expect([client.hello, client.retryAtMs]).toEqual([null, null]);
  });

  test('can be closed before the server has answered', async () => {
    const { client, states } = observe();
    client.connect();
    client.close();
    client.connect();
    await until(() => expect(client.state).toBe('open'));
    expect(states).toEqual(['connecting', 'closed', 'connecting', 'open']);
  });

  test('keeps trying a server that is not there', async () => {
    await server.stop();
    const { client, states, errors } = observe();
    client.connect();
    await until(() => expect(states.filter((state) => state === 'connecting').length).toBeGreaterThan(2));
    expect(errors[0]).toMatchObject({ code: 'connection_lost', retry: true });
    client.close();
    server = new ScriptedServer();
    await server.start();
  });

  test('gives a server up that does not greet', async () => {
    server.greet = () => undefined;
    const { client, errors } = observe({ clock: hurriedClock(100) });
    client.connect();
    await until(() => expect(errors[0]).toMatchObject({ code: 'connection_lost' }));
    await until(() => expect(server.connections.length).toBeGreaterThan(1));
  });

  test('says what is wrong with an address, once', () => {
    const { client, errors } = observe({ url: 'no address' });
    client.connect();
    expect(client.state).toBe('closed');
    expect(errors).toMatchObject([{ code: 'invalid_argument', retry: false }]);
  });

  test('does not come back to a server of another protocol', async () => {
    server.greet = (connection) => connection.send({ ...hello, protocol: 2 });
    const { client, errors } = observe();
    client.connect();
    await until(() => expect(client.state).toBe('closed'));
    expect(errors).toMatchObject([{ code: 'unsupported_protocol', retry: false }]);
  });

  test('reads messages of a newer server as if they were not there', async () => {
    const { client, book, errors } = await withLiveBook();
    server.last.send({ op: 'fireworks', colour: 'red' }, [77, 99, 6, 'x'], [], {}, null, 5, 'text', {
      op: 7,
    });
    server.last.send(bidFrame(1, 6, 8));
    await until(() => expect(book.book.bids.lotsAtPrice(100)).toBe(8));
    expect(client.state).toBe('open');
    expect(errors).toEqual([]);
  });
});

describe('a subscription', () => {
  test('is asked for with its settings, granted, and filled', async () => {
    const { client } = await connected();
    const book = client.book(instrument.id, { depth: 20, cadenceMs: 50 });
    const events: string[] = [];
    for (const name of ['ready', 'change', 'state'] as const) book.on(name, () => events.push(name));
    expect(book.state).toBe('syncing');
    await until(() => expect(book.granted).toEqual({ depth: 50, cadenceMs: 100 }));
    expect(server.last.asked('subscribe')).toMatchObject([
      { topic: 'book', instrument: instrument.id, depth: 20, cadence: 50 },
    ]);
    expect(book.instrument).toEqual(instrument);

    server.last.send(
      snapshotFrame(1, 0, [100, 5, 99, 7], [101, 3]),
      bidFrame(1, 1, 6, checksumOf([100, 6, 99, 7], [101, 3])),
    );
    await until(() => expect(book.replica.seq).toBe(1));
    expect(book.state).toBe('live');
    expect(book.book.bids.toFlat()).toEqual([100, 6, 99, 7]);
    expect(book.replica.verified).toBe(2);
    expect(events).toEqual(['ready', 'state', 'change', 'state', 'change']);
  });

  test('may be made before the connection is', async () => {
    const { client } = observe();
    const book = client.book(instrument.id);
    client.connect();
    await until(() => expect(book.granted).not.toBeNull());
  });

  test('leaves out what was not set, for the server to choose', async () => {
    const { client } = await connected();
    client.trades(instrument.id);
    client.candles(instrument.id, { interval: '1m' });
    await until(() => expect(server.last.asked('subscribe')).toHaveLength(2));
    const [trades, candles] = server.last.asked('subscribe');
    expect(Object.keys(trades!).toSorted()).toEqual(['id', 'instrument', 'op', 'topic']);
    expect(candles).toMatchObject({ topic: 'candles', interval: '1m' });
  });

  test('is one object for all who want the same, and lives as long as one of them', async () => {
    const { client } = await connected();
    const first = client.ticker(instrument.id);
    const second = client.ticker(instrument.id);
    expect(second).toBe(first);
    await until(() => expect(first.granted).not.toBeNull());
    first.close();
    await settled(server.last);
    expect(server.last.asked('subscribe')).toHaveLength(1);
    expect(server.last.asked('unsubscribe')).toHaveLength(0);
    second.close();
    await until(() => expect(server.last.asked('unsubscribe')).toMatchObject([{ ch: 1 }]));
  });

  test('shares a channel with one that was granted the same, and outlives it', async () => {
    const { client } = await connected();
    const deep = client.book(instrument.id, { depth: 50 });
    const other = client.book(instrument.id, { depth: 40 });
    await until(() => expect([deep.granted, other.granted]).not.toContain(null));
    server.last.send(snapshotFrame(1, 0, [100, 5], [101, 3]));
    await until(() => expect([deep.state, other.state]).toEqual(['live', 'live']));

    deep.close();
    server.last.send(bidFrame(1, 1, 9));
    await until(() => expect(other.book.bids.lotsAtPrice(100)).toBe(9));
    expect(deep.book.bids.lotsAtPrice(100)).toBe(5);
    expect(server.last.asked('unsubscribe')).toHaveLength(0);
    other.close();
    await until(() => expect(server.last.asked('unsubscribe')).toMatchObject([{ ch: 1 }]));
  });

  test('that is granted a channel while another gives it back is asked for again', async () => {
    const { client } = await connected();
    const early = client.book(instrument.id, { depth: 50 });
    await until(() => expect(early.granted).not.toBeNull());
    server.last.answer = null;
    const late = client.book(instrument.id, { depth: 40 });
    early.close(); // before the server's answer: the client cannot know that the channel is shared
    await until(() => expect(server.last.requests.at(-1)).toMatchObject({ op: 'unsubscribe', ch: 1 }));
    const [, pending] = server.last.asked('subscribe');
    const [unsubscribe] = server.last.asked('unsubscribe');
    server.last.answer = (request, connection) => {
      if (request.op === 'subscribe') grant(connection, request, 2);
    };
    grant(server.last, pending!, 1);
    server.last.send(snapshotFrame(1, 3, [100, 5], [101, 3]), {
      op: 'unsubscribed',
      id: unsubscribe!.id,
      ch: 1,
    });
    await until(() => expect(server.last.asked('subscribe')).toHaveLength(3));
    await until(() => expect(late.state).toBe('recovering'));
    server.last.send(snapshotFrame(2, 0, [100, 6], [101, 3]));
    await until(() => expect(late.state).toBe('live'));
    expect(late.book.bids.lotsAtPrice(100)).toBe(6);
  });

  test('that is closed before it is granted gives the channel back', async () => {
    const { client } = await connected();
    server.last.answer = null;
    const book = client.book(instrument.id);
    await until(() => expect(server.last.asked('subscribe')).toHaveLength(1));
    book.close();
    grant(server.last, server.last.asked('subscribe')[0]!, 9);
    await until(() => expect(server.last.asked('unsubscribe')).toMatchObject([{ ch: 9 }]));
    expect(book.granted).toBeNull();
  });

  test('that is refused has a typed error, and is not asked for again where that cannot help', async () => {
    const { client, errors } = await connected({ clock: hurriedClock(50) });
    const refused: DepthwireError[] = [];
    server.last.answer = (request, connection) => {
      if (request.op !== 'subscribe') return grantAll(request, connection);
      connection.send({
        op: 'error',
        id: request.id,
        code: 'unknown_instrument',
        message: 'no feed publishes sim:NO-ONE',
        retry: false,
      });
    };
    const book = client.book('sim:NO-ONE');
    book.on('error', (error) => refused.push(error));
    await until(() => expect(book.refusal).not.toBeNull());
    expect(refused).toMatchObject([
      { code: 'unknown_instrument', retry: false, message: 'no feed publishes sim:NO-ONE' },
    ]);
    expect(book.reason).toBe('no feed publishes sim:NO-ONE');
    expect(book.granted).toBeNull();
    await until(() => expect(server.last.asked('ping').length).toBeGreaterThan(2)); // more than 2 s by this clock
    expect(server.last.asked('subscribe')).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  test('of an instrument that a feed brings later is asked for again', async () => {
    const { client } = await connected({ clock: hurriedClock(200), random: () => 0 });
    server.last.answer = (request, connection) => {
      if (request.op !== 'subscribe' || connection.asked('subscribe').length > 1)
        return grantAll(request, connection);
      const refusal = { code: 'unknown_instrument', message: 'no feed publishes it', retry: false } as const;
      connection.send({ op: 'error', id: request.id, ...refusal });
    };
    const book = client.book(instrument.id);
    await until(() => expect(book.refusal?.code).toBe('unknown_instrument'));
    await until(() => expect(book.granted).not.toBeNull());
    expect(book.refusal).toBeNull();
  });

  test('that is refused for now is asked for again, and forgets the refusal', async () => {
    const { client } = await connected({ clock: hurriedClock(50) });
    server.last.answer = (request, connection) => {
      if (request.op !== 'subscribe') return grantAll(request, connection);
      if (connection.asked('subscribe').length > 1) grant(connection, request, 1);
      else
        connection.send({
          op: 'error',
          id: request.id,
          code: 'unavailable',
          message: 'starting',
          retry: true,
        });
    };
    const book = client.book(instrument.id);
    const refused: DepthwireError[] = [];
    book.on('error', (error) => refused.push(error));
    await until(() => expect(book.granted).not.toBeNull());
    expect(refused).toMatchObject([{ code: 'unavailable', retry: true }]);
    expect(book.refusal).toBeNull();
  });

  test('that finds no room is asked for again once another is closed, in turn', async () => {
    const { client } = await connected();
    const held = new Set<number>();
    server.last.answer = (request, connection) => {
      if (request.op === 'unsubscribe') held.delete(request.ch);
      if (request.op !== 'subscribe') return grantAll(request, connection);
      if (held.size < 2) {
        held.add(request.id);
        grant(connection, request, request.id);
      } else
        connection.send({
          op: 'error',
          id: request.id,
          code: 'too_many_subscriptions',
          message: 'a session may hold 2 subscriptions',
          retry: false,
        });
    };
    const [book, trades, ticker, status, left] = [
      client.book(instrument.id),
      client.trades(instrument.id),
      client.ticker(instrument.id),
      client.status(instrument.id),
      client.ticker(instrument.id, { cadenceMs: 1_000 }),
    ];
    await until(() => expect(left.refusal?.code).toBe('too_many_subscriptions'));
    ticker.close();
    book.close();
    await until(() => expect(status.granted).not.toBeNull());
    expect(status.refusal).toBeNull();
    expect(left.granted).toBeNull();
    trades.close();
    await until(() => expect(left.granted).not.toBeNull());
    status.close();
    await until(() => expect(server.last.asked('unsubscribe')).toHaveLength(3));
    expect(server.last.asked('subscribe')).toHaveLength(7);
  });

  test('an error that answers no subscription is the client’s', async () => {
    const { errors } = await connected();
    server.last.send(
      { op: 'error', id: null, code: 'malformed_message', message: 'not a MessagePack value', retry: false },
      { op: 'error', id: 77, code: 'of_a_newer_server', message: 'never heard of', retry: true },
    );
    await until(() => expect(errors).toHaveLength(2));
    expect(errors).toMatchObject([
      { code: 'malformed_message' },
      { code: 'internal', message: 'never heard of' },
    ]);
  });
});

describe('a lost connection', () => {
  test('makes the book recovering at once and live again after the next snapshot', async () => {
    const { client, states, errors, book } = await withLiveBook({
      backoff: { baseMs: 60_000, maxMs: 60_000 },
    });
    const bookStates: string[] = [];
    book.on('state', () => bookStates.push(book.state));
    server.last.socket.terminate();
    await until(() => expect(states).toContain('waiting'));
    expect(book.state).toBe('recovering');
    expect(book.reason).toBe('connection lost');
    expect(book.granted).toBeNull();
    expect(book.book.bids.toFlat()).toEqual([100, 5]); // a picture of the past

    client.reconnectNow();
    await until(() => expect(server.connections).toHaveLength(2));
    await until(() => expect(book.granted).not.toBeNull());
    expect(server.last.asked('subscribe')).toMatchObject([
      { topic: 'book', instrument: instrument.id, depth: 0 },
    ]);
    expect(book.state).toBe('recovering');
    server.last.send(snapshotFrame(1, 0, [90, 1], [91, 1])); // a sequence of its own, lower than the last
    await until(() => expect(book.state).toBe('live'));
    expect(book.book.bids.toFlat()).toEqual([90, 1]);
    expect(states).toEqual(['connecting', 'open', 'waiting', 'connecting', 'open']);
    expect(errors).toMatchObject([{ code: 'connection_lost', retry: true }]);
    expect(bookStates).not.toContain('syncing');
    expect(bookStates.at(-1)).toBe('live');
    expect(client.retryAtMs).toBeNull();
  });

  test('says when the next try is due, and tries at once when told to', async () => {
    const { client } = await connected({ backoff: { baseMs: 60_000, maxMs: 60_000 }, random: () => 0.5 });
    server.last.socket.terminate();
    await until(() => expect(client.state).toBe('waiting'));
    const waitMs = client.retryAtMs! - platformClock.now();
    expect(waitMs).toBeGreaterThan(5_000);
    expect(waitMs).toBeLessThanOrEqual(33_000);
    client.reconnectNow();
    await until(() => expect(client.state).toBe('open'));
    expect(server.connections).toHaveLength(2);
  });

  test('is not awaited after close', async () => {
    const { client, states } = await connected({ backoff: { baseMs: 60_000, maxMs: 60_000 } });
    server.last.socket.terminate();
    await until(() => expect(client.state).toBe('waiting'));
    client.close();
    expect(states.at(-1)).toBe('closed');
    expect(client.retryAtMs).toBeNull();
  });

  test.each(
    Object.entries(closeCodes).filter(([name]) => name !== 'protocolError' && name !== 'messageTooLarge'),
  )('by close code %s: comes back or not, as the code says', async (_, { code, retry }) => {
    const { client, errors } = await connected();
    server.last.socket.close(code, 'so it is');
    await until(() => expect(errors).toHaveLength(1));
    expect(errors[0]).toMatchObject({
      // Trying again with the same key cannot help.
      code: code === closeCodes.unauthenticated.code ? 'unauthenticated' : 'connection_lost',
      details: { closeCode: code },
      message: expect.stringContaining('so it is'),
    });
    if (retry) await until(() => expect(server.connections).toHaveLength(2));
    else expect(client.state).toBe('closed');
  });

  test('that the server announced begins anew within the time it named', async () => {
    const { client, states } = await connected({
      backoff: { baseMs: 60_000, maxMs: 60_000 },
      random: () => 0.9,
    });
    server.last.send({ op: 'goodbye', reconnectMs: 30 });
    server.last.socket.close(closeCodes.goingAway.code, 'server shuts down');
    await until(() => expect(server.connections).toHaveLength(2)); // the back-off alone would wait a minute
    await until(() => expect(client.state).toBe('open'));
    expect(states).toEqual(['connecting', 'open', 'waiting', 'connecting', 'open']);

    server.last.socket.terminate(); // the hint was for one time
    await until(() => expect(client.state).toBe('waiting'));
    expect(client.retryAtMs! - platformClock.now()).toBeGreaterThan(5_000);
  });

  test('asks for nothing that was closed meanwhile', async () => {
    const { client, book } = await withLiveBook({ backoff: { baseMs: 60_000, maxMs: 60_000 } });
    client.trades(instrument.id);
    server.last.socket.terminate();
    await until(() => expect(client.state).toBe('waiting'));
    book.close();
    client.reconnectNow();
    await until(() => expect(client.state).toBe('open'));
    await settled(server.last);
    expect(server.last.asked('subscribe').map(({ topic }) => topic)).toEqual(['trades']);
  });
});

describe('heartbeats', () => {
  test('a silent server is given up', async () => {
    server.greet = (connection) => {
      connection.answer = null;
      connection.send({ ...hello, heartbeatMs: 30 });
    };
    const { client, states, errors } = observe();
    client.connect();
    await until(() => expect(errors).not.toHaveLength(0));
    expect(errors[0]).toMatchObject({ code: 'heartbeat_missed', retry: true });
    expect(states.slice(0, 3)).toEqual(['connecting', 'open', 'waiting']);
    await until(() => expect(server.connections.length).toBeGreaterThan(1));
  });

  test('answers to pings keep a quiet connection, and give round trip and clock offset', async () => {
    server.greet = (connection) => {
      connection.answer = (request) => {
        if (request.op === 'ping')
          connection.send({ op: 'pong', id: request.id, time: platformClock.now() + 60_000 });
      };
      connection.send({ ...hello, heartbeatMs: 200 });
    };
    const { client, errors } = observe();
    let measured = 0;
    client.on('latency', () => (measured += 1));
    client.connect();
    await until(() => expect(measured).toBeGreaterThan(3)); // more than two heartbeats
    expect(server.connections).toHaveLength(1);
    expect(client.roundTripMs).toBeGreaterThanOrEqual(0);
    expect(Math.abs(client.clockOffsetMs! - 60_000)).toBeLessThanOrEqual(client.roundTripMs! / 2 + 1_000);
    expect(errors).toEqual([]);
  });

  test('a request that is never answered ends the connection, though the server talks', async () => {
    server.greet = (connection) => {
      connection.answer = (request) => {
        if (request.op === 'ping') connection.send({ op: 'pong', id: request.id, time: 0 });
      };
      connection.send({ ...hello, heartbeatMs: 10_000 });
    };
    const { client, errors } = observe({ clock: hurriedClock(50) });
    client.book(instrument.id);
    client.connect();
    await until(() => expect(errors.map(({ code }) => code)).toContain('request_timeout'));
  });
});

describe('a book that goes wrong', () => {
  /** Two live books on channels 1 and 2. */
  async function withTwoBooks(options: Partial<ClientOptions> = {}) {
    server.greet = (connection) => {
      connection.answer = grantEachItsOwn;
      connection.send(hello);
    };
    const observed = await connected(options);
    const first = observed.client.book(instrument.id);
    const second = observed.client.book('sim:ETH-USD');
    await until(() => expect([first.granted, second.granted]).not.toContain(null));
    server.last.send(snapshotFrame(1, 5, [100, 5], [101, 3]), snapshotFrame(2, 8, [100, 5], [101, 3]));
    await until(() => expect([first.state, second.state]).toEqual(['live', 'live']));
    return { ...observed, first, second };
  }

  test.each([
    ['by a gap', 'sequence_gap', bidFrame(1, 7, 9)],
    ['by a wrong checksum', 'checksum_mismatch', bidFrame(1, 6, 9, 12_345)],
    ['by a malformed frame', 'malformed_frame', [2, 1, 6, 1, 20, 5, null, ['x'], []]],
  ])('%s is asked for once, alone, and goes on from the snapshot', async (_, code, wrongFrame) => {
    const { client, first, second } = await withTwoBooks();
    const errors: DepthwireError[] = [];
    first.on('error', (error) => errors.push(error));
    server.last.send(wrongFrame, bidFrame(1, 8, 10), bidFrame(1, 9, 11), bidFrame(2, 9, 6));
    await until(() => expect(second.book.bids.lotsAtPrice(100)).toBe(6));
    expect([first.state, second.state]).toEqual(['recovering', 'live']);
    expect(errors).toMatchObject([{ code, retry: true }]);
    expect(first.resyncs).toBe(1);

    await settled(server.last);
    expect(server.last.asked('snapshot')).toMatchObject([{ ch: 1 }]);
    server.last.send(snapshotFrame(1, 9, [100, 11], [101, 3]), bidFrame(1, 10, 12));
    await until(() => expect(first.state).toBe('live'));
    await until(() => expect(first.book.bids.lotsAtPrice(100)).toBe(12));
    expect(first.reason).toBeNull();
    expect(client.state).toBe('open');
    expect(server.connections).toHaveLength(1);
  });

  test('asks again when the snapshot does not come, three times, then connects anew', async () => {
    const { first, errors } = await withTwoBooks({ clock: hurriedClock(50) });
    const { last } = server;
    last.answer = (request) => {
      if (request.op === 'ping') grantAll(request, last);
      if (request.op === 'snapshot') last.send({ op: 'snapshot', id: request.id, ch: request.ch }); // and no more
    };
    last.send(bidFrame(1, 7, 9));
    await until(() => expect(server.connections.length).toBeGreaterThan(1));
    expect(last.asked('snapshot')).toMatchObject([{ ch: 1 }, { ch: 1 }, { ch: 1 }]);
    expect(errors[0]).toMatchObject({ code: 'request_timeout' });
    expect(first.state).toBe('recovering');
  });

  test('is left alone for a while when every snapshot is wrong: the other goes on, and it comes back', async () => {
    const { client, first, second, errors } = await withTwoBooks({ clock: hurriedClock(20) });
    const { last } = server;
    let isWrong = true;
    last.answer = (request) => {
      grantAll(request, last);
      if (request.op !== 'snapshot') return;
      const right = snapshotFrame(1, 9, [100, 11], [101, 3]);
      last.send(isWrong ? right.with(-1, 1) : right);
    };
    last.send(bidFrame(1, 7, 9));
    await until(() => expect(last.asked('snapshot')).toHaveLength(3));
    for (let i = 0; i < 5; i++) last.send(snapshotFrame(1, 20 + i, [100, 11], [101, 3]).with(-1, 1));
    last.send(bidFrame(2, 9, 6));
    await until(() => expect(second.book.bids.lotsAtPrice(100)).toBe(6));
    expect(last.asked('snapshot')).toHaveLength(3);
    expect([first.state, second.state, client.state]).toEqual(['recovering', 'live', 'open']);
    isWrong = false;
    await until(() => expect(first.state).toBe('live'));
    expect(last.asked('snapshot')).toHaveLength(4);
    expect(server.connections).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  test('many changes of tick in a row are no reason to connect anew', async () => {
    const { first, second, errors } = await withTwoBooks();
    const { last } = server;
    last.answer = (request) => grantAll(request, last);
    for (let i = 0; i < 10; i++)
      last.send({ op: 'instrument', instrument: { ...instrument, tick: scaleOf(i % 2 ? '0.01' : '0.001') } });
    last.send(snapshotFrame(1, 9, [100, 11], [101, 3]));
    await until(() => expect(first.state).toBe('live'));
    expect([second.state, errors.length, server.connections.length]).toEqual(['live', 0, 1]);
  });

  test('a ticker of nonsense does not end the connection of the others', async () => {
    const { client, second, errors } = await withTwoBooks();
    const { last } = server;
    const ticker = client.ticker(instrument.id);
    await until(() => expect(ticker.granted).not.toBeNull());
    for (let i = 1; i <= 50; i++) last.send([6, 3, i, 1_000, 1, 'x']);
    last.send(bidFrame(2, 9, 6));
    await until(() => expect(second.book.bids.lotsAtPrice(100)).toBe(6));
    expect(last.asked('snapshot')).toHaveLength(3);
    expect([second.state, client.state, errors.length]).toEqual(['live', 'open', 0]);
  });

  test('is not alarmed by bad news: a state frame makes it stale, and live again', async () => {
    const { book } = await withLiveBook();
    server.last.send([3, 1, 6, wireStateOf('stale'), 10, 'no update for over 5 s']);
    await until(() => expect(book.state).toBe('stale'));
    expect(book.reason).toBe('no update for over 5 s');
    server.last.send(bidFrame(1, 7, 8), [3, 1, 8, wireStateOf('live'), 10, null]);
    await until(() => expect(book.state).toBe('live'));
    expect([book.reason, book.resyncs]).toEqual([null, 0]);
  });

  test.each(['before', 'after'] as const)(
    'drops its levels when the scales change, with the new snapshot %s the news',
    async (order) => {
      const { book } = await withLiveBook();
      const news = { op: 'instrument', instrument: { ...instrument, tick: scaleOf('0.001') } };
      const snapshot = snapshotFrame(1, 6, [1000, 5], [1010, 3]);
      server.last.send(...(order === 'before' ? [snapshot, news] : [news]));
      await until(() => expect(server.last.asked('snapshot')).toMatchObject([{ ch: 1 }]));
      expect(book.state).toBe('recovering');
      expect(book.instrument!.tick).toEqual(scaleOf('0.001'));
      expect([book.book.bids.count, book.book.asks.count]).toEqual([0, 0]);
      server.last.send(snapshot);
      await until(() => expect(book.state).toBe('live'));
      expect(book.book.bids.toFlat()).toEqual([1000, 5]);
    },
  );

  test('keeps its levels when only the status of the instrument changes', async () => {
    const { book } = await withLiveBook();
    server.last.send(
      { op: 'instrument', instrument: { ...instrument, status: 'halted' } },
      { op: 'instrument', instrument: { ...instrument, id: 'sim:X-Y' } },
    );
    await until(() => expect(book.instrument!.status).toBe('halted'));
    await settled(server.last);
    expect(book.state).toBe('live');
    expect(server.last.asked('snapshot')).toEqual([]);
  });
});

test('asks for less before it subscribes, and says what it was granted', async () => {
  const { client } = await connected({ limit: { bandwidth: 20_000, rate: 4 } });
  client.trades(instrument.id);
  await until(() => expect(server.last.asked('subscribe')).toHaveLength(1));
  expect(server.last.asked('limit')).toMatchObject([{ bandwidth: 20_000, rate: 4 }]);
  expect(client.limited).toBeNull();
  server.last.send({ op: 'limited', id: server.last.asked('limit')[0]!.id, bandwidth: 10_000, rate: null });
  await until(() => expect(client.limited).toMatchObject({ bandwidth: 10_000, rate: null }));
});

describe('the other topics', () => {
  const candle = (time: number, close: number) => [time, 1, 9, 1, close, 10, 2];

  test('trades: the newest last, a gap brings a new snapshot', async () => {
    const { client } = await connected();
    const trades = client.trades(instrument.id);
    await until(() => expect(trades.granted).not.toBeNull());
    server.last.send(
      [4, 1, 3, 1_000, [['a', 100, 5, 0, 900]]],
      [
        5,
        1,
        4,
        1_020,
        [
          [7, 101, 2, 1, 1_010],
          [8, 101, 1, 1, 1_010],
        ],
      ],
    );
    await until(() => expect(trades.trades).toHaveLength(3));
    expect(trades.trades[0]).toEqual({ id: 'a', price: 100, size: 5, side: 'buy', timeMs: 900 });
    expect(trades.latest.map(({ id, side }) => [id, side])).toEqual([
      [7, 'sell'],
      [8, 'sell'],
    ]);

    server.last.send([5, 1, 6, 1_030, [[10, 101, 1, 1, 1_010]]]);
    await until(() => expect(server.last.asked('snapshot')).toMatchObject([{ ch: 1 }]));
    expect(trades.trades).toHaveLength(3);
    server.last.send([4, 1, 6, 1_030, [[10, 101, 1, 1, 1_010]]]);
    await until(() => expect(trades.trades.map(({ id }) => id)).toEqual([10]));
  });

  test('trades: what was merged is told, and goes on from the frame that it names', async () => {
    const { client } = await connected();
    const trades = client.trades(instrument.id);
    await until(() => expect(trades.granted).not.toBeNull());
    const merged = (seq: number, from: number) => [
      ...[11, 1, seq, from, 2_000, 900, 5, 30, 12, 98, 105],
      [[9, 105, 10, 0, 1_990]],
    ];
    server.last.send([4, 1, 3, 1_000, [['a', 100, 5, 0, 900]]], merged(40, 3));
    await until(() => expect(trades.trades.map(({ id }) => id)).toEqual(['a', 9]));
    expect(trades.merged).toEqual({
      ...{ count: 5, bought: 30, sold: 12, low: 98, high: 105, ageMs: 900 },
      missed: 4,
    });
    server.last.send([5, 1, 41, 2_020, [[10, 101, 1, 1, 2_010]]]);
    await until(() => expect(trades.trades).toHaveLength(3));
    expect(trades.merged).toBeNull();
    expect(trades.resyncs).toBe(0);

    server.last.send(merged(60, 42));
    await until(() => expect(server.last.asked('snapshot')).toMatchObject([{ ch: 1 }]));
    expect(trades.trades).toHaveLength(3);
  });

  test('trades: holds no more than its limit', async () => {
    const { client } = await connected();
    const trades = client.trades(instrument.id);
    await until(() => expect(trades.granted).not.toBeNull());
    const many = Array.from({ length: 400 }, (_, id) => [id, 1, 1, 0, id]);
    server.last.send([4, 1, 0, 1, many], [5, 1, 1, 2, many.map(([id]) => [id! + 400, 1, 1, 0, 1])]);
    await until(() => expect(trades.trades.at(-1)!.id).toBe(799));
    expect(trades.trades).toHaveLength(500);
    expect(trades.trades[0]!.id).toBe(300);
  });

  test('candles: a frame replaces those it names, makes those that are missing, and appends', async () => {
    const { client } = await connected();
    const candles = client.candles(instrument.id, { interval: '1m' });
    await until(() => expect(candles.granted).not.toBeNull());
    server.last.send([7, 1, 0, 1_000, [candle(60, 1), candle(180, 3)]]);
    await until(() => expect(candles.candles.map(({ time }) => time)).toEqual([60, 180]));
    expect(candles.replaced).toBe(true);
    // a late trade changed the first and made the second, a new one opened the fourth
    server.last.send([8, 1, 1, 1_020, [candle(60, 5), candle(120, 6), candle(180, 7), candle(240, 8)]]);
    await until(() => expect(candles.candles).toHaveLength(4));
    expect(candles.candles.map(({ time, close }) => [time, close])).toEqual([
      [60, 5],
      [120, 6],
      [180, 7],
      [240, 8],
    ]);
    expect(candles.candles[0]).toEqual({
      time: 60,
      open: 1,
      high: 9,
      low: 1,
      close: 5,
      volume: 10,
      trades: 2,
    });
    expect(candles.replaced).toBe(false);
    server.last.send([12, 1, 9, 1, 2_000, 700, [candle(240, 9), candle(300, 10)]]);
    await until(() => expect(candles.candles).toHaveLength(5));
    expect(candles.candles.at(-2)!.close).toBe(9);
    server.last.send([8, 1, 10, 2_020, [candle(300, 11)]]);
    await until(() => expect(candles.candles.at(-1)!.close).toBe(11));
    expect(candles.resyncs).toBe(0);
  });

  test('ticker and status: each frame is the whole, and tells whether to trust it', async () => {
    server.greet = (connection) => {
      connection.answer = grantEachItsOwn;
      connection.send(hello);
    };
    const { client } = await connected({ backoff: { baseMs: 60_000, maxMs: 60_000 } });
    const ticker = client.ticker(instrument.id);
    const status = client.status(instrument.id);
    await until(() => expect([ticker.granted, status.granted]).not.toContain(null));
    expect([ticker.state, status.state]).toEqual(['syncing', 'syncing']);
    const tick = (seq: number, last: number | null, state = 1) => [
      6,
      1,
      seq,
      1_000,
      state,
      last,
      90,
      110,
      80,
      500,
      1.5,
      12,
      99,
      4,
      101,
      6,
    ];
    server.last.send(tick(3, 100), tick(2, 50), tick(9, 105), [
      9,
      2,
      1,
      1_000,
      2,
      900,
      'no update for over 5 s',
    ]);
    await until(() => expect(status.state).toBe('stale'));
    expect(status).toMatchObject({ sinceMs: 900, reason: 'no update for over 5 s' });
    expect(ticker.ticker).toEqual({
      last: 105,
      open: 90,
      high: 110,
      low: 80,
      volume: 500,
      turnover: 1.5,
      trades: 12,
      bid: 99,
      bidSize: 4,
      ask: 101,
      askSize: 6,
    });
    expect(ticker.state).toBe('live');
    expect(server.last.asked('snapshot')).toEqual([]); // a gap is no loss here
    server.last.socket.terminate();
    await until(() => expect(client.state).toBe('waiting'));
    expect([ticker.state, status.state]).toEqual(['recovering', 'recovering']);
  });

  test('are dropped when the scales change', async () => {
    const { client } = await connected();
    const trades = client.trades(instrument.id);
    await until(() => expect(trades.granted).not.toBeNull());
    server.last.send([4, 1, 0, 1_000, [['a', 100, 5, 0, 900]]]);
    await until(() => expect(trades.trades).toHaveLength(1));
    server.last.send({ op: 'instrument', instrument: { ...instrument, lot: scaleOf('1') } });
    await until(() => expect(trades.trades).toEqual([]));
    expect(trades.resyncs).toBe(0);
  });
});

describe('a server that sends garbage', () => {
  test.each([
    ['bytes that are no MessagePack', (socket: WebSocket) => socket.send(Buffer.from('c1ff00', 'hex'))],
    ['text on a binary connection', (socket: WebSocket) => socket.send('{"op":"hello"}')],
    ['nothing', (socket: WebSocket) => socket.send(Buffer.alloc(0))],
  ])('%s: is left and tried anew', async (_, misbehave) => {
    const { book, errors, states } = await withLiveBook();
    misbehave(server.last.socket);
    await until(() => expect(server.connections).toHaveLength(2));
    expect(errors[0]).toMatchObject({ code: 'malformed_message' });
    expect(states.slice(0, 3)).toEqual(['connecting', 'open', 'waiting']);
    await until(() => expect(book.granted).not.toBeNull());
  });

  test.each<[string, object]>([
    ['a greeting without a heartbeat', { ...hello, heartbeatMs: undefined }],
    ['a greeting with a heartbeat of nothing', { ...hello, heartbeatMs: 0 }],
  ])('%s: is left and tried anew', async (_, greeting) => {
    server.greet = (connection) => connection.send(JSON.parse(JSON.stringify(greeting)));
    const { client, errors } = observe();
    client.connect();
    await until(() => expect(server.connections.length).toBeGreaterThan(1));
    expect(errors[0]).toMatchObject({ code: 'malformed_frame' });
  });

  test('a grant without an instrument: is left and tried anew', async () => {
    const { client, errors } = await connected();
    server.last.answer = (request, connection) =>
      connection.send({ op: 'subscribed', id: request.id, ch: 1 });
    client.book(instrument.id);
    await until(() => expect(errors[0]).toMatchObject({ code: 'malformed_frame' }));
    await until(() => expect(server.connections.length).toBeGreaterThan(1));
  });

  test.each<[string, unknown[]]>([
    ['no trades', [5, 1, 1, 1_000]],
    ['trades that are none', [5, 1, 1, 1_000, ['x']]],
    ['a trade without a price', [5, 1, 1, 1_000, [['a', null, 1, 0, 1]]]],
    ['a trade of no side', [5, 1, 1, 1_000, [['a', 1, 1, 2, 1]]]],
    ['trades without a sequence', [5, 1]],
    ['a sequence that cannot be compared', [5, 1, { valueOf: 1, toString: 1 }, 1_000, []]],
  ])('%s: the tape is taken anew, the connection stays', async (_, frame) => {
    const { client } = await connected();
    const trades = client.trades(instrument.id);
    await until(() => expect(trades.granted).not.toBeNull());
    server.last.send([4, 1, 0, 1_000, [['a', 100, 5, 0, 900]]], frame);
    await until(() => expect(server.last.asked('snapshot')).toMatchObject([{ ch: 1 }]));
    expect(trades.trades.map(({ id }) => id)).toEqual(['a']);
    server.last.send([4, 1, 1, 1_000, [['b', 100, 5, 0, 900]]]);
    await until(() => expect(trades.trades.map(({ id }) => id)).toEqual(['b']));
    expect(server.connections).toHaveLength(1);
  });

  test('messages with fields of any type: nothing is thrown', async () => {
    const { client, book } = await withLiveBook();
    const { last } = server;
    const strange = { toString: 1, valueOf: 1 };
    last.answer = (request) => last.send({ op: 'pong', id: request.id, time: strange });
    last.send(
      { op: 'pong', id: strange, time: strange },
      { op: 'error', id: strange, code: strange, message: strange },
      { op: 'instrument', instrument: strange },
      { op: 'instrument', instrument: { id: instrument.id } },
      { op: 'unsubscribed', id: strange, ch: strange },
      [strange, strange, strange],
      [2, 1, strange],
    );
    await until(() => expect(last.asked('snapshot')).toMatchObject([{ ch: 1 }]));
    expect([client.state, book.state]).toEqual(['open', 'recovering']);
    const { errors } = observe();
    server.greet = (connection) => connection.send({ op: 'hello', protocol: strange });
    clients.at(-1)!.connect();
    await until(() => expect(errors).toMatchObject([{ code: 'unsupported_protocol' }]));
  });

  test('a ticker that is none: is taken anew', async () => {
    const { client } = await connected();
    const ticker = client.ticker(instrument.id);
    await until(() => expect(ticker.granted).not.toBeNull());
    server.last.send([6, 1, 4, 1_000, 9, 1], [6, 1, 5, 1_000, 1, 'x']);
    await until(() => expect(server.last.asked('snapshot').length).toBeGreaterThan(0));
    expect(ticker.ticker).toBeNull();
    server.last.send([6, 1, 5, 1_000, 1, 100, 90, 110, 80, 500, 1.5, 12, 99, 4, 101, 6]);
    await until(() => expect(ticker.ticker).toMatchObject({ last: 100 }));
  });
});

describe('encodings', () => {
  test('JSON carries the same', async () => {
    const { client, book } = await withLiveBook({ encoding: 'json' });
    expect(server.last.socket.protocol).toBe(subprotocols.json);
    server.last.send(bidFrame(1, 6, 8, checksumOf([100, 8], [101, 3])));
    await until(() => expect(book.replica.seq).toBe(6));
    expect(book.state).toBe('live');
    await until(() => expect(client.roundTripMs).not.toBeNull());
  });

  test('counts frames and bytes', async () => {
    const { client } = await connected();
    await until(() => expect(client.roundTripMs).not.toBeNull());
    const { framesIn, bytesIn } = client.traffic;
    const frame = bidFrame(1, 6, 8);
    server.last.send(frame);
    await until(() => expect(client.traffic.framesIn).toBe(framesIn + 1));
    expect(client.traffic.bytesIn).toBe(bytesIn + codecs.msgpack.encode(frame as unknown as Message).length);
  });
});
