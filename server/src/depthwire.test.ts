import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { pino } from 'pino';
import { serve as start } from '../test/server.ts';
import { ScriptedFeed } from '../test/markets.ts';
import { parseConfig } from './config/config.ts';
import { createDepthwire } from './depthwire.ts';

describe('start', () => {
  test('names the taken port and the way out', async () => {
    const { url } = await start();
    const config = parseConfig({ port: Number(new URL(url).port), history: { store: 'none' } });
    const second = await createDepthwire({
      config,
      logger: pino({ level: 'silent' }),
      feeds: [new ScriptedFeed()],
    });
    onTestFinished(() => second.close());
    await expect(second.listen()).rejects.toMatchObject({
      code: 'port_in_use',
      message: expect.stringContaining('--port'),
    });
  });

  test.each([
    [
      'ENOTFOUND',
      'host',
      /^host \(HOST, --host\): expected an address of this machine, .* got "127\.0\.0\.1"/,
    ],
    ['EAI_AGAIN', 'host', /^host \(HOST, --host\): expected /],
    ['EADDRNOTAVAIL', 'host', /^host \(HOST, --host\): expected /],
    [
      'EACCES',
      'port',
      /^port \(PORT, --port\): this process may not listen on 0: choose a port from 1024 up/,
    ],
  ])('names the key that is wrong where listening fails with %s', async (code, key, message) => {
    const depthwire = await createDepthwire({
      config: parseConfig({ port: 0, history: { store: 'none' } }),
      logger: pino({ level: 'silent' }),
      feeds: [new ScriptedFeed()],
    });
    onTestFinished(() => depthwire.close());
    vi.spyOn(depthwire.app, 'listen').mockRejectedValue(Object.assign(new Error(`listen ${code}`), { code }));
    await expect(depthwire.listen()).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(message),
      details: { key },
    });
  });

  test.each([
    ['says that a bus is of no use to role all', { bus: { url: 'redis://127.0.0.1:1' } }, 1],
    ['says nothing of a bus where there is none', {}, 0],
  ])('%s', async (_name, config, times) => {
    const logger = pino({ level: 'silent' });
    const warn = vi.spyOn(logger, 'warn');
    await start(config, undefined, { logger });
    const told = warn.mock.calls.filter(([, message]) =>
      /^bus is configured .* --role ingest/.test(message!),
    );
    expect(told).toHaveLength(times);
  });

  test('refuses an address of another machine', async () => {
    const depthwire = await createDepthwire({
      config: parseConfig({ host: '203.0.113.1', port: 0, history: { store: 'none' } }),
      logger: pino({ level: 'silent' }),
      feeds: [new ScriptedFeed()],
    });
    onTestFinished(() => depthwire.close());
    await expect(depthwire.listen()).rejects.toMatchObject({
      code: 'invalid_config',
      details: { key: 'host' },
    });
  });

  test('can be closed while its feeds start, and then does not listen', async () => {
    const feed = new ScriptedFeed();
    let isStopped = false;
    feed.start = () => new Promise(() => {});
    feed.stop = () => {
      isStopped = true;
      return Promise.resolve();
    };
    const depthwire = await createDepthwire({
      config: parseConfig({ port: 0, history: { store: 'none' } }),
      logger: pino({ level: 'silent' }),
      feeds: [feed],
    });
    const listening = depthwire.listen();
    const refused = expect(listening).rejects.toMatchObject({ code: 'unavailable' });
    await depthwire.close();
    await refused;
    expect(isStopped).toBe(true);
    expect(depthwire.app.server.listening).toBe(false);
  });

  test('refuses a web folder without a page', async () => {
    const config = parseConfig({ port: 0, web: '/nonexistent', history: { store: 'none' } });
    await expect(
      createDepthwire({ config, logger: pino({ level: 'silent' }), feeds: [] }),
    ).rejects.toMatchObject({ code: 'invalid_config', details: { key: 'web' } });
  });
});
