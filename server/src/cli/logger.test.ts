import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { RawClient } from '../../test/raw-client.ts';
import { connect, serve } from '../../test/server.ts';
import { createLogger } from './logger.ts';

type Line = Readonly<Record<string, unknown>>;

/** What is logged, as text and line by line. */
function capture(level = 'debug') {
  let text = '';
  const to = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const lines = () =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  return { logger: createLogger(level, to), text: () => text, lines };
}

const said = (lines: readonly Line[], message: string) => lines.filter(({ msg }) => msg === message);

describe('the log', () => {
  test('carries one request id through a request, its log lines and its answer', async () => {
    const log = capture();
    const { url } = await serve({}, undefined, log);
    const own = await fetch(`${url}/api/v1/ready`);
    const given = await fetch(`${url}/api/v1/live?x=1`, { headers: { 'x-request-id': 'proxy-1.a' } });
    const strange = await fetch(`${url}/api/v1/live`, { headers: { 'x-request-id': '"}, {"level": 60' } });
    expect(own.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(given.headers.get('x-request-id')).toBe('proxy-1.a');
    expect(strange.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    await vi.waitFor(() => expect(said(log.lines(), 'request')).toHaveLength(3));
    expect(said(log.lines(), 'request')[1]).toMatchObject({
      ...{ level: 20, requestId: 'proxy-1.a', method: 'GET', path: '/api/v1/live', status: 200 },
    });
  });

  test('names a session as its hello does, from its upgrade to its end', async () => {
    const log = capture();
    const { ws } = await serve({}, undefined, log);
    const client = await connect(ws);
    const { session } = await client.next();
    expect(session).toMatch(/^[\w-]{12}$/);
    client.send({ op: 'subscribe', id: 1, topic: 'book', instrument: 'test:NO-ONE' });
    await client.next(({ op }) => op === 'error');
    for (let i = 0; i < 10; i++) client.socket.send('{');
    expect((await client.end()).code).toBe(4400);
    await vi.waitFor(() => expect(said(log.lines(), 'session ended')).toHaveLength(1));
    const ofSession = log.lines().filter((line) => line.session === session);
    expect(ofSession.map(({ msg }) => msg)).toEqual([
      'session opened',
      ...Array<string>(11).fill('request refused'),
      'a session ends for what its client does',
      'session ended',
    ]);
    expect(ofSession[0]).toMatchObject({
      level: 30,
      address: '127.0.0.1',
      encoding: 'json',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(ofSession[1]).toMatchObject({ level: 20, code: 'unknown_instrument' });
    expect(ofSession.at(-2)).toMatchObject({ level: 40 });
    expect(ofSession.at(-1)).toMatchObject({ level: 30, closeCode: 4400 });
  });

  test('names the session that broke the rules of the connection', async () => {
    const log = capture();
    const { ws } = await serve({ gateway: { maxMessageBytes: 1_000 } }, undefined, log);
    const [large, garbled] = await Promise.all([connect(ws), connect(ws)]);
    const sessions = await Promise.all([large, garbled].map(async (client) => (await client.next()).session));
    large.socket.send('x'.repeat(2_000));
    await large.end();
    (garbled.socket as unknown as { _socket: Socket })._socket.write(Buffer.from([0xff, 0x80, 0, 0, 0, 0]));
    await garbled.end();
    const warnings = await vi.waitFor(() => {
      const found = log.lines().filter(({ level }) => level === 40);
      expect(found).toHaveLength(2);
      return found;
    });
    expect(warnings).toMatchObject([
      { session: sessions[0], closeCode: 1009, maxMessageBytes: 1_000 },
      { session: sessions[1], msg: 'a client broke the WebSocket protocol; the session ends' },
    ]);
  });

  test('tells who was refused', async () => {
    const log = capture('info');
    const { ws } = await serve({ gateway: { maxConnections: 1 } }, undefined, log);
    await connect(ws);
    await (await connect(ws)).end();
    await new RawClient(ws, 'json', { origin: 'https://elsewhere.example' }).end();
    await vi.waitFor(() => expect(said(log.lines(), 'request')).toHaveLength(1));
    expect(said(log.lines(), 'connection refused')).toMatchObject([
      { level: 30, closeCode: 1013, address: '127.0.0.1', requestId: expect.any(String) },
    ]);
    expect(said(log.lines(), 'request')).toMatchObject([{ level: 30, status: 403, path: '/ws' }]);
  });

  test('holds no query, no payload and no credential', async () => {
    const log = capture('trace');
    const { url, ws } = await serve({}, undefined, log);
    const headers = {
      authorization: 'Bearer hidden-1',
      cookie: 'session=hidden-2',
      'x-api-key': 'hidden-3',
    };
    await fetch(`${url}/api/v1/instruments/x:hidden?token=hidden-4`, { headers });
    await fetch(`${url}/nowhere?key=hidden-5`, { headers });
    await fetch(`${url}/api/v1/instruments/test:AAA-USD/book?depth=hidden-6`, { headers });
    const client = await connect(`${ws}?token=hidden-7`);
    client.send({ op: 'subscribe', id: 1, topic: 'hidden-8', instrument: 'hidden-9' });
    await client.next(({ op }) => op === 'error');
    client.socket.close();
    await vi.waitFor(() => expect(said(log.lines(), 'session ended')).toHaveLength(1));
    expect(said(log.lines(), 'request').length).toBeGreaterThan(2);
    // A path is logged; what it names is no secret.
    expect(log.text().replaceAll('/x:hidden"', '')).not.toContain('hidden');
  });

  test('censors credentials wherever a line holds them', () => {
    const log = capture();
    const headers = { authorization: 'hidden', cookie: 'hidden', 'set-cookie': ['hidden'], accept: '*/*' };
    log.logger.info({ headers, token: 'hidden' }, 'one');
    log.logger.info({ upgrade: { headers, apiKey: 'hidden' } }, 'two');
    log.logger.info({ req: { method: 'GET', url: '/ws?token=hidden', headers } }, 'three');
    expect(log.lines()).toHaveLength(3);
    expect(log.text()).not.toContain('hidden');
    expect(log.lines()[0]).toMatchObject({ headers: { authorization: '[secret]', accept: '*/*' } });
    expect(log.lines()[2]).toMatchObject({ req: { method: 'GET', path: '/ws' } });
  });
});
