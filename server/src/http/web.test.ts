import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { keyed, pageKey, shop } from '../../test/guarded.ts';
import { serve } from '../../test/server.ts';
import { parseConfig } from '../config/config.ts';
import { createKey, publishablePrefix } from '../access/keys.ts';

const STRANGER = 'https://evil.example';
const EMBED = '<!doctype html><script type="module" src="/widgets.js"></script><script>inEmbed()</script>';
const HASHED = 'widgets/depth-3f2a.js';
const files: Record<string, string> = {
  'index.html': '<!doctype html><script>inIndex()</script>',
  '404.html': '<!doctype html>nowhere',
  'widgets.html': '<!doctype html>builder',
  'embed.html': EMBED,
  'widgets.js': 'export {};',
  [HASHED]: 'export const depth = 1;',
  'widgets/manifest.json': '{}',
  'widgets/depthwire-widgets.tgz': 'a package',
  'widgets/gallery.html': '<!doctype html>gallery',
  'sdk/depthwire.js': 'export {};',
  'sdkish.js': 'export {};',
  '_app/immutable/page.js': 'export {};',
};

/** A server with a built dashboard, as small as can be. */
async function serveWeb(config: object = {}, left: readonly string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'depthwire-web-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    if (left.includes(name)) continue;
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    await writeFile(`${path}.br`, brotliCompressSync(text));
    await writeFile(`${path}.gz`, gzipSync(text));
  }
  const { url, depthwire } = await serve({ ...config, web: folder });
  /** Not by `fetch`, which unpacks what it gets. */
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<{ status: number; headers: Record<string, string | undefined>; body: Buffer }>(
      (resolve, reject) => {
        const sent = request(url + path, { method, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({
              status: response.statusCode!,
              headers: response.headers as Record<string, string>,
              body: Buffer.concat(chunks),
            }),
          );
        });
        sent.on('error', reject).end();
      },
    );
  return { depthwire, ask };
}

const policyOf = ({ headers }: { headers: Record<string, string | undefined> }) =>
  new Map(
    headers['content-security-policy']!.split(';').map((directive) => {
      const [name, ...values] = directive.split(' ');
      return [name!, values.join(' ')];
    }),
  );
const framers = async (ask: Awaited<ReturnType<typeof serveWeb>>['ask'], search: string) =>
  policyOf(await ask(`/embed/depth${search}`)).get('frame-ancestors');

test('the page of frames may do what it has to, and is framed by whom the policy names', async () => {
  const { ask } = await serveWeb(keyed());
  const answer = await ask('/embed/order-book?instrument=sim:BTC-USD');
  expect([answer.status, answer.body.toString()]).toEqual([200, EMBED]);
  expect(Object.fromEntries(policyOf(answer))).toEqual({
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': "'self' data:",
    'connect-src': "'self'",
    'worker-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'require-trusted-types-for': "'script'",
    'trusted-types': 'depthwire',
    'frame-ancestors': "'self'",
  });
  expect(answer.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    'cross-origin-resource-policy': 'cross-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'x-content-type-options': 'nosniff',
  });
  expect(answer.headers).not.toHaveProperty('x-frame-options');
  const packed = await ask('/embed/depth', { 'accept-encoding': 'br' });
  expect(packed.headers['content-encoding']).toBe('br');
  expect(brotliDecompressSync(packed.body).toString()).toBe(EMBED);
  const head = await ask('/embed/depth', {}, 'HEAD');
  expect([head.status, policyOf(head).get('frame-ancestors')]).toEqual([200, "'self'"]);
});

test('the page of frames is no page of the dashboard', async () => {
  const { ask } = await serveWeb();
  for (const path of [
    '/embed',
    '/embed/',
    '/embed/DEPTH',
    '/embed/depth/more',
    '/embed/a1',
    `/embed/${'a'.repeat(41)}`,
  ]) {
    const answer = await ask(path);
    expect([path, answer.status, answer.headers['x-frame-options']]).toEqual([path, 404, 'DENY']);
  }
  expect((await ask(`/embed/${'a'.repeat(40)}`)).status).toBe(200);
  // One inline script, of index.html.
  expect(policyOf(await ask('/')).get('script-src')).toMatch(/^'self' 'sha256-\S+'$/);
  const { ask: askOther } = await serveWeb({}, ['embed.html']);
  expect((await askOther('/embed/depth')).status).toBe(404);
});

