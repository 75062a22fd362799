import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { pino } from 'pino';
import { generate } from 'selfsigned';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { connect, isOp, serve as start } from '../../test/server.ts';
import { RawClient } from '../../test/raw-client.ts';
import { createKey, secretPrefix } from '../access/keys.ts';
import {
  subscribe,
  deskKey,
  pageKey,
  shop,
  bearer,
  configured,
  keyed,
  get,
  open,
  tokens,
  textOf,
} from '../../test/guarded.ts';

// From outside: what docs/security.md says, against a real server.

describe('what it is told', () => {
  const hostile: [string, string | Uint8Array, 'json' | 'msgpack', string][] = [
    [
      'a prototype in JSON',
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"op":"ping","id":1}',
      'json',
      'pong',
    ],
    ['a prototype in place of a request', '{"__proto__":{"op":"ping","id":1}}', 'json', 'invalid_request'],
    [
      'a prototype in MessagePack',
      Buffer.from('\x83\xa9__proto__\x81\xa8polluted\x01\xa2op\xa4ping\xa2id\x01', 'latin1'),
      'msgpack',
      'pong',
    ],
    [
      'a list of four billion',
      Uint8Array.of(0x82, 0xa2, 0x6f, 0x70, 0xdd, 0xff, 0xff, 0xff, 0xff),
      'msgpack',
      'malformed_message',
    ],
    [
      'a list of fifty million, in a list',
      Uint8Array.of(0x91, 0xdd, 0x02, 0xfa, 0xf0, 0x80),
      'msgpack',
      'malformed_message',
    ],
    ['a map of four billion', Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff), 'msgpack', 'malformed_message'],
    ['a text of four gigabytes', Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff), 'msgpack', 'malformed_message'],
    ['lists in lists', Buffer.alloc(16_000, 0x91), 'msgpack', 'malformed_message'],
    ['maps in maps', Buffer.from('\x81\xa1a'.repeat(5_000), 'latin1'), 'msgpack', 'malformed_message'],
    ['lists in lists, in JSON', '['.repeat(8_000) + ']'.repeat(8_000), 'json', 'invalid_request'],
    ['a number that no integer holds', '{"op":"subscribe","id":1e308}', 'json', 'invalid_request'],
    ['2^53 as its id', '{"op":"ping","id":9007199254740993}', 'json', 'invalid_request'],
    [
      '2^64 − 1 as its id',
      Buffer.from('\x82\xa2op\xa4ping\xa2id\xcf\xff\xff\xff\xff\xff\xff\xff\xff', 'latin1'),
      'msgpack',
      'invalid_request',
    ],
    [
      'an extension type',
      Buffer.from('\x82\xa2op\xa4ping\xa2id\xc7\x04\x72\x01\x02\x03\x04', 'latin1'),
      'msgpack',
      'malformed_message',
    ],
    [
      'an instrument without end',
      JSON.stringify({ ...subscribe, instrument: `a:${'b'.repeat(15_000)}` }),
      'json',
      'invalid_request',
    ],
  ];
  test.each(hostile)('does no harm: %s', async (_, message, encoding, answer) => {
    const { ws } = await start();
    const client = await connect(ws, encoding);
    await client.next(isOp('hello'));
    const before = process.memoryUsage();
    client.socket.send(message);
    const { op, code } = await client.next();
    expect(op === 'error' ? code : op).toBe(answer);
    const after = process.memoryUsage();
    expect(after.rss - before.rss).toBeLessThan(64e6);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    client.send({ op: 'ping', id: 5 });
    expect(await client.next()).toMatchObject({ op: 'pong', id: 5 });
  });

  test('is never compressed: an offer is not taken, and a compressed frame ends the connection', async () => {
    const { ws } = await start();
    const socket = new WebSocket(ws, ['depthwire.v1.json'], { perMessageDeflate: true });
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    expect(socket.extensions).toBe('');
    const raw = (socket as unknown as { _socket: { write(bytes: Uint8Array): void } })._socket;
    raw.write(Uint8Array.of(0xc1, 0x81, 0, 0, 0, 0, 0x00)); // RSV1: compressed
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1002);
  });

  test('answers carry headers that let no page do more than it has to', async () => {
    const { url } = await start();
    const { headers } = await get(`${url}/api/v1/health`);
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe-(eval|inline)/);
    expect(
      Object.fromEntries(
        ['x-content-type-options', 'referrer-policy', 'x-frame-options', 'x-powered-by', 'server'].map(
          (name) => [name, headers.get(name)],
        ),
      ),
    ).toEqual({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'x-powered-by': null,
      server: null,
    });
    expect(headers.get('strict-transport-security')).toBeNull();
  });

  test('secrets are in no log and in no answer', async () => {
    const { jwt, sign } = await tokens();
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
    const { url, ws } = await start(keyed({ jwt, authenticateWithinMs: 100 }), undefined, { logger });
    const wrong = createKey(secretPrefix);
    const token = await sign({ exp: 1 });
    const { body } = await get(`${url}/api/v1/tickets`, bearer(deskKey), { method: 'POST' });
    const ticket = String(body.ticket);
    const answers = [
      await get(`${url}/api/v1/instruments`, bearer(wrong)),
      await get(`${url}/api/v1/instruments`, bearer(token)),
      await get(`${url}/api/v1/instruments?key=${wrong}`),
      await get(`${url}/api/v1/nothing?key=${wrong}`),
      await get(`${url}/api/v1/instruments/no:ONE/book?key=${pageKey}`, { origin: shop }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 404, 403]);
    const client = await open(`${ws}?ticket=${ticket}`);
    client.send({ op: 'authenticate', id: 1, token: wrong });
    client.send({ op: 'authenticate', id: 2, token: [wrong] });
    client.send({ op: 'authenticate', id: 3, token });
    for (let i = 0; i < 3; i++) await client.next(isOp('error'));
    await (await open(ws)).end();
    const secrets = [deskKey, wrong, token, ticket];
    expect(lines.length).toBeGreaterThan(1);
    const told = [
      ...lines,
      ...answers.map(({ body: answer }) => JSON.stringify(answer)),
      ...client.messages.map((message) => JSON.stringify(message)),
    ].join('\n');
    for (const secret of secrets) expect(told).not.toContain(secret);
  });
});

