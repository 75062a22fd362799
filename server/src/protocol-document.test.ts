import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseConfig } from './config/config.ts';
import { CADENCES_MS, DEPTHS } from './gateway/hub.ts';

const protocol = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
const security = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');
const operating = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

describe('the documents', () => {
  test('greet with the depths and cadences that the hub grants, and the heartbeat of the defaults', () => {
    expect(protocol).toContain(`"depths": ${JSON.stringify(DEPTHS).replaceAll(',', ', ')}`);
    expect(protocol).toContain(`"cadences": ${JSON.stringify(CADENCES_MS).replaceAll(',', ', ')}`);
    expect(protocol).toContain(`"heartbeatMs": ${parseConfig({}).gateway.heartbeatMs}`);
  });

  test('name tests that there are: each row of docs/security.md has one', () => {
    const rows = security
      .split('\n')
      .filter((line) => line.startsWith('| ') && !/^\| (point|---)/.test(line));
    expect(rows.length).toBeGreaterThan(35);
    for (const row of rows) {
      const [, file, name] = /\| `([\w/.-]+\.test\.ts)`: (.+?) +\|$/.exec(row) ?? [];
      expect(file, row).toBeDefined();
      expect(readFileSync(new URL(file!, import.meta.url), 'utf8'), row).toMatch(
        new RegExp(`test(\\.each\\(\\w+\\))?\\(\\s*'${escaped(name!)}'`),
      );
    }
  });

  test('no dependency is one with a flaw that is known here', () => {
    const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
      packages: Record<string, { version?: string }>;
    };
    const installed = Object.entries(lock.packages).filter(([path]) => /(^|\/)node_modules\/ws$/.test(path));
    expect(installed.length).toBeGreaterThan(0);
    for (const [path, { version }] of installed) {
      const [major, minor] = version!.split('.').map(Number);
      expect(major! > 8 || (major === 8 && minor! >= 21), `${path} ${version}`).toBe(true);
    }
  });

  test('list every configuration key with its default', () => {
    const { gateway, http, history, access, ...top } = parseConfig({});
    const keys = [
      ...Object.entries(top),
      ...Object.entries({ gateway, http, history, access }).flatMap(([name, group]) =>
        Object.entries(group).map(([key, value]) => [`${name}.${key}`, value as unknown] as const),
      ),
    ];
    for (const [key, value] of keys) {
      const row = operating.split('\n').find((line) => line.startsWith(`| \`${key}\``));
      expect(row, key).toBeDefined();
      if (typeof value !== 'object') expect(row, key).toContain(`\`${value}\``);
    }
  });
});
