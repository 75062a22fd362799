import { expect, test } from 'vitest';
import { readYaml } from './yaml.ts';

test('reads what is YAML', () => {
  expect(readYaml('a: [1, two]\nb: {}')).toEqual({ a: [1, 'two'], b: {} });
  expect(readYaml('')).toBeNull();
});

const wrong: [string, string, RegExp][] = [
  ['a quote that is not closed', 'port: 1\nkey: "hidden\nb: 2', /^line 3, column 5: Missing closing "quote$/],
  ['an indentation by tabs', '\tkey: hidden', /^line 1, column 1: Tabs/],
  ['a key twice', 'hidden: 1\nhidden: 2', /^line 2, column 1: Map keys must be unique$/],
  ['what stands beside a text', "key: 'x' hidden", /^line 1, column 10: Unexpected scalar/],
  ['a list beside keys', '- a\nb: hidden', /^line 2, column 1: Unexpected/],
  ['an alias of nothing', 'key: *hidden', /^Unresolved alias \(the anchor must be set before the alias\)$/],
];
test.each(wrong)('says where it is none, and repeats nothing of it: %s', (_, text, message) => {
  let told = '';
  try {
    readYaml(text);
  } catch (error) {
    told = String((error as Error).stack);
  }
  expect(told.split('\n')[0]!.replace(/^Error: /, '')).toMatch(message);
  expect(told).not.toContain('hidden');
});