describe('TLS', () => {
  test('is spoken with the certificate that is given, and browsers are told to stay with it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'depthwire-tls-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const pems = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' });
    await writeFile(cert, pems.cert);
    await writeFile(key, pems.private);
    const { url, ws } = await start(configured({ tls: { cert, key } }));
    expect(ws).toMatch(/^wss:/);
    const client = await connect(ws, 'json', {
      ca: pems.cert,
      checkServerIdentity: (() => undefined) as unknown as () => boolean,
    });
    expect(await client.next(isOp('hello'))).toMatchObject({ principal: 'local' });
    const { port } = new URL(url);
    const socket = connectTls({
      port: Number(port),
      host: '127.0.0.1',
      ca: pems.cert,
      servername: 'localhost',
    });
    onTestFinished(() => void socket.destroy());
    socket.write('GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const answer = await textOf(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(answer).toMatch(/strict-transport-security: max-age=\d{8}/i);
    const old = connectTls({
      port: Number(port),
      host: '127.0.0.1',
      ca: pems.cert,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const [error] = (await once(old, 'error')) as [Error];
    expect(error.message).toMatch(/alert protocol version|unsupported protocol/i);

    await writeFile(key, pems.cert);
    await expect(start(configured({ tls: { cert, key } }))).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(
        /^tls: expected cert and key in PEM form that belong together/,
      ) as string,
    });
  });
});

test('a client that sends what is no WebSocket is told so, and nothing else is disturbed', async () => {
  const { ws } = await start();
  const client = new RawClient(ws, 'json');
  onTestFinished(() => client.socket.terminate());
  await client.open();
  const raw = (client.socket as unknown as { _socket: { write(text: string): void } })._socket;
  raw.write('not a frame at all');
  expect((await client.end()).code).toBe(1002);
  await (await connect(ws)).next(isOp('hello'));
});
