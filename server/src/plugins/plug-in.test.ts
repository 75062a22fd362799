import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../config/config.ts';
import { createFeeds } from '../feed-factory.ts';

const FEED = `({ id: 'mine', start: async () => {}, stop: async () => {} })`;
const VENUE = {
  venue: `'moon'`,
  markets: `{ spot: { ws: 'ws://127.0.0.1:1', rest: 'http://127.0.0.1:1' } }`,
  limits: `{ symbolsPerConnection: 9, sendSpacingMs: 0, httpSpacingMs: 0, silenceMs: 9, maxAgeMs: null }`,
  metadata: `{ via: 'http', urls: () => [] }`,
  parseMetadata: `() => ({ instruments: [], refused: new Map() })`,
  socketUrl: `() => 'ws://127.0.0.1:1'`,
  createSession: `() => {}`,
};

/** The adapter with some keys written otherwise; null leaves one out. */
function venue(changes: Partial<Record<keyof typeof VENUE | 'start' | 'past', string | null>> = {}): string {
  const keys = Object.entries({ ...VENUE, ...changes }).filter(([, code]) => code !== null);
  return `export default { ${keys.map(([key, code]) => `${key}: ${code}`).join(', ')} }`;
}

const MODULES: Record<string, string> = {
  'factory.ts': `export default (options: object) => Object.assign(${FEED}, { options });`,
  'folder/index.ts': `export default () => ${FEED};`,
  'empty-folder/readme.txt': '',
  'venue.ts': venue(),
  'shared.ts': `import { DepthwireError } from '@depthwire/shared';
    import { createSimulatorFeed } from '@depthwire/feeds';
    export default (options) => { createSimulatorFeed; throw new DepthwireError('invalid_config', 'expected more', { key: 'rate' }); };`,
  'node_modules/a-package/package.json': `{ "name": "a-package", "type": "module", "exports": { "import": "./main.js" } }`,
  'node_modules/a-package/main.js': `export default () => ${FEED};`,
  'node_modules/in-ts/package.json': `{ "name": "in-ts", "type": "module", "exports": "./main.ts" }`,
  'node_modules/in-ts/main.ts': `export default (): object => ${FEED};`,
  'syntax.ts': `export default (`,
  'enum.ts': `enum A { B } export default () => ${FEED};`,
  'throws.ts': `throw new Error('not today');`,
  'imports.ts': `import './missing';`,
  'named.ts': `export const createFeed = () => ${FEED};`,
  'number.ts': `export default 5;`,
  'feed.ts': `export default ${FEED};`,
  'promise.ts': `export default async () => ${FEED};`,
  'nothing.ts': `export default () => {};`,
  'no-stop.ts': `export default () => ({ id: 'mine', start() {} });`,
  'no-id.ts': `export default () => ({ id: 'My Feed', start() {}, stop() {} });`,
  'candles.ts': `export default () => ({ id: 'mine', start() {}, stop() {}, candles: [] });`,
  'factory-throws.ts': `export default () => { throw new TypeError('no such thing'); };`,
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'depthwire-plugins-'));
  for (const [file, code] of Object.entries(MODULES)) write(file, code);
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(file: string, code: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), code);
}

async function load(...feeds: object[]) {
  write('depthwire.yaml', JSON.stringify({ feeds }));
  const config = await loadConfig({ file: join(folder, 'depthwire.yaml'), env: {}, cwd: tmpdir() });
  return createFeeds(config.feeds);
}

