import { readFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import {
  aboutAttributes,
  aboutEvents,
  aboutKinds,
  aboutParts,
  aboutVariables,
  optionTable,
} from './about.ts';
import type { WidgetState } from './events.ts';
import {
  attributesOf,
  commonAttributes,
  kinds,
  ownAttributes,
  type AttributeName,
  type Kind,
} from './kinds.ts';

// docs/embedding.md has its tables from here: npm run documents writes them.

const file = path.resolve(import.meta.dirname, '../../../docs/embedding.md');

const code = (text: string) => `\`${text}\``;
const codes = (texts: readonly string[]) => texts.map(code).join(' ');

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, heads.map(() => '---'), ...rows].map((cells) =>
    cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | '),
  );
  return lines.map((line) => `| ${line} |`).join('\n');
}

function defaultOf(name: AttributeName): string {
  const { fallback } = optionTable[name];
  if (fallback === null || (Array.isArray(fallback) && fallback.length === 0)) return '';
  if (typeof fallback === 'boolean') return 'off';
  return code(Array.isArray(fallback) ? fallback.join(' ') : String(fallback as string | number));
}

const attributeRow = (name: AttributeName) => [
  code(name),
  aboutAttributes[name],
  optionTable[name].expected,
  defaultOf(name),
];
const kindsWith = (name: string): Kind[] =>
  kinds.filter((kind) => (attributesOf[kind] as readonly string[]).includes(name));
const namesOf = <Name extends string>(record: Readonly<Record<Name, unknown>>) =>
  Object.keys(record) as Name[];

const tables: Readonly<Record<string, string>> = {
  kinds: table(
    ['element', 'shows', 'attributes of its own', 'topics', 'levels', 'height'],
    kinds.map((kind) => {
      const { shows, topics, levels, size } = aboutKinds[kind];
      return [
        code(`depthwire-${kind}`),
        shows,
        codes(attributesOf[kind]),
        codes(topics),
        levels === undefined ? '' : String(levels),
        `${size.height} px`,
      ];
    }),
  ),
  'common attributes': table(
    ['attribute', 'what it does', 'what it holds', 'default'],
    namesOf(commonAttributes).map(attributeRow),
  ),
  'own attributes': table(
    ['attribute', 'what it does', 'what it holds', 'default', 'of'],
    namesOf(ownAttributes).map((name) => [...attributeRow(name), codes(kindsWith(name))]),
  ),
  events: table(
    ['event', 'when, and its detail', ''],
    namesOf(aboutEvents).flatMap((name) => {
      const { when, detail } = aboutEvents[name];
      return [
        [code(name), when, ''],
        ...Object.entries(detail).map(([property, text]) => ['', code(property), text]),
      ];
    }),
  ),
  variables: table(
    ['variable', 'what it is', 'default'],
    Object.entries(aboutVariables).map(([name, { is, fallback }]) => [
      code(`--depthwire-${name}`),
      is,
      // A line has the colour of the variable for lines.
      code(fallback.replace('--_line', '--depthwire-line')),
    ]),
  ),
  parts: table(
    ['part', 'what it is'],
    Object.entries(aboutParts).map(([name, text]) => [code(name), text]),
  ),
};

test('docs/embedding.md has the tables of the source; npm run documents writes them', async () => {
  const written = readFileSync(file, 'utf8');
  const places = [...written.matchAll(/(<!-- begin: ([\w ]+) -->)[\s\S]*?(<!-- end: \2 -->)/g)];
  expect(places.map(([, , name]) => name).sort()).toEqual(Object.keys(tables).sort());
  const filled = places.reduce(
    (text, [place, begin, name, end]) => text.replace(place, () => `${begin}\n\n${tables[name!]}\n\n${end}`),
    written,
  );
  const options = await resolveConfig(file);
  await expect(await format(filled, { ...options, parser: 'markdown' })).toMatchFileSnapshot(file);
});

test('every state is told in docs/embedding.md', () => {
  const states: Readonly<Record<WidgetState, true>> = {
    ...{ connecting: true, syncing: true, live: true, stale: true },
    ...{ recovering: true, offline: true, refused: true, failed: true },
  };
  const section = readFileSync(file, 'utf8').split('## States')[1]!.split('\n## ')[0]!;
  expect([...section.matchAll(/^\| `(\w+)`/gm)].map(([, state]) => state).sort()).toEqual(
    Object.keys(states).sort(),
  );
});
