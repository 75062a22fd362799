import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  bidFrame,
  checksumOf,
  grant,
  grantAll,
  hello,
  ScriptedServer,
  settled,
  snapshotFrame,
  until,
} from '../../test/scripted-server.ts';
import { encodeLevels } from '../protocol/levels.ts';
import type { SubscribeRequest } from '../protocol/messages.ts';
import { DepthwireClient } from './client.ts';

// A client that lost its connection, and finds another gateway at the address.

let server: ScriptedServer;
let client: DepthwireClient;

beforeEach(async () => {
  server = new ScriptedServer();
  client = new DepthwireClient({ url: await server.start(), backoff: { baseMs: 10, maxMs: 20 } });
});

afterEach(async () => {
  client.close();
  await server.stop();
});

/** Of a book that is at update 5 there, with another reference. */
function resumedFrame(from: number, seq = 2) {
  const levels = [encodeLevels([99, 4], -1, 98), encodeLevels([], 1, 98)];
  const checksum = checksumOf([100, 1, 99, 4], [101, 1]);
  return [13, 1, seq, 1, from, from + 3, 2_000, 30, null, 98, ...levels, checksum];
}

/** A book as of frame 5 of channel 1, which is also its fifth update, and what it asks for when it is back. */
async function moved(greeting: object = { gateway: 'b' }) {
  const book = client.book('sim:BTC-USD', { depth: 50 });
  client.connect();
  await until(() => expect(book.granted).not.toBeNull());
  server.last.send(snapshotFrame(1, 5, [100, 1, 99, 2], [101, 1]));
  await until(() => expect(book.state).toBe('live'));
  server.greet = (connection) => {
    connection.answer = (request) => {
      if (request.op !== 'subscribe') grantAll(request, connection);
    };
    connection.send({ ...hello, ...greeting });
  };
  server.last.socket.terminate();
  await until(() => expect(server.connections).toHaveLength(2));
  await until(() => expect(server.last.asked('subscribe')).toHaveLength(1));
  const [request] = server.last.asked('subscribe') as [SubscribeRequest];
  const answer = (seq?: number, more: object = {}) =>
    server.last.send({
      ...{ op: 'subscribed', id: request.id, ch: 1, topic: 'book', instrument: book.instrument },
      ...{ epoch: 1, cadence: 100, depth: 50, seq, ...more },
    });
  return { book, request, answer };
}

describe('a client that comes to another gateway', () => {
  test('says what it holds, and goes on with what differs', async () => {
    const { book, request, answer } = await moved();
    expect(request.resume).toEqual({ epoch: 1, ch: 1, seq: 5, gateway: 'a', sequence: 5, depth: 50 });
    answer(2);
    await settled(server.last);
    expect(book.state).toBe('recovering');
    server.last.send(resumedFrame(5));
    await until(() => expect(book.state).toBe('live'));
    expect(book.book.bids.toFlat()).toEqual([100, 1, 99, 4]);
    expect(book.book.sequence).toBe(8);
    expect(book.replica).toMatchObject({ merged: 3, isConflated: true, ageMs: 30, seq: 2 });
    server.last.send([2, 1, 3, 1, 20, 5, null, [-4, 7], []]); // 100, by the reference of that gateway
    await until(() => expect(book.book.bids.lotsAtPrice(100)).toBe(7));
    expect(book.resyncs).toBe(0);
  });

  test.each([
    ['that goes on from another book', resumedFrame(4)],
    ['of the channel as it was', bidFrame(1, 6, 3)],
    ['that gives a book with another checksum', resumedFrame(5).with(12, 1)],
  ])('asks for a snapshot after a frame %s', async (_, frame) => {
    const { book, answer } = await moved();
    answer(5);
    server.last.send(frame);
    await until(() => expect(server.last.asked('snapshot')).toHaveLength(1));
    expect(book.state).toBe('recovering');
    server.last.send(resumedFrame(5), snapshotFrame(1, 6, [100, 2], [101, 1]));
    await until(() => expect(book.state).toBe('live'));
    expect(book.book.bids.toFlat()).toEqual([100, 2]);
  });

  test('takes a snapshot instead, whatever its number', async () => {
    const { book, answer } = await moved();
    answer(2);
    server.last.send(snapshotFrame(1, 2, [100, 2], [101, 1]));
    await until(() => expect(book.state).toBe('live'));
    expect(book.resyncs).toBe(0);
  });

  test('does not say what it holds once its market has begun anew, until it has a snapshot of that', async () => {
    const { book, answer } = await moved();
    const again = async () => {
      const { length } = server.connections;
      server.last.socket.terminate();
      await until(() => expect(server.connections).toHaveLength(length + 1));
      await until(() => expect(server.last.asked('subscribe')).toHaveLength(1));
      const [request] = server.last.asked('subscribe') as [SubscribeRequest];
      grant(server.last, request, 1);
      return request.resume;
    };
    answer(2);
    server.last.send(resumedFrame(5), { op: 'instrument', instrument: book.instrument, epoch: 2 });
    await settled(server.last);
    expect(await again()).toBeUndefined();
    server.last.send({ op: 'instrument', instrument: book.instrument, epoch: 2 });
    server.last.send(snapshotFrame(1, 9, [100, 2], [101, 1]));
    await until(() => expect(book.state).toBe('live'));
    expect(await again()).toMatchObject({ epoch: 2, sequence: 9 });
  });

  test('says to an older server what that knows', async () => {
    const { gateway: _, ...older } = hello;
    server.greet = (connection) => connection.send(older);
    const { request } = await moved({ gateway: undefined });
    expect(request.resume).toEqual({ epoch: 1, ch: 1, seq: 5, depth: 50 });
  });
});