describe('a feed that the configuration names', () => {
  test('by path is a factory that gets its options, and makes a fresh feed each time', async () => {
    const [source] = await load({ feed: './factory.ts', anything: { goes: [1] }, maxEventsPerSecond: 7 });
    expect(source).toMatchObject({ id: 'mine', isPluggedIn: true, maxEventsPerSecond: 7 });
    const [first, second] = [source!.create(), source!.create()];
    expect(first).not.toBe(second);
    expect((first as unknown as { options: object }).options).toEqual({ anything: { goes: [1] } });
  });

  test('may be named otherwise than it names itself', async () => {
    const sources = await load({ feed: './factory.ts' }, { feed: './factory.ts', id: 'mine-2' });
    expect(sources.map(({ id }) => id)).toEqual(['mine', 'mine-2']);
    await expect(load({ feed: './factory.ts' }, { feed: './factory.ts' })).rejects.toMatchObject({
      message: expect.stringMatching(/^feeds\[1\]\.id \(depthwire\.yaml\): mine is taken by an earlier feed/),
    });
  });

  test('by absolute path, by folder, by package', async () => {
    const sources = await load(
      { feed: join(folder, 'factory.ts'), id: 'a' },
      { feed: './folder', id: 'b' },
      { feed: 'a-package', id: 'c' },
    );
    expect(sources.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  test('is a venue’s adapter, with the keys of every venue', async () => {
    const [source] = await load({ feed: './venue.ts', market: 'spot', symbols: ['BTC-USD'] });
    expect(source).toMatchObject({ id: 'moon-spot', isPluggedIn: true, maxEventsPerSecond: 50_000 });
    await expect(load({ feed: './venue.ts', market: 'futures', symbols: ['BTC-USD'] })).rejects.toMatchObject(
      {
        message: 'feeds[0].market (depthwire.yaml): expected spot, got "futures"',
      },
    );
  });

  test('in the environment is looked for from the working directory', async () => {
    const env = { DEPTHWIRE_FEEDS: '[{feed: ./factory.ts}]' };
    expect((await loadConfig({ env, cwd: folder })).feeds).toHaveLength(1);
  });

  test.each<[name: string, message: string | RegExp]>([
    [
      './gone.ts',
      /^feeds\[0\]\.feed \(depthwire\.yaml\): no feed \.\/gone\.ts \(there is no \/.*gone\.ts; a path is taken from the folder/,
    ],
    ['./empty-folder', /has none of index\.ts, index\.js, index\.mjs/],
    ['no-such-package', /no package no-such-package was found.*there are: sim, binance.*the path of a file/],
    ['./syntax.ts', /syntax\.ts could not be loaded: .+/],
    ['./throws.ts', /throws\.ts could not be loaded: Error: not today/],
    ['./imports.ts', /could not be loaded: .*missing/],
    [
      './named.ts',
      /its default export is nothing \(it exports createFeed\): export default either a factory/,
    ],
    ['./number.ts', /its default export is 5: export default either/],
    ['./feed.ts', /its default export is a feed: export the factory/],
    ['./promise.ts', /^feeds\[0\] \(depthwire\.yaml\): the factory gave a promise: return the feed itself/],
    [
      './nothing.ts',
      'feeds[0] (depthwire.yaml): the factory must return a feed, { id, start, stop }, and returned nothing',
    ],
    ['./no-stop.ts', "feeds[0] (depthwire.yaml): the feed's stop: expected a function, got nothing"],
    ['./no-id.ts', /the feed's id: expected up to 40 small letters, digits and dashes, got "My Feed"/],
    [
      './candles.ts',
      "feeds[0] (depthwire.yaml): the feed's candles: expected a function or nothing, got an array",
    ],
    ['./factory-throws.ts', 'feeds[0] (depthwire.yaml): the factory threw: TypeError: no such thing'],
  ])('is refused, with the key and the fix: %s', async (feed, message) => {
    await expect(load({ feed })).rejects.toMatchObject({
      code: 'invalid_config',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  test.each<[changes: Parameters<typeof venue>[0], message: RegExp]>([
    [{ venue: null }, /the adapter's venue: expected up to 32 small letters, .* got nothing/],
    [{ markets: '{}' }, /the adapter's markets: expected endpoints by market/],
    [{ markets: `{ spot: { ws: 'http://x', rest: 'http://x' } }` }, /markets\.spot\.ws: expected a ws URL/],
    [{ markets: `{ spot: { ws: 'ws://x/', rest: 'http://x' } }` }, /markets\.spot\.ws: .* without a slash/],
    [{ limits: null }, /limits\.symbolsPerConnection: expected a number from 1 up, got nothing/],
    [
      { limits: VENUE.limits.replace('maxAgeMs: null', '') },
      /limits\.maxAgeMs: expected milliseconds, or null/,
    ],
    [{ metadata: `{ via: 'mail' }` }, /metadata\.via: expected 'http' or 'socket', got "mail"/],
    [{ metadata: `{ via: 'socket', request: '' }` }, /metadata\.isAnswer: expected a function, got nothing/],
    [{ createSession: null }, /the adapter's createSession: expected a function, got nothing/],
    [{ past: '{}' }, /the adapter's past.intervals: expected a function, got nothing/],
    [{ parseMetadata: '[]' }, /the adapter's parseMetadata: expected a function, got an array/],
  ])('is no adapter: %j', async (changes, message) => {
    const file = `./venue-${Object.keys(MODULES).length}.ts`;
    write(file, venue(changes));
    MODULES[file] = ''; // the next one gets a name of its own: Node loads a file once
    await expect(load({ feed: file, market: 'spot', symbols: ['X'] })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(message),
    });
  });
});
