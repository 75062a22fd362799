// The programs that a cluster is made of besides our own.
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { postgresPath } from '../../../server/test/launch-postgres.ts';
import { redisPath } from '../../../server/test/launch-redis.ts';
import { ServiceProcess } from '../../../server/test/service-process.ts';

const EXAMPLE = path.resolve(import.meta.dirname, '../../../deploy/nginx/compose.conf');

const firstOf = (files: readonly string[]): string | null => files.find((file) => existsSync(file)) ?? null;

const nginxPath = process.env.NGINX_PATH || firstOf(['/usr/sbin/nginx', '/usr/bin/nginx']);

/** Gives a process another time than the machine's. */
export const faketimePath: string | null =
  process.env.FAKETIME_PATH ||
  firstOf(
    ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`),
  );

/** Engines that are not installed here. */
export const missingEngines: readonly string[] = [
  ...(redisPath === null ? ['Redis'] : []),
  ...(postgresPath === null ? ['PostgreSQL'] : []),
  ...(nginxPath === null ? ['nginx'] : []),
];

/** nginx as deploy/nginx/compose.conf has it, on a port of this machine, before these gateways. */
export async function startNginx(
  folder: string,
  port: number,
  gatewayPorts: readonly number[],
): Promise<ServiceProcess> {
  const names = ['gateway-1', 'gateway-2', 'gateway-3'];
  const changes: [from: string, to: string][] = [
    ...names.map((name, i): [string, string] => {
      const gateway = gatewayPorts[i];
      const to = gateway === undefined ? '' : `server 127.0.0.1:${gateway} max_fails=1 fail_timeout=2s;`;
      return [`server ${name}:8080 resolve max_fails=1 fail_timeout=2s;`, to];
    }),
    ['listen 8080 backlog=4096;', `listen 127.0.0.1:${port} backlog=4096;`],
    ['resolver 127.0.0.11 valid=5s ipv6=off;', ''],
    ['pid /tmp/nginx.pid;', `pid ${folder}/nginx.pid; daemon off; ${isRoot() ? 'user root;' : ''}`],
    // What it may by default where it is not root, which is enough for this.
    ['worker_rlimit_nofile 65536;', ''],
    ['worker_processes auto;', 'worker_processes 1;'],
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name): [string, string] => [
      ` /tmp/${name};`,
      ` ${folder}/${name};`,
    ]),
  ];
  let config = await readFile(EXAMPLE, 'utf8');
  for (const [from, to] of changes) {
    if (!config.includes(from)) throw new Error(`deploy/nginx/compose.conf has no: ${from}`);
    config = config.replace(from, () => to);
  }
  const file = path.join(folder, 'nginx.conf');
  await writeFile(file, config);
  const nginx = new ServiceProcess(port, nginxPath!, ['-p', folder, '-e', 'stderr', '-c', file]);
  await nginx.start();
  return nginx;
}

const isRoot = () => process.getuid?.() === 0;
