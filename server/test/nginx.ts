import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from 'selfsigned';
import { onTestFinished, vi } from 'vitest';
import { freePort } from './ports.ts';

const example = fileURLToPath(new URL('../../deploy/nginx/depthwire.conf', import.meta.url));

/** `npm test` installs it where it can, and says so where it cannot. */
const known = ['/usr/sbin/nginx', '/usr/bin/nginx'];
export const nginxPath: string | null =
  process.env.NGINX_PATH || (known.find((file) => existsSync(file)) ?? null);

if (nginxPath === null)
  console.warn('no nginx is installed: the tests with a proxy before the server are skipped');

export interface Nginx {
  /** `https://localhost:…` */
  readonly url: string;
  /** `http://localhost:…`, which sends to the other. */
  readonly plainUrl: string;
  /** The certificate that it shows, PEM. */
  readonly ca: string;
}

/** nginx by our example configuration on free ports, before these servers. It ends with the test. */
export async function startNginx(upstreams: readonly string[]): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'depthwire-nginx-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  const certificate = join(folder, 'fullchain.pem');
  const privateKey = join(folder, 'privkey.pem');
  const [port, plainPort] = await Promise.all([freePort(), freePort()]);
  const servers = upstreams.map((url) => `server ${new URL(url).host};`).join('\n');
  const changes: [from: string, to: string][] = [
    ['server 127.0.0.1:8080;', servers],
    ['listen 443 ssl http2;', `listen 127.0.0.1:${port} ssl http2;`],
    ['listen 80;', `listen 127.0.0.1:${plainPort};`],
    ['/etc/ssl/depthwire/fullchain.pem', certificate],
    ['/etc/ssl/depthwire/privkey.pem', privateKey],
    ['return 301 https://$host$request_uri;', `return 301 https://$host:${port}$request_uri;`],
  ];
  let site = await readFile(example, 'utf8');
  for (const [from, to] of changes) {
    if (!site.includes(from)) throw new Error(`deploy/nginx/depthwire.conf has no: ${from}`);
    site = site.replace(from, () => to);
  }
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(' ');
  const main = `
    daemon off; pid ${join(folder, 'nginx.pid')}; error_log stderr warn; worker_processes 1;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    events { worker_connections 256; }
    http { access_log off; ${temporary} include ${join(folder, 'site.conf')}; }`;
  await Promise.all([
    writeFile(certificate, cert),
    writeFile(privateKey, key),
    writeFile(join(folder, 'site.conf'), site),
    writeFile(join(folder, 'nginx.conf'), main),
  ]);
  const child = spawn(nginxPath!, ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => (said += String(text)));
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await vi.waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(`nginx ended: ${said}`);
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect').finally(() => socket.destroy());
    },
    { timeout: 10_000 },
  );
  return { url: `https://localhost:${port}`, plainUrl: `http://localhost:${plainPort}`, ca: cert };
}
