import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findVenue, venues } from './registry.ts';

const page = readFileSync(new URL('../../docs/feeds.md', import.meta.url), 'utf8');
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** Rows of a table as cells, `code` marks left out. */
const rowsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.replaceAll('`', '').trim()),
    );

describe('the registry', () => {
  it('is what docs/feeds.md tells of', () => {
    const told: string[] = [];
    let venue = '';
    for (const [name, market] of rowsOf(page.split('## What each is proven on')[0]!)) {
      if (name) venue = name;
      told.push(`${venue} ${market}`);
    }
    const there = venues.flatMap((adapter) =>
      Object.keys(adapter.markets).map((m) => `${adapter.venue} ${m}`),
    );
    expect(
      told.filter((row) => venues.some((adapter) => row.startsWith(`${adapter.venue} `))).sort(),
    ).toEqual(there.sort());
    const [proven, past] = page
      .split('## What each is proven on')[1]!
      .split('## The past')
      .map((part) => rowsOf(part).map(([name]) => name));
    for (const { venue: name, past: tells } of venues) {
      expect(proven).toContain(name);
      if (tells) expect(past).toContain(name);
    }
  });

  it('is what the README tells of', () => {
    for (const { venue, markets } of venues) {
      const row = rowsOf(readme).find(([name]) => name === venue);
      expect(row?.[1]?.split(' ').sort()).toEqual(Object.keys(markets).sort());
    }
  });

  it('names each venue once, and those there are where one is not', () => {
    expect(new Set(venues.map(({ venue }) => venue)).size).toBe(venues.length);
    expect(() => findVenue('mtgox')).toThrow(/there are: .*binance/);
    expect(() => findVenue('binance', 'moon')).toThrow(/has no market moon; there are: spot/);
  });
});
