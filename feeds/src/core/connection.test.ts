import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { startLoopbackServer, type LoopbackServer } from '../kit/index.ts';
import { VenueConnection } from './connection.ts';
import { VirtualClock } from './virtual-clock.ts';

const START_MS = 1_000_000;
const SILENCE_MS = 60_000;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

let server: LoopbackServer;
let connection: VenueConnection | null = null;
afterEach(async () => {
  connection?.close();
  connection = null;
  await server.close();
});

async function connect(options: { onSocket?: (socket: WebSocket) => void; random?: () => number } = {}) {
  const sockets: WebSocket[] = [];
  server = await startLoopbackServer({
    onRequest: (_url, response) => response.end(),
    onSocket(socket) {
      sockets.push(socket);
      options.onSocket?.(socket);
    },
  });
  const clock = new VirtualClock(START_MS);
  const log: string[] = [];
  connection = new VenueConnection({
    url: server.ws,
    clock,
    log: silent,
    random: options.random ?? (() => 0.999_999),
    silenceMs: SILENCE_MS,
    onOpen: () => log.push('open'),
    onText: (text) => log.push(text),
    onClose: (reason) => log.push(`closed: ${reason}`),
  });
  connection.open();
  await seen(log, 'open');
  return { clock, log, sockets, connection };
}

const seen = (log: string[], text: string | RegExp, times = 1) =>
  vi.waitFor(
    () =>
      expect(log.filter((line) => (typeof text === 'string' ? line === text : text.test(line)))).toHaveLength(
        times,
      ),
    {
      interval: 2,
    },
  );

