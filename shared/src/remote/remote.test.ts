import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  bidFrame,
  checksumOf,
  grantAll,
  grantEachItsOwn,
  hello,
  instrument,
  ScriptedServer,
  settled,
  snapshotFrame,
  until,
} from '../../test/scripted-server.ts';
import type { DepthwireError } from '../model/errors.ts';
import { scaleOf } from '../model/units.ts';
import type { RawFrame } from '../protocol/codec.ts';
import type { PortLike } from './messages.ts';
import { RemoteClient } from './remote-client.ts';
import { RemoteHost } from './remote-host.ts';

// Real ports, so that all that crosses is copied or transferred, and a real server behind the host.

let server: ScriptedServer;
let url: string;
let clients: RemoteClient[];

beforeEach(async () => {
  server = new ScriptedServer();
  url = await server.start();
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.end();
  await server.stop();
});

/** A port with a host at its other end. */
function hosted(): PortLike {
  const { port1, port2 } = new MessageChannel();
  new RemoteHost(port2 as unknown as PortLike);
  return port1 as unknown as PortLike;
}

async function connected(token?: () => string | null | Promise<string>): Promise<RemoteClient> {
  const client = new RemoteClient({ url, backoff: { baseMs: 10, maxMs: 20 }, token });
  clients.push(client);
  client.attach(hosted());
  client.connect();
  await until(() => expect(client.state).toBe('open'));
  return client;
}

async function withLiveBook() {
  const client = await connected();
  const book = client.book(instrument.id, { depth: 50, cadenceMs: 100 });
  await until(() => expect(book.granted).not.toBeNull());
  server.last.send(snapshotFrame(1, 5, [100, 5, 99, 2], [101, 3]));
  await until(() => expect(book.state).toBe('live'));
  return { client, book };
}

/** Keeps the reader's thread from its messages until `release`. */
function heldUp(port: PortLike): { port: PortLike; release(): void; held: unknown[] } {
  const held: unknown[] = [];
  let isHeld = true;
  let listener: PortLike['onmessage'] = null;
  port.onmessage = ({ data }) => {
    if (isHeld) held.push(data);
    else listener?.({ data });
  };
  const gate: PortLike = {
    postMessage: (message, transfer) => port.postMessage(message, transfer),
    close: () => port.close(),
    get onmessage() {
      return listener;
    },
    set onmessage(next) {
      listener = next;
    },
  };
  return {
    port: gate,
    held,
    release() {
      isHeld = false;
      for (const data of held) listener?.({ data });
    },
  };
}

const trade = (id: number) => [id, 100, 2, 0, 1_000 + id];

