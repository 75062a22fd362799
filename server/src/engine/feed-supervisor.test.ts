import { DepthwireError } from '@depthwire/shared';
import { describe, expect, test } from 'vitest';
import { ScriptedFeed, silentLog, START_MS, startMarket } from '../../test/markets.ts';
import { FeedSupervisor } from './feed-supervisor.ts';

/** A feed that cannot start until it is told that it can. */
class BrokenFeed extends ScriptedFeed {
  tries = 0;
  failure: Error | null;

  constructor(failure: Error) {
    super('broken', []);
    this.failure = failure;
  }

  override start(): Promise<void> {
    this.tries += 1;
    return this.failure ? Promise.reject(this.failure) : Promise.resolve();
  }
}

const away = new DepthwireError('venue_http', 'GET https://venue.example answered 503');

async function supervise(failure: Error) {
  const { engine, clock } = await startMarket();
  const supervisor = new FeedSupervisor({ engine, clock, log: silentLog });
  const feed = new BrokenFeed(failure);
  const source = { id: feed.id, create: () => feed };
  const status = (id = feed.id) => [...supervisor.statuses].find(([one]) => one.id === id)?.[1];
  const advance = async (ms: number) => {
    clock.advanceTo(clock.now() + ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { supervisor, feed, source, status, advance };
}

describe('FeedSupervisor', () => {
  test('tells what a feed does, and tries one whose venue is away again, later each time', async () => {
    const { supervisor, feed, source, status, advance } = await supervise(away);
    const started = supervisor.start([source]);
    expect(status()).toEqual({ state: 'starting', sinceMs: START_MS, error: null, retryAtMs: null });
    await started;
    const failed = { state: 'failed', sinceMs: START_MS, error: away };
    expect(status()).toEqual({ ...failed, retryAtMs: START_MS + 2_000 });

    await advance(1_999);
    expect(feed.tries).toBe(1);
    await advance(1);
    expect(feed.tries).toBe(2);
    expect(status()).toEqual({ ...failed, retryAtMs: START_MS + 6_000 });

    feed.failure = null;
    await advance(4_000);
    expect(status()).toEqual({ state: 'running', sinceMs: START_MS + 6_000, error: null, retryAtMs: null });
  });

  test('starts the others while one waits, and gives up where trying again is of no use', async () => {
    const { supervisor, feed, source, status, advance } = await supervise(away);
    const other = new ScriptedFeed('other', []);
    await supervisor.start([source, other]);
    expect(status('other')).toMatchObject({ state: 'running' });

    const unknown = new DepthwireError('unknown_symbol', 'no MOON-USD');
    feed.failure = unknown;
    await advance(2_000);
    expect(status()).toMatchObject({ state: 'failed', error: unknown, retryAtMs: null });
    await advance(600_000);
    expect(feed.tries).toBe(2);
  });

  test('throws what a first try fails with for good', async () => {
    const unknown = new DepthwireError('unknown_symbol', 'no MOON-USD');
    const { supervisor, source } = await supervise(unknown);
    await expect(supervisor.start([source])).rejects.toMatchObject({
      code: 'unknown_symbol',
      message: 'no MOON-USD',
    });
  });

  test.each(['invalid_config', 'missing_package', 'unknown_venue'] as const)(
    'ends the start by what only another configuration can mend: %s',
    async (code) => {
      const { supervisor, source } = await supervise(new DepthwireError(code, 'no'));
      await expect(supervisor.start([source])).rejects.toMatchObject({ code });
    },
  );

  test.each(['venue_rejected', 'malformed_venue_frame', 'invalid_decimal', 'internal'] as const)(
    'does not end the start by what a venue answers, and asks it again: %s',
    async (code) => {
      const { supervisor, feed, source, status, advance } = await supervise(new DepthwireError(code, 'no'));
      const other = new ScriptedFeed('other', []);
      await supervisor.start([source, other]);
      expect(status('other')).toMatchObject({ state: 'running' });
      expect(status()).toMatchObject({ state: 'failed', retryAtMs: START_MS + 2_000 });
      feed.failure = null;
      await advance(2_000);
      expect(status()).toMatchObject({ state: 'running' });
    },
  );

  test.each([
    [30_000, 30_000],
    [1, 2_000],
    [7_200_000, 3_600_000],
    [Number.NaN, 2_000],
    [-1, 2_000],
    ['soon', 2_000],
  ])('waits as long as the venue asks for: %s, so %i ms', async (retryAfterMs, waitMs) => {
    const { supervisor, feed, source, status, advance } = await supervise(
      new DepthwireError('venue_http', 'answered 429', { retryAfterMs }),
    );
    await supervisor.start([source]);
    expect(status()).toMatchObject({ retryAtMs: START_MS + waitMs });
    await advance(waitMs - 1);
    expect(feed.tries).toBe(1);
    await advance(1);
    expect(feed.tries).toBe(2);
  });

  test('tries nothing any more once it is stopped', async () => {
    const { supervisor, feed, source, advance } = await supervise(away);
    await supervisor.start([source]);
    supervisor.stop();
    await advance(600_000);
    expect(feed.tries).toBe(1);
  });
});
