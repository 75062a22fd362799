import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { composePath } from '../test/docker-compose.ts';
import { loadConfig } from './config/config.ts';

interface Service {
  readonly image: string;
  readonly profiles: readonly string[];
  readonly command?: string | readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck?: object;
  readonly restart?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly mem_limit?: string;
  readonly cpus?: number;
}

const at = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const file = (name: string) => readFileSync(at(name), 'utf8');
const { services, volumes } = parse(file('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
};
const all = Object.entries(services);
const named = (pattern: RegExp) => Object.keys(services).filter((name) => pattern.test(name));
/** Of Depthwire itself; the others are what it needs or is watched by. */
const members = all.filter(([, { image }]) => image === 'depthwire');

/** It is a slow starter, on machines that are busy with the other checks. */
const COMPOSE_TIMEOUT_MS = 60_000;

/** The configuration file of a member, in this folder. */
function configOf({ volumes: mounts = [] }: Service): string {
  const [from] = mounts.find((mount) => mount.includes('/etc/depthwire/config.yaml'))!.split(':');
  return from!;
}

describe('docker-compose.yml', () => {
  test.skipIf(composePath === null).each(['one', 'scale'])(
    'is right for docker-compose: %s',
    async (profile) => {
      const args = ['-f', at('docker-compose.yml'), '--profile', profile, 'config', '-q'];
      await expect(promisify(execFile)(composePath!, args)).resolves.toMatchObject({ stderr: '' });
    },
    COMPOSE_TIMEOUT_MS,
  );

  test('one process by default, and for scale two ingests, three gateways and what they need', () => {
    expect(file('.env')).toContain('COMPOSE_PROFILES=one');
    const of = (profile: string) =>
      all.filter(([, each]) => each.profiles.includes(profile)).map(([name]) => name);
    expect(of('one')).toEqual(['depthwire']);
    expect(of('scale').sort()).toEqual(
      ['ingest-1', 'ingest-2', 'gateway-1', 'gateway-2', 'gateway-3', 'load-balancer', 'redis', 'postgres']
        .concat('prometheus', 'grafana')
        .sort(),
    );
  });

  test('every file that is mounted exists, and every volume', () => {
    const mounts = all.flatMap(([, each]) => each.volumes ?? []).map((mount) => mount.split(':')[0]!);
    expect(mounts.length).toBeGreaterThan(5);
    for (const from of mounts) {
      if (from.startsWith('./')) expect(existsSync(at(from)), from).toBe(true);
      else expect(volumes, from).toHaveProperty(from);
    }
  });

  test('every member has a configuration that a start would take', async () => {
    expect(members).toHaveLength(6);
    for (const [name, service] of members) {
      // as docker-compose puts defaults in
      const env = Object.entries(service.environment ?? {}).map(([key, value]) => [
        key,
        value.replace(/\$\{\w+:-([^}]*)\}/g, '$1'),
      ]);
      const config = await loadConfig({
        file: at(configOf(service)),
        env: Object.fromEntries(env) as Record<string, string>,
        cwd: at('.'),
      });
      expect(config, name).toMatchObject({ role: name === 'depthwire' ? 'all' : name.replace(/-\d$/, '') });
    }
  });

  test('the load balancer and Prometheus know every gateway, and whom they wait for is waited for', () => {
    const gateways = named(/^gateway-/);
    const nginx = file('deploy/nginx/compose.conf');
    expect([...nginx.matchAll(/server (\S+):8080 resolve/g)].map(([, name]) => name)).toEqual(gateways);
    const prometheus = file('deploy/prometheus/compose.yml');
    for (const name of named(/^(ingest|gateway)-/)) expect(prometheus).toContain(`'${name}:8080'`);
    for (const [name, { depends_on = {} }] of all) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        expect(services, name).toHaveProperty(other);
        expect(condition).toBe('service_healthy');
        // the image of the members has its own
        expect(services[other]!.healthcheck !== undefined || services[other]!.image === 'depthwire').toBe(
          true,
        );
      }
    }
  });

  test('nothing may do or have more than it needs, and nothing is reached from outside', () => {
    for (const [name, service] of all) {
      expect(service, name).toMatchObject({
        restart: 'unless-stopped',
        read_only: true,
        cap_drop: ['ALL'],
        mem_limit: expect.any(String),
        cpus: expect.any(Number),
      });
      for (const port of service.ports ?? []) expect(port, name).toMatch(/^127\.0\.0\.1:/);
      if (service.image !== 'depthwire') expect(service.image, name).toMatch(/:v?\d+\.\d+\.\d+|:\d+\.\d+-/);
    }
  });
});