test('a frame with a key is for pages of its origins; without one for those that may connect; with a wrong one for all', async () => {
  const partner = 'https://partner.example';
  const { ask, depthwire } = await serveWeb(keyed({}, { allowedOrigins: [partner] }));
  expect(await framers(ask, '')).toBe(`'self' ${partner}`);
  expect(await framers(ask, `?instrument=x&key=${pageKey}`)).toBe(`'self' ${shop}`);
  expect(await framers(ask, `?k%65y=${pageKey}%20`)).toBe(`'self' ${shop}`);
  expect(await framers(ask, `?key=${createKey(publishablePrefix)}`)).toBe('*');
  // The page could take the other one.
  for (const search of [`?key=${pageKey}&key=x`, `?key=x&key=${pageKey}`]) {
    const { status, headers } = await ask(`/embed/depth${search}`);
    expect([status, headers['x-frame-options']]).toEqual([400, 'DENY']);
  }

  const { headers } = await ask('/embed/depth');
  depthwire.reload(parseConfig({ access: { public: true }, allowedOrigins: ['*'] }));
  expect(await framers(ask, '')).toBe('*');
  // A browser would keep the policy of before with a page that was not modified.
  expect(headers).not.toHaveProperty('etag');
  expect(headers).not.toHaveProperty('last-modified');
});

test('a frame of a server that nobody configured is for pages of its own machine', async () => {
  const { ask } = await serveWeb();
  expect(await framers(ask, '')).toBe(
    "'self' http://localhost:* http://127.0.0.1:* https://localhost:* https://127.0.0.1:*",
  );
});

test('files of the SDK and of widgets are for pages of all origins, and no others', async () => {
  const { ask } = await serveWeb();
  const shared = {
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'timing-allow-origin': '*',
  };
  const immutable = 'public, max-age=31536000, immutable';
  const javascript = 'application/javascript; charset=utf-8';
  for (const [name, type, caching] of [
    ['widgets.js', javascript, 'no-cache'],
    [HASHED, javascript, immutable],
    ['widgets/manifest.json', 'application/json; charset=utf-8', 'no-cache'],
    ['widgets/depthwire-widgets.tgz', 'application/octet-stream', 'no-cache'],
    ['sdk/depthwire.js', javascript, 'no-cache'],
  ] as const)
    for (const [method, encoding] of [
      ['GET', 'identity'],
      ['GET', 'br'],
      ['GET', 'gzip'],
      ['HEAD', 'br'],
    ] as const) {
      const { status, headers } = await ask(
        `/${name}`,
        { origin: STRANGER, 'accept-encoding': encoding },
        method,
      );
      expect({ name, status }).toEqual({ name, status: 200 });
      expect(headers).toMatchObject({ ...shared, 'content-type': type, 'cache-control': caching });
      expect(headers['content-encoding']).toBe(encoding === 'identity' ? undefined : encoding);
      expect(headers.vary).toMatch(/accept-encoding/i);
      const { etag } = headers;
      const again = await ask(`/${name}`, { 'accept-encoding': encoding, 'if-none-match': etag! }, method);
      expect([again.status, again.headers['access-control-allow-origin']]).toEqual([304, '*']);
    }
  for (const name of [
    '',
    'widgets/gallery.html',
    'sdkish.js',
    '_app/immutable/page.js',
    'widgets',
    'embed/depth',
  ]) {
    const { status, headers } = await ask(`/${name}`, { origin: STRANGER });
    expect({ name, status }).toEqual({ name, status: 200 });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    expect(headers).not.toHaveProperty('timing-allow-origin');
  }
  expect((await ask('/_app/immutable/page.js')).headers['cache-control']).toBe(immutable);
  expect((await ask('/widgets/gallery.html')).headers['cache-control']).toBe('no-cache');
  expect((await ask('/sdkish.js')).headers['cache-control']).toBe('no-cache');
});

test('a page and a folder of one name are both served', async () => {
  const { ask } = await serveWeb();
  const browser = { accept: 'text/html' };
  expect((await ask('/widgets', browser)).body.toString()).toBe(files['widgets.html']);
  expect((await ask(`/${HASHED}`, browser)).body.toString()).toBe(files[HASHED]);
  const { status, body } = await ask('/widgets/', browser);
  expect([status, body.toString()]).toEqual([404, files['404.html']]);
});

test('a file of widgets that is not there is told in JSON, however it is asked for', async () => {
  const { ask } = await serveWeb({}, ['widgets.js']);
  const browser = { accept: 'text/html', origin: STRANGER };
  for (const [method, path] of [
    ['GET', '/widgets.js'],
    ['GET', '/widgets/depth-gone.js'],
    ['OPTIONS', '/widgets.js'],
    ['OPTIONS', `/${HASHED}`],
    ['POST', `/${HASHED}`],
  ] as const) {
    const { status, headers, body } = await ask(path, browser, method);
    expect([method, path, status, headers['content-type']]).toEqual([
      ...[method, path, 404],
      'application/json; charset=utf-8',
    ]);
    expect(JSON.parse(body.toString())).toMatchObject({ error: { code: 'not_found' } });
  }
});
