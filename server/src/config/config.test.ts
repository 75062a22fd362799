import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createFeeds } from '../feed-factory.ts';
import { loadConfig, parseConfig } from './config.ts';

async function folder(yaml?: string): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'depthwire-config-'));
  if (yaml !== undefined) await writeFile(join(path, 'depthwire.yaml'), yaml);
  return path;
}

/** The whole message, or what it has to look like. */
function matching(message: string | RegExp): unknown {
  return message instanceof RegExp ? expect.stringMatching(message) : message;
}

describe('configuration', () => {
  test('defaults to the simulated market on loopback, port 8080', async () => {
    expect(await loadConfig({ env: {}, cwd: await folder() })).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      feeds: [{ feed: 'sim' }],
    });
  });

  test('takes the command line over the environment over the file', async () => {
    const cwd = await folder('host: 0.0.0.0\nport: 1000\nlogLevel: warn\n');
    expect(await loadConfig({ env: {}, cwd })).toMatchObject({
      host: '0.0.0.0',
      port: 1000,
      logLevel: 'warn',
    });
    expect(await loadConfig({ env: { PORT: '2000', HOST: '::1' }, cwd })).toMatchObject({
      host: '::1',
      port: 2000,
      logLevel: 'warn',
    });
    expect(await loadConfig({ env: { PORT: '2000' }, overrides: { port: 3000 }, cwd })).toMatchObject({
      port: 3000,
    });
  });

  test('reads feeds from the environment', async () => {
    const env = {
      DEPTHWIRE_FEEDS:
        '[{feed: binance, market: spot, symbols: [BTC-USDT], endpoints: {ws: "ws://127.0.0.1:9", rest: "http://127.0.0.1:9"}}]',
    };
    const { feeds } = await loadConfig({ env, cwd: await folder() });
    expect(feeds).toMatchObject([{ feed: 'binance', endpoints: { ws: 'ws://127.0.0.1:9' } }]);
    expect(createFeeds(feeds).map(({ id }) => id)).toEqual(['binance-spot']);
  });

  test.each([
    [{ port: 'eighty' }, 'port: expected a whole number from 0 to 65535, such as 8080, got "eighty"'],
    [{ port: 70_000 }, 'port: expected a whole number from 0 to 65535, such as 8080, got 70000'],
    [{ port: 80.5 }, 'port: expected a whole number from 0 to 65535, such as 8080, got 80.5'],
    [{ port: Number.NaN }, 'port: expected a whole number from 0 to 65535, such as 8080, got NaN'],
    [{ port: null }, 'port: expected a whole number from 0 to 65535, such as 8080, got nothing'],
    [{ host: '' }, 'host: expected an address to listen on, such as 127.0.0.1, got ""'],
    [{ web: 5 }, 'web: expected a folder, such as web/build, got 5'],
    [{ logLevel: 'loud' }, 'logLevel: expected fatal, error, warn, info, debug, trace or silent, got "loud"'],
    [
      { gateway: { heartbeatMs: 5 } },
      'gateway.heartbeatMs: expected a whole number from 1000 to 300000, such as 15000, got 5',
    ],
    [
      { history: { depthMinutes: 1_441 } },
      'history.depthMinutes: expected a whole number from 0 to 1440, such as 60, got 1441',
    ],
    [
      { history: { minutes: 60 } },
      'history.minutes: unknown key; remove it or correct its name, there are: depthMinutes, maxInstruments, maxBytes, store, path, url, keepTradesHours, keepSecondsHours, keepMinutesDays, keepHoursDays, keepDepthHours',
    ],
    [
      { history: { store: 'postgres' } },
      'history.url: expected a URL such as postgres://user:password@db:5432/depthwire, as store is postgres, got nothing',
    ],
    [
      { history: { store: 'sqlite', url: 'postgres://:secret@db' } },
      'history.url: goes with history.store: postgres: set that too, or remove history.url',
    ],
    [
      { history: { url: 'postgres://:secret@db' } },
      'history.url: goes with history.store: postgres: set that too, or remove history.url',
    ],
    [
      { history: { store: 'postgres', url: 'postgres://db', path: 'mine.db' } },
      'history.path: goes with history.store: sqlite: set that, or remove history.path',
    ],
    [
      { history: { path: ':memory:' } },
      'history.path: would be a file of that name: name another, such as data/history.db, or set history.store: none',
    ],
    ...['data/', '.', '..', 'data/..'].map((path): [object, string] => [
      { history: { path } },
      'history.path: is a folder: name a file in it, such as data/history.db',
    ]),
    [{ role: 'leader' }, 'role: expected all, ingest or gateway, got "leader"'],
    [
      { role: 'gateway' },
      'bus: a process of role gateway needs a bus: set bus: { url: redis://127.0.0.1:6379 }, or DEPTHWIRE_BUS=redis://127.0.0.1:6379',
    ],
    [
      { bus: { url: 'redis://:secret@10.0.0.1/' } },
      'bus.url: expected a URL such as redis://127.0.0.1:6379, without a slash at the end',
    ],
    [
      { bus: { prefix: 'mine' } },
      'bus: expected either url, such as redis://127.0.0.1:6379, or nodes of a Redis cluster',
    ],
    [
      { bus: { url: 'redis://10.0.0.1', ca: 'redis-ca.pem' } },
      'bus.ca: is of no use without TLS: write rediss:// in bus.url or bus.nodes, or remove it',
    ],
    [
      { bus: { nodes: ['rediss://10.0.0.1', 'redis://10.0.0.2'] } },
      'bus.nodes: expected all of them with redis:// or all with rediss://',
    ],
    [{ gateway: [] }, 'gateway: expected keys and values, such as heartbeatMs: 15000, got []'],
    [
      { allowedOrigins: 'https://example.com' },
      'allowedOrigins: expected a list of origins, such as [https://example.com], got "https://example.com"',
    ],
    [
      { allowedOrigins: ['example.com'] },
      'allowedOrigins[0]: expected an origin such as https://example.com, got "example.com"',
    ],
    [
      { allowedOrigins: ['https://a.example', 'https://example.com/x'] },
      'allowedOrigins[1]: expected an origin, which ends with the host or port: write https://example.com, got "https://example.com/x"',
    ],
    [
      { allowedOrigins: ['HTTPS://Example.com:443/'] },
      'allowedOrigins[0]: expected an origin, which ends with the host or port: write https://example.com, got "HTTPS://Example.com:443/"',
    ],
    [{ feeds: 'sim' }, 'feeds: expected a list of at least one feed, such as [{feed: sim}], got "sim"'],
    [{ feeds: [] }, 'feeds: expected a list of at least one feed, such as [{feed: sim}], got []'],
    [{ feeds: ['sim'] }, 'feeds[0]: expected a feed with its keys, such as {feed: sim}, got "sim"'],
    [{ feeds: [{ market: 'spot' }] }, /^feeds\[0\]\.feed: expected sim.* binance.*, got nothing$/],
    [{ feeds: [{ feed: 'mtgox' }] }, /^feeds\[0\]\.feed: no feed mtgox; there are: sim, binance/],
    [
      { feeds: [{ feed: 'binance', symbols: ['BTC-USDT'] }] },
      /^feeds\[0\]\.market: expected spot.* usdm.*, got nothing$/,
    ],
    [
      { feeds: [{ feed: 'binance', market: 'moon', symbols: ['BTC-USDT'] }] },
      /^feeds\[0\]\.market: expected spot.* usdm.*, got "moon"$/,
    ],
    [
      { feeds: [{ feed: 'binance', market: 'spot', symbols: [] }] },
      'feeds[0].symbols: expected a list of at least one symbol, such as [BTC-USDT], got []',
    ],
    [
      { feeds: [{ feed: 'binance', market: 'spot', symbols: ['X'], endpoints: { ws: 'http://x' } }] },
      'feeds[0].endpoints.ws: expected a URL that begins with ws:// or wss://, such as wss://stream.example.com:9443, got "http://x"',
    ],
    [
      { feeds: [{ feed: 'ccxt', exchange: 'Kraken Pro', symbols: ['BTC/USD'] }] },
      'feeds[0].exchange: expected the name that ccxt has for a venue, such as kraken, got "Kraken Pro"',
    ],
    [
      { feeds: [{ feed: 'ccxt', exchange: 'kraken', symbols: ['BTC/USD'], depth: 0 }] },
      'feeds[0].depth: expected a whole number from 1 to 5000, such as 100, got 0',
    ],
    [
      { feeds: [{ feed: 'ccxt', exchange: 'kraken', symbols: ['BTC/USD'], urls: 'http://x' }] },
      'feeds[0].urls: expected keys and values, such as {api: {public: "http://127.0.0.1:8000"}}, got "http://x"',
    ],
  ])('says what it expected and what it got: %j', (input, message) => {
    expect(() => parseConfig(input)).toThrow(
      expect.objectContaining({ code: 'invalid_config', message: matching(message) }),
    );
  });

  test('names unknown keys and those there are', () => {
    expect(() => parseConfig({ prot: 8080, feeds: [{ feed: 'sim', sede: 4, rat: 1 }] })).toThrow(
      /^feeds\[0\]\.sede: unknown key; .* there are: feed, seed, .*\nfeeds\[0\]\.rat: unknown key.*\nprot: unknown key; .* there are: role, bus, host, port, /,
    );
  });

  test.each([
    ['an option that the simulator refuses', { feed: 'sim', rate: 100 }, /^feeds\[1\]\.rate: .*20, got 100/],
    [
      'an instrument the simulator lacks',
      { feed: 'sim', instruments: ['sim:MOON-USD'] },
      /^feeds\[1\]\.instruments: .*"sim:MOON-USD".*choose from sim:BTC-USD/,
    ],
    ['a second simulator', { feed: 'sim' }, /^feeds\[1\]\.feed: there is already a feed sim/],
    [
      'a second feed of the same id',
      { feed: 'binance', market: 'spot', symbols: ['BTC-USDT'], id: 'sim' },
      /^feeds\[1\]\.id: sim is taken by an earlier feed/,
    ],
  ])('refuses %s', (_name, feed, message) => {
    expect(() => parseConfig({ feeds: [{ feed: 'sim' }, feed] })).toThrow(
      expect.objectContaining({ code: 'invalid_config', message: expect.stringMatching(message) }),
    );
  });

  test.each([
    [{ PORT: 'eighty' }, 'port (PORT): expected a whole number from 0 to 65535, such as 8080, got "eighty"'],
    [{ PORT: '-1' }, 'port (PORT): expected a whole number from 0 to 65535, such as 8080, got "-1"'],
    [{ DEPTHWIRE_METRICS: 'yes' }, 'metrics (DEPTHWIRE_METRICS): expected true or false, got "yes"'],
    [{ LOG_LEVEL: 'loud' }, /^logLevel \(LOG_LEVEL\): expected .* or silent, got "loud"$/],
    [
      { DEPTHWIRE_ALLOWED_ORIGINS: 'https://a.example,b' },
      /^allowedOrigins\[1\] \(DEPTHWIRE_ALLOWED_ORIGINS\): expected an origin .* got "b"$/,
    ],
    [
      { DEPTHWIRE_FEEDS: '[{feed: mtgox}]' },
      /^feeds\[0\]\.feed \(DEPTHWIRE_FEEDS\): no feed mtgox \(no package mtgox was found\); there are: sim, binance/,
    ],
    ...['http://:secret@10.0.0.1:6379', 'redis.example:6379', '10.0.0.1'].map(
      (bus): [Record<string, string>, string] => [
        { DEPTHWIRE_BUS: bus },
        'bus.url (DEPTHWIRE_BUS): expected a URL that begins with redis:// or rediss://, such as redis://127.0.0.1:6379',
      ],
    ),
    [{ DEPTHWIRE_FEEDS: '[{feed: sim, rate: 0}]' }, /^feeds\[0\]\.rate \(DEPTHWIRE_FEEDS\): /],
    [{ DEPTHWIRE_FEEDS: '[{' }, /^feeds \(DEPTHWIRE_FEEDS\): not readable as YAML: /],
  ])('names where it comes from: %j', async (env, message) => {
    await expect(loadConfig({ env, cwd: await folder() })).rejects.toMatchObject({
      code: 'invalid_config',
      message: matching(message),
    });
  });

  test('takes a bus by its URL alone, or by all of its keys', async () => {
    const cwd = await folder();
    const busOf = async (bus: string) =>
      (await loadConfig({ env: { DEPTHWIRE_ROLE: 'ingest', DEPTHWIRE_BUS: bus }, cwd })).bus;
    expect(await busOf('rediss://10.0.0.1:6380')).toEqual({
      url: 'rediss://10.0.0.1:6380',
      prefix: 'depthwire',
    });
    const nodes = ['redis://10.0.0.1:7000', 'redis://10.0.0.2:7000'];
    expect(await busOf(`{nodes: [${nodes.join(', ')}], prefix: mine}`)).toEqual({ nodes, prefix: 'mine' });
  });

  test.each([
    'postgres://me:hidden@db/history',
    '{store: postgres, url: "mysql://me:hidden@db/history"}',
    '{store: postgres, url: "postgres://me:hid/hidden@db/history/"}',
    '{store: {url: "postgres://me:hidden@db/history"}}',
  ])('repeats no password of a database: %s', async (history) => {
    const env = { DEPTHWIRE_HISTORY: history };
    const refused = loadConfig({ env, cwd: await folder() });
    await expect(refused).rejects.toThrow(/got .*:\/\/\[secret\]@db\/history/);
    await expect(refused).rejects.not.toThrow('hidden');
  });

  test('names the option of the command line, and no variable that it wins over', async () => {
    const cwd = await folder();
    await expect(
      loadConfig({ env: { LOG_LEVEL: 'info' }, overrides: { logLevel: 'loud' }, cwd }),
    ).rejects.toMatchObject({ message: expect.stringMatching(/^logLevel \(--log-level\): expected /) });
    expect(await loadConfig({ env: { PORT: 'eighty' }, overrides: { port: 81 }, cwd })).toMatchObject({
      port: 81,
    });
  });

  test('a named file must exist and hold keys and values', async () => {
    const cwd = await folder('just text');
    await expect(loadConfig({ file: 'nowhere.yaml', env: {}, cwd })).rejects.toMatchObject({
      code: 'config_not_found',
    });
    await expect(loadConfig({ env: {}, cwd })).rejects.toMatchObject({ code: 'invalid_config' });
  });
});