describe('VenueConnection', () => {
  it('hands over text frames with their receive time, leaves binary ones out, and sends', async () => {
    const got: string[] = [];
    const { log, sockets, connection } = await connect({
      onSocket: (socket) => socket.on('message', (data) => got.push(String(data))),
    });
    sockets[0]!.send(Buffer.from('binary'));
    sockets[0]!.send('text');
    await seen(log, 'text');
    expect(log).toEqual(['open', 'text']);
    connection.send('hello');
    await vi.waitFor(() => expect(got).toEqual(['hello']));
  });

  it('answers the pings of the venue', async () => {
    const { sockets } = await connect();
    const pong = new Promise((resolve) => sockets[0]!.on('pong', (data) => resolve(String(data))));
    sockets[0]!.ping('1700000000000');
    expect(await pong).toBe('1700000000000');
  });

  it('bears with a quiet market that is pinged, but not for ever', async () => {
    const { clock, log, sockets } = await connect();
    for (let round = 1; round <= 5; round++) {
      clock.advanceTo(START_MS + round * (SILENCE_MS - 10));
      const pong = new Promise((resolve) => sockets[0]!.once('pong', resolve));
      sockets[0]!.ping();
      await pong;
    }
    expect(log).toEqual(['open']);
    clock.advanceTo(START_MS + 5 * SILENCE_MS);
    expect(log.at(-1)).toMatch(/^closed.*silent/);
  });

  it('tells why the socket ended, and opens another after the back-off', async () => {
    const { clock, log, sockets } = await connect();
    sockets[0]!.close(1008, 'Too many requests');
    await seen(log, /^closed/);
    expect(log[1]).toBe('closed: connection lost: closed with code 1008 Too many requests');
    clock.advanceTo(START_MS + 900);
    expect(sockets).toHaveLength(1);
    clock.advanceTo(START_MS + 1_000);
    await seen(log, 'open', 2);
    expect(sockets).toHaveLength(2);
  });

  it.each([
    ['429 with a Retry-After', 'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30', 30_000],
    ['503 with a Retry-After', 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7', 7_000],
    ['418 without', 'HTTP/1.1 418 Nothing', 60_000],
    ['403 without', 'HTTP/1.1 403 Forbidden', 1_000],
  ])('waits as long as a handshake refused with %s asks for', async (_name, head, waitMs) => {
    const refusing = createServer();
    refusing.on('upgrade', (_request, socket) => socket.end(`${head}\r\nContent-Length: 0\r\n\r\n`));
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    const { clock, log } = await connect();
    const warnings: object[] = [];
    const refused = new VenueConnection({
      url: `ws://127.0.0.1:${(refusing.address() as AddressInfo).port}`,
      clock,
      log: { ...silent, warn: (details) => warnings.push(details) },
      random: () => 0.999_999,
      silenceMs: SILENCE_MS,
      onOpen: () => log.push('never'),
      onText: () => undefined,
      onClose: () => undefined,
    });
    refused.open();
    await vi.waitFor(() =>
      expect(warnings).toMatchObject([
        {
          reason: expect.stringMatching(/^the handshake was answered with HTTP \d+$/) as string,
          retryInMs: waitMs,
        },
      ]),
    );
    refused.close();
    refusing.close();
    expect(log).not.toContain('never');
  });

  it('waits longer each time a connection ends early, and starts anew after one that lasted', async () => {
    const { clock, log, sockets } = await connect();
    for (const [i, waitMs] of [1_000, 2_000, 4_000].entries()) {
      sockets.at(-1)!.terminate();
      await seen(log, /^closed/, i + 1);
      expect(clock.nextDueMs()! - clock.now()).toBeCloseTo(waitMs, 0);
      clock.advanceTo(clock.nextDueMs()!);
      await seen(log, 'open', i + 2);
    }
    for (let i = 0; i < 2; i++) {
      clock.advanceTo(clock.now() + 35_000); // within the silence allowed, for frames come
      sockets.at(-1)!.send('frame');
      await seen(log, 'frame', i + 1);
    }
    sockets.at(-1)!.terminate();
    await seen(log, /^closed/, 4);
    expect(clock.nextDueMs()! - clock.now()).toBeCloseTo(1_000, 0);
  });

  it('keeps trying while nobody listens, without telling that it closed what never opened', async () => {
    const { clock, log } = await connect();
    await server.close();
    await seen(log, /^closed/);
    for (let i = 0; i < 3; i++) {
      const due = clock.nextDueMs()!;
      clock.advanceTo(due);
      await vi.waitFor(() => expect(clock.nextDueMs() ?? 0).toBeGreaterThan(due), { interval: 2 });
    }
    expect(log).toHaveLength(2);
  });

  it('takes a silent socket for dead, and one with frames for alive', async () => {
    const { clock, log, sockets } = await connect();
    clock.advanceTo(START_MS + SILENCE_MS - 1);
    sockets[0]!.send('frame');
    await seen(log, 'frame');
    clock.advanceTo(START_MS + SILENCE_MS + 10);
    expect(log).toEqual(['open', 'frame']);
    clock.advanceTo(START_MS + 2 * SILENCE_MS - 1);
    expect(log).toEqual(['open', 'frame', `closed: connection lost: silent for ${SILENCE_MS} ms`]);
    clock.advanceTo(clock.now() + 1_000);
    await seen(log, 'open', 2);
  });

  it('hands over nothing more, and opens nothing more, once closed', async () => {
    const { clock, log, sockets, connection } = await connect();
    sockets[0]!.send('before');
    await seen(log, 'before');
    sockets[0]!.send('after');
    connection.close();
    connection.close();
    connection.send('nobody hears');
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    expect(clock.nextDueMs()).toBeNull();
    clock.advanceTo(START_MS + 10 * SILENCE_MS);
    expect(log).toEqual(['open', 'before']);
    expect(sockets).toHaveLength(1);
  });

  it('hands over nothing of a chunk of frames after one of them closed it', async () => {
    const { log, sockets, connection } = await connect();
    const onText = vi.spyOn(log, 'push').mockImplementation((...lines) => {
      connection.close();
      return Array.prototype.push.apply(log, lines);
    });
    const [socket] = sockets;
    const raw = (socket as unknown as { _socket: import('node:net').Socket })._socket;
    raw.cork();
    for (const text of ['one', 'two', 'three']) socket!.send(text);
    raw.uncork();
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    onText.mockRestore();
    expect(log).toEqual(['open', 'one']);
  });

  it('can be closed while it waits to reconnect, and while it connects', async () => {
    const { clock, log, sockets, connection } = await connect();
    sockets[0]!.terminate();
    await seen(log, /^closed/);
    clock.advanceTo(clock.nextDueMs()!); // connects from here on
    connection.close();
    expect(clock.nextDueMs()).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(log).toHaveLength(2);
  });
});
