import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { aboutKinds, aboutParts, aboutVariables, optionTable } from './about.ts';
import { tickerFields } from './core/options.ts';
import { attributesOf, kinds } from './kinds.ts';

const folder = import.meta.dirname;
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/(^about|\.test)\.ts$/.test(name))
  .map((name) => ({ name, text: readFileSync(path.join(folder, name), 'utf8') }));
const code = sources.map(({ text }) => text).join('\n');
const kindCode = (kind: string) => readFileSync(path.join(folder, 'kinds', `${kind}.ts`), 'utf8');

/** Parts whose names are computed, by the expression in the code. */
const computed: Readonly<Record<string, readonly string[]>> = {
  'ticker.ts field': tickerFields,
  'symbol-overview.ts name': ['ticker', 'chart', 'depth'],
};

test('all parts of the source are told, and no others', () => {
  const parts = sources.flatMap(({ name, text }) => [
    ...[...text.matchAll(/\bpart: '([\w -]+)'/g)].flatMap(([, names]) => names!.split(' ')),
    ...[...text.matchAll(/\bpart: (`[^`]*`|[\w.[\]]+)/g)].flatMap(([, expression]) => {
      const key = `${path.basename(name)} ${expression}`;
      return computed[key] ?? [`which parts are these? ${key}`];
    }),
  ]);
  expect(Object.keys(aboutParts).sort()).toEqual([...new Set(parts)].sort());
});

test('all variables of the source are told with their defaults, and no others', () => {
  const used = [...code.matchAll(/var\(--depthwire-([\w-]+), ((?:[^()]|\([^()]*\))+)\)/g)];
  const told = Object.entries(aboutVariables);
  expect([...new Set(code.match(/(?<=--depthwire-)[a-z-]+/g))].sort()).toEqual(
    told.map(([name]) => name).sort(),
  );
  for (const [name, { fallback }] of told)
    expect(
      used.map(([, used, value]) => used === name && value),
      name,
    ).toContain(fallback);
});

test('topics are those that each kind subscribes to', () => {
  for (const kind of kinds) {
    const text = kindCode(kind);
    // An overview is made of others.
    if (/^export \{/.test(text) || kind === 'symbol-overview') continue;
    const topics = [...text.matchAll(/\bclient\.(book|trades|ticker|candles|status)\(/g)].map(
      ([, topic]) => topic,
    );
    expect([...aboutKinds[kind].topics].sort(), kind).toEqual([...new Set(topics)].sort());
  }
  const parts = ['ticker', 'mini-chart', 'depth'] as const;
  expect([...aboutKinds['symbol-overview'].topics].sort()).toEqual(
    [...new Set(parts.flatMap((part) => aboutKinds[part].topics))].sort(),
  );
});

test('rows are as many as each kind has by itself', () => {
  for (const kind of kinds.filter((kind) => (attributesOf[kind] as readonly string[]).includes('rows')))
    expect([kind, /\brows\((\d+)\)/.exec(kindCode(kind))?.[1] ?? '10']).toEqual([
      kind,
      String(optionTable.rows.fallback),
    ]);
});

test('sentences are sentences', () => {
  for (const { shows } of Object.values(aboutKinds)) expect(shows).toMatch(/^[A-Z].*\.$/);
});
