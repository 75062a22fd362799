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
    [{ port: 'eighty' }, /^port: .*number/],
    [{ port: 70_000 }, /^port: /],
    [{ prot: 8080 }, /^prot: unknown key/],
    [{ logLevel: 'loud' }, /^logLevel: .*"info"/],
    [{ feeds: [] }, /^feeds: expected at least one feed/],
    [
      { feeds: [{ feed: 'binance', market: 'spot', symbols: [] }] },
      /^feeds\[0\]\.symbols: expected at least one symbol/,
    ],
    [{ feeds: [{ feed: 'binance', symbols: ['BTC-USDT'] }] }, /^feeds\[0\]\.market: /],
    [{ feeds: [{ feed: 'sim', sede: 4 }] }, /^feeds\[0\]\.sede: unknown key/],
    [
      { feeds: [{ feed: 'binance', market: 'spot', symbols: ['X'], endpoints: { ws: 'http://x' } }] },
      /^feeds\[0\]\.endpoints\.ws: expected a URL such as wss/,
    ],
    [{ gateway: { heartbeatMs: 5 } }, /^gateway\.heartbeatMs: /],
    [{ allowedOrigins: ['example.com'] }, /^allowedOrigins\[0\]: expected a URL such as https/],
  ])('names the wrong key of %j', (input, message) => {
    expect(() => parseConfig(input)).toThrow(
      expect.objectContaining({ code: 'invalid_config', message: expect.stringMatching(message) }),
    );
  });

  test.each([
    [
      'an unknown venue',
      { feed: 'mtgox', market: 'spot', symbols: ['BTC-USD'] },
      /^feeds\[1\]: no adapter for venue mtgox; there are: .*binance/,
    ],
    [
      'an unknown market',
      { feed: 'binance', market: 'moon', symbols: ['BTC-USD'] },
      /^feeds\[1\]: binance has no market moon; there are: spot, usdm/,
    ],
    ['a second feed of the same id', { feed: 'sim' }, /^feeds\[1\]\.id: sim is taken/],
    [
      'an instrument the simulator lacks',
      { feed: 'sim', instruments: ['sim:MOON-USD'] },
      /^feeds\[1\]: .*instruments/,
    ],
  ])('refuses %s', (_name, feed, message) => {
    const { feeds } = parseConfig({ feeds: [{ feed: 'sim' }, feed] });
    expect(() => createFeeds(feeds)).toThrow(
      expect.objectContaining({ code: 'invalid_config', message: expect.stringMatching(message) }),
    );
  });

  test('a named file must exist and hold keys and values', async () => {
    const cwd = await folder('just text');
    await expect(loadConfig({ file: 'nowhere.yaml', env: {}, cwd })).rejects.toMatchObject({
      code: 'config_not_found',
    });
    await expect(loadConfig({ env: {}, cwd })).rejects.toMatchObject({ code: 'invalid_config' });
    await expect(loadConfig({ env: { DEPTHWIRE_FEEDS: '[{' }, cwd: await folder() })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('DEPTHWIRE_FEEDS'),
    });
  });
});
