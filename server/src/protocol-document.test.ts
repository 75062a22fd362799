import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseConfig } from './config/config.ts';
import { CADENCES_MS, DEPTHS } from './gateway/hub.ts';

const protocol = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
const operating = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');

describe('the documents', () => {
  test('greet with the depths and cadences that the hub grants, and the heartbeat of the defaults', () => {
    expect(protocol).toContain(`"depths": ${JSON.stringify(DEPTHS).replaceAll(',', ', ')}`);
    expect(protocol).toContain(`"cadences": ${JSON.stringify(CADENCES_MS).replaceAll(',', ', ')}`);
    expect(protocol).toContain(`"heartbeatMs": ${parseConfig({}).gateway.heartbeatMs}`);
  });

  test('list every configuration key with its default', () => {
    const { gateway, http, access, ...top } = parseConfig({});
    const keys = [
      ...Object.entries(top),
      ...Object.entries({ gateway, http, access }).flatMap(([name, group]) =>
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
