import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, test } from 'vitest';

type Rgb = readonly [number, number, number];
type Theme = 'light' | 'dark';
type Contrast = 'normal' | 'high';
type Tokens = (name: string) => string;

const css = readFileSync(path.join(import.meta.dirname, 'tokens.css'), 'utf8').replace(
  /\/\*[\s\S]*?\*\//g,
  '',
);

/** Declarations of all blocks with this selector, outside of media queries. */
function declarationsOf(selector: string): Map<string, string> {
  const found = new Map<string, string>();
  const outside = css.replace(/@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, '');
  for (const [, selectors, body] of outside.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
    if (selectors!.trim() !== selector) continue;
    for (const [, name, value] of body!.matchAll(/--([\w-]+):\s*([^;]+);/g)) found.set(name!, value!.trim());
  }
  return found;
}

/** Values as they are where all of this is chosen. */
function tokensOf(theme: Theme, contrast: Contrast, palette: string): Tokens {
  const values = new Map([
    ...declarationsOf(':root'),
    ...declarationsOf(`:root[data-contrast='${contrast}']`),
    ...declarationsOf(`:root[data-palette='${palette}']`),
  ]);
  const resolve = (name: string): string => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`no token --${name}`);
    const [, light, dark] = /^light-dark\(([^,]+), ([^,]+)\)$/.exec(value) ?? [];
    const chosen = light === undefined ? value : theme === 'light' ? light : dark!;
    const [, other] = /^var\(--([\w-]+)\)$/.exec(chosen) ?? [];
    return other === undefined ? chosen : resolve(other);
  };
  return resolve;
}

function rgb(hex: string): Rgb {
  const [, r, g, b] = /^#(..)(..)(..)$/.exec(hex) ?? [];
  if (b === undefined) throw new Error(`${hex} is no colour of six digits`);
  return [parseInt(r!, 16), parseInt(g!, 16), parseInt(b, 16)];
}

/** `share` of `top` on `below`: of `color-mix(in srgb, …)`, and of what is seen through. */
const mix = (top: Rgb, below: Rgb, share: number): Rgb =>
  [0, 1, 2].map((i) => top[i]! * share + below[i]! * (1 - share)) as unknown as Rgb;

/** As WCAG 2.2 has it. */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function ratio(one: Rgb, other: Rgb): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

/** The filters that `--frozen` may have. */
function filtered(colour: Rgb, filter: string): { readonly colour: Rgb; readonly opacity: number } {
  let [r, g, b] = colour;
  let opacity = 1;
  for (const [, name, argument] of filter.matchAll(/([\w-]+)\(([\d.]+)\)/g)) {
    const amount = Number(argument);
    if (name === 'opacity') opacity *= amount;
    else if (name === 'grayscale') {
      const grey = 0.2126 * r + 0.7152 * g + 0.0722 * b;
      [r, g, b] = mix([grey, grey, grey], [r, g, b], amount);
    } else throw new Error(`this test does not know ${name}()`);
  }
  return { colour: [r, g, b], opacity };
}

const TEXTS = ['text', 'text-2', 'text-3', 'dim', 'accent', 'amber', 'violet', 'up', 'down'];
const SERIES = ['ink', 'blue', 'pink', 'lime', 'sky', 'grey'].map((name) => `series-${name}`);
const GROUNDS = ['ground', 'raised', 'float'];
const palettes = ['teal-coral', 'blue-orange', 'red-up'];

