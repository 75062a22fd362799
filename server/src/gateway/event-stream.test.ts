import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { EventReader } from '../../test/event-reader.ts';
import { silentLog, startMarket } from '../../test/markets.ts';
import { Access } from '../access/access.ts';
import { accessSchema } from '../access/config.ts';
import { anybody } from '../../test/owners.ts';
import { parseStreamQuery } from '../http/stream-query.ts';
import { Gateway } from './gateway.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const limits = {
  heartbeatMs: 15_000,
  maxMessageBytes: 1e6,
  maxSubscriptions: 9,
  maxConnections: 9,
  maxBufferedBytes: 65_536,
  maxRequestsPerSecond: 1_000,
  idleMs: 1e9,
  authenticateWithinMs: 10_000,
  maxConnectionsPerAddress: 9,
  maxSubscriptionsPerAddress: 9,
  maxConnectionsPerKey: 9,
  maxSubscriptionsPerKey: 9,
};

const caller = {
  requestId: 'test',
  address: '127.0.0.1',
  host: undefined,
  origin: undefined,
  isSameOrigin: false,
  isSecure: false,
  isForwarded: false,
};

/** A gateway on a clock of the test's own, a real socket, and a client that has stopped reading. */
async function stalled(lifeMs?: number) {
  const { hub, feed, clock } = await startMarket();
  feed.snapshot([100_000, 5], [100_001, 4]);
  feed.state('live');
  const clocks = { marketClock: clock, wallClock: clock };
  const owner = lifeMs === undefined ? anybody : { ...anybody, expiresMs: clock.now() + lifeMs };
  const access = new Access({ config: accessSchema.parse({}), allowedOrigins: [], clock });
  const gateway = new Gateway({ hub, access, limits, ...clocks, log: silentLog, server: 'test' });
  const accepted = Promise.withResolvers<ServerResponse>();
  const server = createServer((request, response) => {
    gateway.acceptStream(response, {}, parseStreamQuery(request.url!.split('?')[1]!), caller, owner);
    accepted.resolve(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const reader = await EventReader.open(`${url}/?book=test:AAA-USD,depth=0,cadence=0`);
  cleanups.push(() => {
    reader.destroy();
    server.close();
  });
  const response = await accepted.promise;
  await reader.next((_, event) => event === 'book');
  reader.response.pause();
  const wide = (size: number) => Array.from({ length: 1_000 }, (_, i) => [100_000 - i, size + i]).flat();
  for (let i = 1; response.socket!.writableLength === 0; i++) {
    feed.delta(wide(i), []);
    await new Promise(setImmediate);
  }
  const pass = (seconds: number) => {
    const end = clock.now() + seconds * 1_000;
    while (clock.now() < end) clock.advanceTo(clock.now() + 500);
  };
  return { gateway, reader, response, pass };
}

test('a client that says nothing is kept, and cut off once it has taken nothing for two minutes', async () => {
  const { gateway, reader, response, pass } = await stalled();
  const waiting = response.socket!.writableLength;
  pass(119);
  expect(gateway.connectionCount).toBe(1);
  expect(response.socket!.writableLength).toBe(waiting); // pings do not pile up
  pass(2);
  await once(response, 'close');
  expect(gateway.connectionCount).toBe(0);
  reader.response.resume();
  await reader.end();
  expect(reader.events.some(({ event }) => event === 'close')).toBe(false);
});

test('a client that takes nothing does not outlive its token', async () => {
  const { gateway, response, pass } = await stalled(10_000);
  pass(9);
  expect(gateway.connectionCount).toBe(1);
  pass(4);
  await once(response, 'close');
  expect(gateway.connectionCount).toBe(0);
});

test('a client that reads late is told all the same why a stream ends', async () => {
  const { gateway, reader, response } = await stalled();
  expect(response.socket!.writableLength).toBeGreaterThan(0);
  const closed = gateway.close(1_000);
  reader.response.resume();
  await reader.end();
  expect(reader.data.slice(-2)).toEqual([
    { op: 'goodbye', reconnectMs: 2_000 },
    { op: 'close', code: 1001, reason: 'server shuts down' },
  ]);
  await closed;
});