describe('a client on another thread', () => {
  test('tells its greeting, its state and its round trip', async () => {
    const client = await connected();
    expect(client.hello).toEqual(hello);
    await until(() => expect(client.roundTripMs).toBeGreaterThan(0));
    expect(client.clockOffsetMs).not.toBeNull();
  });

  test('has the very book, and what is known of its last frame', async () => {
    const { client, book } = await withLiveBook();
    server.last.send(bidFrame(1, 6, 9, checksumOf([100, 9, 99, 2], [101, 3])));
    await until(() => expect(book.replica.seq).toBe(6));
    expect(book.book.bids.toFlat()).toEqual([100, 9, 99, 2]);
    expect(book.book.asks.toFlat()).toEqual([101, 3]);
    expect(book.replica.verified).toBe(2);
    expect(book.replica.isDelta).toBe(true);
    expect(book.instrument).toEqual(instrument);
    expect(book.granted).toEqual({ depth: 50, cadenceMs: 100 });
    expect(client.traffic.framesIn).toBeGreaterThan(2);
  });

  test('says why a book is taken anew, with the typed error', async () => {
    const { book } = await withLiveBook();
    const errors: DepthwireError[] = [];
    book.on('error', (error) => errors.push(error));
    server.last.answer = null;
    server.last.send(bidFrame(1, 6, 9, 12_345));
    await until(() => expect(book.state).toBe('recovering'));
    expect(errors.map(({ code }) => code)).toEqual(['checksum_mismatch']);
    expect(errors[0]!.retry).toBe(true);
    expect(book.resyncs).toBe(1);
  });

  test('tells a refusal', async () => {
    const client = await connected();
    server.last.answer = (request, connection) =>
      connection.send({ op: 'error', id: request.id, code: 'unknown_instrument', message: 'there is none' });
    const ticker = client.ticker('sim:NO-NO');
    await until(() => expect(ticker.refusal?.message).toBe('there is none'));
    expect(ticker.refusal!.code).toBe('unknown_instrument');
  });

  test('keeps the picture when the connection goes, and goes on when it is back', async () => {
    const { client, book } = await withLiveBook();
    const states: string[] = [];
    client.on('state', (state) => states.push(`${state} ${book.state}`));
    server.last.socket.terminate();
    await until(() => expect(server.connections).toHaveLength(2));
    await until(() => expect(book.granted).not.toBeNull());
    server.last.send(snapshotFrame(1, 1, [100, 6], [101, 3]));
    await until(() => expect(book.state).toBe('live'));
    expect(states).toEqual(['waiting recovering', 'connecting recovering', 'open recovering']);
    expect(book.book.bids.toFlat()).toEqual([100, 6]);
  });

  test('holds nothing of an instrument that counts otherwise from now on', async () => {
    const client = await connected();
    const trades = client.trades(instrument.id);
    await until(() => expect(trades.granted).not.toBeNull());
    server.last.send([4, 1, 1, 1_000, [trade(1), trade(2)]]);
    await until(() => expect(trades.trades).toHaveLength(2));
    server.last.send({ op: 'instrument', instrument: { ...instrument, lot: scaleOf('1') } });
    await until(() => expect(trades.trades).toEqual([]));
    expect(trades.hasData).toBe(false);
    expect(trades.instrument?.lot).toEqual(scaleOf('1'));
  });

  test('puts candles where their times belong', async () => {
    const client = await connected();
    const candles = client.candles(instrument.id, { interval: '1m' });
    await until(() => expect(candles.granted).not.toBeNull());
    const candle = (time: number, close: number) => [time, 1, 9, 1, close, 5, 2];
    server.last.send([7, 1, 1, 1_000, [candle(60, 2), candle(180, 3)]]);
    await until(() => expect(candles.replaced).toBe(true));
    server.last.send([8, 1, 2, 1_000, [candle(120, 4), candle(180, 5)]]);
    await until(() => expect(candles.replaced).toBe(false));
    expect(candles.candles.map(({ time, close }) => [time, close])).toEqual([
      [60, 2],
      [120, 4],
      [180, 5],
    ]);
  });

  test('shares what is asked for alike, and leaves it with its last user', async () => {
    const { client, book } = await withLiveBook();
    expect(client.book(instrument.id, { depth: 50, cadenceMs: 100 })).toBe(book);
    book.close();
    await settled(server.last);
    expect(server.last.asked('unsubscribe')).toHaveLength(0);
    let isTold = false;
    book.on('close', () => (isTold = true));
    book.close();
    await until(() => expect(server.last.asked('unsubscribe')).toHaveLength(1));
    expect(book.isClosed).toBe(true);
    expect(isTold).toBe(true);
  });

  test('asks its reader for the token, and says where there was none', async () => {
    server.greet = (connection) => {
      connection.send({ ...hello, principal: null });
      connection.answer = (request) => {
        if (request.op !== 'authenticate') grantAll(request, connection);
        else connection.send({ op: 'authenticated', id: request.id, principal: 'me', expires: null });
      };
    };
    const client = await connected(() => Promise.resolve('the-key'));
    expect(client.principal).toBe('me');
    expect(server.last.asked('authenticate')).toMatchObject([{ token: 'the-key' }]);

    const poor = new RemoteClient({ url, token: () => Promise.reject(new Error('no one is in')) });
    clients.push(poor);
    const errors: string[] = [];
    poor.on('error', ({ code, message }) => errors.push(`${code}: ${message}`));
    poor.attach(hosted());
    poor.connect();
    await until(() => expect(errors[0]).toContain('unauthenticated: no token'));
    expect(errors[0]).toContain('no one is in');
  });

  test('shows the messages on the wire to who listens, and to nobody else', async () => {
    const { client } = await withLiveBook();
    const frames: RawFrame[] = [];
    const off = client.on('frame', (frame) => frames.push(frame));
    await new Promise((resolve) => setTimeout(resolve, 20)); // that it listens crosses first
    server.last.send(bidFrame(1, 6, 9));
    await until(() => expect(frames).toHaveLength(1));
    expect(frames[0]).toMatchObject({ direction: 'in', encoding: 'msgpack' });
    off();
  });

  test('goes on for all others where a listener throws', async () => {
    const { book } = await withLiveBook();
    const thrown: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', (error) => thrown.push(error));
    try {
      book.on('change', () => {
        throw new Error('mine');
      });
      let changes = 0;
      book.on('change', () => (changes += 1));
      for (let seq = 6; seq < 9; seq++) {
        server.last.send(bidFrame(1, seq, seq));
        await until(() => expect(book.replica.seq).toBe(seq));
      }
      expect(changes).toBe(3);
      await until(() => expect(thrown).toHaveLength(3));
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
  });

  test('is taken over by another host, with all that was subscribed to', async () => {
    const { client, book } = await withLiveBook();
    client.attach(hosted());
    await until(() => expect(server.connections).toHaveLength(2));
    await until(() => expect(server.last.asked('subscribe')).toHaveLength(1));
    await settled(server.last);
    server.last.send(snapshotFrame(1, 1, [100, 7], [101, 3]));
    await until(() => expect(book.book.bids.toFlat()).toEqual([100, 7]));
    await until(() => expect(server.connections[0]!.socket.readyState).toBe(3));
  });
});

describe('a reader that is busy', () => {
  test('gets the newest book at once, and every trade', async () => {
    const client = new RemoteClient({ url });
    clients.push(client);
    const gate = heldUp(hosted());
    server.greet = (connection) => {
      connection.send(hello);
      connection.answer = grantEachItsOwn;
    };
    client.attach(gate.port);
    client.connect();
    const book = client.book(instrument.id);
    const trades = client.trades(instrument.id);
    await until(() => expect(server.last?.asked('subscribe')).toHaveLength(2));
    server.last.send(snapshotFrame(1, 1, [100, 1], [101, 3]), [4, 2, 1, 1_000, [trade(1)]]);
    for (let seq = 2; seq <= 40; seq++) {
      server.last.send(bidFrame(1, seq, seq), [5, 2, seq, 1_000, [trade(seq)]]);
      await settled(server.last);
    }
    // What crossed is a few words of the connection, not one for each frame.
    expect(gate.held.length).toBeLessThan(10);

    const told: (number | string)[] = [];
    let changes = 0;
    book.on('change', () => (changes += 1));
    trades.on('change', () => told.push(...trades.latest.map(({ id }) => id)));
    gate.release();
    await until(() => expect(book.replica.seq).toBe(40));
    await until(() => expect(told).toHaveLength(40));
    expect(book.book.bids.toFlat()).toEqual([100, 40]);
    expect(changes).toBeLessThan(5);
    expect(told).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(trades.trades).toHaveLength(40);
  });
});
