import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { connect } from './server.ts';
import { createKey, hashOf, publishablePrefix, secretPrefix } from '../src/access/keys.ts';
import { parseConfig, type Config } from '../src/config/config.ts';

// From outside: what docs/security.md says, against a real server.

export const instrument = 'test:AAA-USD';

export const subscribe = { op: 'subscribe', id: 1, topic: 'book', instrument, depth: 10, cadence: 0 };

export const deskKey = createKey(secretPrefix);

export const pageKey = createKey(publishablePrefix);

export const shop = 'https://shop.example';

const JWT_SECRET = 'a secret of at least thirty-two bytes';

/** Whom a trusted proxy says that a request is for. */
export const from = (address: string) => ({ 'x-forwarded-for': address });

export const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** As the configuration file would have it. */
export const configured = (input: object): Partial<Config> =>
  parseConfig({ history: { store: 'none' }, ...input, port: 0 });

export const keyed = (more: object = {}, rest: object = {}) =>
  configured({
    access: {
      keys: [{ id: 'desk', hash: hashOf(deskKey), operate: true }],
      publishableKeys: [
        {
          id: 'shop',
          key: pageKey,
          origins: [shop],
          instruments: [instrument],
          topics: ['book'],
          maxDepth: 5,
          minCadenceMs: 250,
        },
      ],
      ...more,
    },
    trustedProxies: ['127.0.0.1'],
    ...rest,
  });

export async function get(url: string, headers: Record<string, string> = {}, init: RequestInit = {}) {
  const response = await fetch(url, { ...init, headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as { error?: { code: string; message: string } } & Record<string, unknown>,
  };
}

export const open = (ws: string, headers: Record<string, string> = {}, origin?: string) =>
  connect(ws, 'json', { headers, origin });

/** HTTP status of an upgrade that is refused. */
export async function refusedUpgrade(
  ws: string,
  options: { headers?: Record<string, string>; origin?: string },
): Promise<number> {
  const socket = new WebSocket(ws, ['depthwire.v1.json'], options);
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  socket.terminate();
  return response.statusCode;
}

export async function tokens() {
  const folder = await mkdtemp(join(tmpdir(), 'depthwire-jwt-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const secretFile = join(folder, 'secret');
  await writeFile(secretFile, JWT_SECRET);
  const sign = (claims: Record<string, unknown>) =>
    new SignJWT({ sub: 'alice', exp: Math.floor(Date.now() / 1000) + 3_600, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(JWT_SECRET));
  return { jwt: { secretFile }, sign };
}

/** What a page sees of a name that was made to point here. */
export async function refusedHost(url: string, host: string): Promise<string> {
  const { port, hostname } = new URL(url);
  const socket = connectTcp(Number(port), hostname);
  socket.write(`GET /api/v1/instruments HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  return textOf(socket);
}

export async function metricsOf(url: string) {
  const response = await fetch(`${url}/metrics`);
  return { text: await response.text() };
}

export async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString()));
  await once(socket, 'end');
  return text;
}
