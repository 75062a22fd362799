import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { instrument } from '../../test/scripted-server.ts';
import { codecs, type Message, type RawFrame } from '../protocol/codec.ts';
import type { ClientRequest, TickerFrame } from '../protocol/messages.ts';
import { DepthwireClient } from './client.ts';
import { changes, whenOpen, whenReady } from './wait.ts';

// A real server on the loopback that grants tickers and sends what a test tells it to.

let server: WebSocketServer;
let socket: WebSocket;
let client: DepthwireClient;
/** All that the server got and sent, as it lay on the wire. */
let wire: { direction: 'in' | 'out'; bytes: Buffer }[];
let protocol: number;

const send = (message: unknown) => {
  const bytes = Buffer.from(codecs.msgpack.encode(message as Message) as Uint8Array);
  wire.push({ direction: 'in', bytes });
  socket.send(bytes);
};

const ticker = (seq: number, last: number): TickerFrame => [
  ...([6, 1, seq, 1_000, 1, last, 90, 110, 80, 500, 1.5] as const),
  ...([12, 99, 4, 101, 6] as const),
];

beforeEach(async () => {
  wire = [];
  protocol = 1;
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  server.on('connection', (opened) => {
    socket = opened;
    socket.on('message', (data) => {
      wire.push({ direction: 'out', bytes: data as Buffer });
      const request = codecs.msgpack.decode(data as Buffer) as ClientRequest;
      if (request.op === 'ping') send({ op: 'pong', id: request.id, time: 1_000 });
      if (request.op !== 'subscribe') return;
      if (request.instrument === instrument.id)
        send({ op: 'subscribed', id: request.id, ch: 1, topic: 'ticker', instrument, cadence: 250 });
      else
        send({
          op: 'error',
          id: request.id,
          code: 'unknown_instrument',
          message: 'never heard of it',
          retry: false,
        });
    });
    send({
      ...{ op: 'hello', protocol, server: 'test', epoch: 1, time: 1_000, heartbeatMs: 60_000 },
      ...{ depths: [0], cadences: [0], limits: { maxMessageBytes: 16_384, maxSubscriptions: 10 } },
    });
  });
  client = new DepthwireClient({ url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws` });
});

afterEach(async () => {
  client.close();
  for (const open of server.clients) open.terminate();
  server.close();
  await once(server, 'close');
});

const granted = (subscription: { granted: unknown }) =>
  vi.waitFor(() => expect(subscription.granted).not.toBeNull(), { interval: 2, timeout: 5_000 });

test('whenOpen gives the greeting, also to who asks later', async () => {
  client.connect();
  expect(await whenOpen(client)).toMatchObject({ op: 'hello', server: 'test' });
  expect(await whenOpen(client)).toBe(client.hello);
});

test('whenOpen ends with why the client gave up, and with the signal', async () => {
  protocol = 99;
  const waiting = whenOpen(client);
  client.connect();
  await expect(waiting).rejects.toMatchObject({ code: 'unsupported_protocol' });
  const closed = whenOpen(client);
  await expect(closed).rejects.toMatchObject({ code: 'client_closed' });
  const idle = new DepthwireClient({ url: 'ws://127.0.0.1:9/ws' });
  const stop = new AbortController();
  const stopped = whenOpen(idle, stop);
  stop.abort(new Error('enough'));
  await expect(stopped).rejects.toThrow('enough');
  await expect(whenOpen(idle, stop)).rejects.toThrow('enough');
});

test('whenReady waits for data, not for the grant', async () => {
  client.connect();
  const subscription = client.ticker(instrument.id);
  let isReady = false;
  const ready = whenReady(subscription).then((same) => {
    isReady = true;
    return same;
  });
  await granted(subscription);
  expect(isReady).toBe(false);
  send(ticker(1, 100));
  expect(await ready).toBe(subscription);
  expect(subscription.ticker).toMatchObject({ last: 100 });
});

test('whenReady and changes end with why a subscription is refused', async () => {
  client.connect();
  const refused = client.ticker('sim:NO-ONE');
  await expect(whenReady(refused)).rejects.toMatchObject({ code: 'unknown_instrument' });
  await expect(changes(refused).next()).rejects.toMatchObject({ code: 'unknown_instrument' });
});

test('closing a subscription ends who waits for it', async () => {
  client.connect();
  const subscription = client.ticker(instrument.id);
  await granted(subscription);
  const ready = whenReady(subscription);
  const loop = changes(subscription).next();
  subscription.close();
  await expect(ready).rejects.toMatchObject({ code: 'client_closed' });
  expect(await loop).toEqual({ done: true, value: undefined });
});

test('changes come one for all that came while nobody asked, and the newest', async () => {
  client.connect();
  const subscription = client.ticker(instrument.id);
  await granted(subscription);
  const seen: (number | null)[] = [];
  const stop = new AbortController();
  send(ticker(1, 100));
  for await (const { ticker: now } of changes(subscription, stop)) {
    seen.push(now!.last);
    if (seen.length === 1) {
      for (let seq = 2; seq <= 50; seq++) send(ticker(seq, 100 + seq));
      await vi.waitFor(() => expect(subscription.ticker?.last).toBe(150), { interval: 2, timeout: 5_000 });
    } else {
      stop.abort();
    }
  }
  expect(seen).toEqual([100, 150]);
});

test('changes wait where nothing changed', async () => {
  client.connect();
  const subscription = client.ticker(instrument.id);
  await granted(subscription);
  send(ticker(1, 100));
  const loop = changes(subscription);
  expect((await loop.next()).done).toBe(false);
  let isSettled = false;
  const next = loop.next().finally(() => (isSettled = true));
  await new Promise(setImmediate);
  expect(isSettled).toBe(false);
  send(ticker(2, 101));
  expect((await next).value).toBe(subscription);
  expect(subscription.ticker?.last).toBe(101);
  await loop.return();
});

test('a frame is shown as it was on the wire, in order, and only while somebody looks', async () => {
  const shown: RawFrame[] = [];
  const stop = client.on('frame', (frame) => shown.push(frame));
  client.connect();
  const subscription = client.ticker(instrument.id);
  await granted(subscription);
  send(ticker(1, 100));
  await whenReady(subscription);
  await vi.waitFor(() => expect(shown.length).toBe(wire.length), { interval: 2, timeout: 5_000 });
  const [inward, outward] = (['in', 'out'] as const).map((direction) => ({
    shown: shown
      .filter((frame) => frame.direction === direction)
      .map(({ data }) => Buffer.from(data as Uint8Array)),
    sent: wire.filter((frame) => frame.direction === direction).map(({ bytes }) => bytes),
  }));
  expect(inward!.shown).toEqual(inward!.sent);
  expect(outward!.shown).toEqual(outward!.sent);
  expect(outward!.shown.length).toBeGreaterThan(1);
  expect(
    shown.every(({ encoding, timeMs }, i) => encoding === 'msgpack' && timeMs >= (shown[i - 1]?.timeMs ?? 0)),
  ).toBe(true);
  stop();
  const { length } = shown;
  send(ticker(2, 101));
  await vi.waitFor(() => expect(subscription.ticker?.last).toBe(101), { interval: 2, timeout: 5_000 });
  expect(shown.length).toBe(length);
});