/** Every text on what it is shown on: its name and how far both are apart. */
function textsOn(token: Tokens): [string, number][] {
  const colour = (name: string) => rgb(token(name));
  const share = (name: string) => parseFloat(token(name)) / 100;
  const pairs: [string, Rgb, Rgb][] = [];
  for (const ground of GROUNDS) {
    for (const text of [...TEXTS, ...SERIES])
      pairs.push([`${text} on ${ground}`, colour(text), colour(ground)]);
    // What the pointer is on, and what is chosen.
    const pointed = mix(colour('text'), colour(ground), 0.11);
    for (const text of ['text', 'text-2'])
      pairs.push([`${text} on pointed ${ground}`, colour(text), pointed]);
  }
  const ground = colour('ground');
  for (const fill of ['amber', 'violet']) {
    const own = colour(`${fill}-fill`);
    for (const text of [fill, 'text', 'text-2']) pairs.push([`${text} on ${fill}-fill`, colour(text), own]);
  }
  for (const fill of ['accent', 'violet', 'link-blue', 'link-pink', 'link-lime', 'link-sky'])
    pairs.push([`ground on ${fill}`, ground, colour(fill)]);
  for (const text of ['text', 'text-2', 'up', 'down']) {
    const chosen = mix(colour('accent'), ground, 0.16);
    pairs.push([`${text} on a chosen row`, colour(text), chosen]);
  }
  for (const way of ['up', 'down']) {
    const total = mix(colour(way), ground, share('bar-soft'));
    const size = mix(colour(way), total, share('bar-strong'));
    pairs.push([`size on the bars of ${way}`, colour('text'), size]);
    pairs.push([`total on the bars of ${way}`, colour('text-2'), total]);
    pairs.push([`last digits of ${way}`, mix(colour(way), colour('dim'), 0.3), ground]);
  }
  const frozen = token('frozen');
  for (const text of ['text', 'text-2', 'text-3', 'dim', 'up', 'down']) {
    const old = filtered(colour(text), frozen);
    pairs.push([`old ${text}`, mix(old.colour, ground, old.opacity), ground]);
  }
  return pairs.map(([name, text, on]) => [name, ratio(text, on)]);
}

const below = (pairs: readonly [string, number][], least: number) =>
  pairs.filter(([, value]) => value < least).map(([name, value]) => `${name}: ${value.toFixed(2)}`);

test('the measure is that of WCAG', () => {
  expect(ratio([0, 0, 0], [255, 255, 255])).toBeCloseTo(21);
  expect(ratio(rgb('#777777'), rgb('#ffffff'))).toBeCloseTo(4.48, 2);
});

describe.each(['light', 'dark'] as const)('%s', (theme) => {
  it.each(palettes)('has no text below 4.5:1, %s', (palette) => {
    expect(below(textsOn(tokensOf(theme, 'normal', palette)), 4.5)).toEqual([]);
  });

  it.each(palettes)('in high contrast has no text below 7:1, %s', (palette) => {
    expect(below(textsOn(tokensOf(theme, 'high', palette)), 7)).toEqual([]);
  });

  it('in high contrast has edges of 3:1, and a ring of the focus', () => {
    const token = tokensOf(theme, 'high', 'teal-coral');
    const edges = GROUNDS.flatMap((ground) =>
      ['line', 'line-strong', 'accent'].map((edge): [string, number] => [
        `${edge} on ${ground}`,
        ratio(rgb(token(edge)), rgb(token(ground))),
      ]),
    );
    expect(below(edges, 3)).toEqual([]);
  });

  it.each(['normal', 'high'] as const)('the ring of the focus has 3:1 in %s contrast', (contrast) => {
    const token = tokensOf(theme, contrast, 'teal-coral');
    const rings = GROUNDS.map((ground): [string, number] => [
      ground,
      ratio(rgb(token('accent')), rgb(token(ground))),
    ]);
    expect(below(rings, 3)).toEqual([]);
  });

  it.each(['normal', 'high'] as const)('old data keep bid and ask apart in %s contrast', (contrast) => {
    const token = tokensOf(theme, contrast, 'teal-coral');
    const [up, down] = ['up', 'down'].map((way) => filtered(rgb(token(way)), token('frozen')).colour);
    const apart = Math.hypot(...[0, 1, 2].map((i) => up![i]! - down![i]!));
    expect(apart).toBeGreaterThan(20);
  });

  it.each(['normal', 'high'] as const)(
    'what rests shows more, the more there is, in %s contrast',
    (contrast) => {
      const token = tokensOf(theme, contrast, 'teal-coral');
      const ramp = ['heat-none', 'heat-1', 'heat-2', 'heat-3', 'heat-4'].map((name) =>
        luminance(rgb(token(name))),
      );
      const sorted = [...ramp].sort((a, b) => (theme === 'light' ? b - a : a - b));
      expect(ramp).toEqual(sorted);
    },
  );
});

test('the browser’s bars begin with the ground of each theme', () => {
  const page = readFileSync(path.join(import.meta.dirname, 'app.html'), 'utf8');
  for (const theme of ['light', 'dark'] as const) {
    const [, colour] =
      new RegExp(`content="(#\\w+)" media="\\(prefers-color-scheme: ${theme}\\)"`).exec(page) ?? [];
    expect(colour).toBe(tokensOf(theme, 'normal', 'teal-coral')('ground'));
  }
});
