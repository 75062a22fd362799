import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { VirtualClock } from '@depthwire/feeds';
import { generate } from 'selfsigned';
import { expect, onTestFinished, test } from 'vitest';
import { certificateOf, tlsOptions, watchCertificate } from './tls.ts';

const DAY_MS = 86_400_000;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'depthwire-tls-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

test('a renewed certificate is taken by new connections, and a broken one is not', async () => {
  const path = await folder();
  const tls = { cert: join(path, 'cert.pem'), key: join(path, 'key.pem') };
  let changes = 0;
  const write = async (cert: string, key: string) => {
    await writeFile(tls.cert, cert);
    await writeFile(tls.key, key);
    changes += 1;
    for (const file of [tls.cert, tls.key]) await utimes(file, changes, changes);
  };
  const make = () => generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' });
  const [first, second] = [await make(), await make()];
  await write(first.cert, first.private);

  const clock = new VirtualClock(0);
  const certificate = await certificateOf({ tls, host: 'localhost' }, 0);
  const server = createServer(tlsOptions(certificate!, 10_000));
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const told: string[] = [];
  const log = {
    info: (_: object, text: string) => told.push(text),
    error: (_: object, text: string) => told.push(text),
  };
  const watch = watchCertificate(server, { tls }, clock, log)!;
  onTestFinished(() => watch.cancel());
  const shown = async () => {
    const socket = connect({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const fingerprint = (pem: string) => new X509Certificate(pem).fingerprint256;

  expect(await shown()).toBe(fingerprint(first.cert));
  clock.advanceTo(60_000);
  expect(told).toEqual([]); // it is as it was
  await write(second.cert, second.private);
  clock.advanceTo(120_000);
  expect(await shown()).toBe(fingerprint(second.cert));
  await write(first.cert, second.private); // that do not belong together
  clock.advanceTo(180_000);
  expect(await shown()).toBe(fingerprint(second.cert));
  expect(told).toEqual([
    'took a renewed certificate',
    'a renewed certificate cannot be used; the one before stays',
  ]);
});

test('a certificate for development is kept while it is good, for the names that it is for', async () => {
  const path = await folder();
  const now = Date.parse('2026-11-21');
  const of = async (host: string, nowMs: number) => {
    const certificate = await certificateOf({ tls: { development: true }, host }, nowMs, path);
    return new X509Certificate(certificate!.cert);
  };
  const made = await of('127.0.0.1', now);
  expect(made.checkHost('localhost')).toBe('localhost');
  expect(made.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(made.checkHost('example.com')).toBeUndefined();
  expect((await stat(join(path, 'key.pem'))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(path, 'cert.pem'), 'utf8')).toContain('BEGIN CERTIFICATE');
  expect((await of('0.0.0.0', now + DAY_MS)).fingerprint256).toBe(made.fingerprint256);
  const named = await of('trading.example', now + DAY_MS);
  expect(named.checkHost('trading.example')).toBe('trading.example');
  const renewed = await of('trading.example', now + 91 * DAY_MS);
  expect(renewed.fingerprint256).not.toBe(named.fingerprint256);
});

test.each([[{ cert: '/nonexistent/cert.pem', key: '/nonexistent/key.pem' }, /^tls\.cert: .*cannot be read/]])(
  'a file that cannot be used stops the start: %j',
  async (tls, message) => {
    await expect(certificateOf({ tls, host: 'localhost' }, 0)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(message) as string,
    });
  },
);
