import { beforeAll, describe, expect, test, vi } from 'vitest';
import { attributesOf, attributesFor, attributeTypes, kinds, propertyOf } from '../kinds.ts';
import { instruments, sort } from './list-options.ts';
import { commonOptions, interval, readOptions } from './options.ts';

beforeAll(() => {
  vi.stubGlobal('location', new URL('https://shop.example/page'));
});

const read = (given: Readonly<Record<string, string>>) =>
  readOptions({ ...commonOptions, interval, instruments, sort }, (name) => given[name] ?? null);

test('what is left out, or left empty, holds its default', () => {
  expect(read({})).toMatchObject({
    theme: 'auto',
    transparent: false,
    cadence: 250,
    interval: '1m',
    instruments: [],
  });
  expect(read({ theme: '', cadence: ' ', interval: '' })).toMatchObject({
    theme: 'auto',
    cadence: 250,
    interval: '1m',
  });
  expect(read({ transparent: '', background: 'false' })).toMatchObject({
    transparent: true,
    background: true,
  });
});

test('what is there is read', () => {
  const values = read({
    theme: 'dark',
    cadence: '100',
    key: `dw_pk_${'x'.repeat(43)}`,
    server: 'https://data.example/depthwire',
    worker: '/worker.js',
    locale: 'de-AT',
    'time-zone': 'Europe/Vienna',
    instruments: ' sim:BTC-USD, sim:ETH-USD\nsim:BTC-USD ',
    sort: '-change',
  });
  expect(values).toMatchObject({ theme: 'dark', cadence: 100, worker: '/worker.js', locale: 'de-AT' });
  expect(values.instruments).toEqual(['sim:BTC-USD', 'sim:ETH-USD']);
  expect(values.sort).toEqual({ column: 'change', isDescending: true });
});

describe('what is wrong is refused with its name, what was expected, and what is there', () => {
  test.each([
    ['theme', 'blue', 'theme: expected one of auto, light, dark, got “blue”'],
    ['cadence', '10', 'cadence: expected a whole number from 50 to 5000, got “10”'],
    ['cadence', '1e9x', 'cadence: expected a whole number from 50 to 5000, got “1e9x”'],
    ['key', 'dw_sk_secret', 'key: expected a publishable key, dw_pk_ and 43 letters, got “dw_sk_secret”'],
    [
      'server',
      'javascript:alert(1)',
      'server: expected the URL of a Depthwire server, such as https://data.example.com/, got “javascript:alert(1)”',
    ],
    ['source-url', 'javascript:alert(1)', 'source-url: expected a URL, got “javascript:alert(1)”'],
    [
      'worker',
      'https://evil.example/w.js',
      'worker: expected a URL of the page’s own origin, got “https://evil.example/w.js”',
    ],
    ['locale', 'no_such_', 'locale: expected a language tag, such as de or en-GB, got “no_such_”'],
    [
      'time-zone',
      'Mars/Olympus',
      'time-zone: expected a time zone, such as UTC or Europe/Berlin, got “Mars/Olympus”',
    ],
    ['interval', '3m', 'interval: expected one of 1s, 5s, 15s, 1m, 5m, 15m, 1h, 4h, 1d, got “3m”'],
  ])('%s', (name, value, message) => {
    expect(() => read({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message }),
    );
  });

  test('cut, where it is long', () => {
    expect(() => read({ theme: 'x'.repeat(500) })).toThrow(`got “${'x'.repeat(60)}”`);
  });
});

test('every attribute has a type and a property, and no name is told twice', () => {
  for (const kind of kinds) {
    const names = attributesFor(kind);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(attributeTypes[name], `${kind} ${name}`).toBeDefined();
  }
  expect(Object.keys(attributesOf)).toEqual([...kinds]);
  expect(propertyOf('time-zone')).toBe('timeZone');
});
