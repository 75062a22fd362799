import { every } from '@depthwire/shared';
import { afterAll, describe, expect, it } from 'vitest';
import { CaptureFolder, diff, FakePacemaker, open, prepareReplay, replay, rest, T0 } from './test-harness.ts';

const folder = new CaptureFolder();
afterAll(() => folder.remove());

const file = folder.write([open(0), rest(100, 2), diff(1_100, 3, 3), diff(3_100, 4, 4)]);

/** Real time at which each book event came, and the market time it had. */
async function paced(path: string, speed: number) {
  const pacemaker = new FakePacemaker();
  const seen: [realMs: number, marketMs: number][] = [];
  const run = await replay([path], {
    speed,
    pacemaker,
    onEvent: (event) => {
      if (event.type === 'book-snapshot' || event.type === 'book-delta') {
        seen.push([Math.round(pacemaker.elapsedMs), event.receiveTimeMs - T0]);
      }
    },
  });
  return { seen, pacemaker, run };
}

describe('replay pace', () => {
  it.each([
    [1, [100, 1_100, 3_100]],
    [10, [10, 110, 310]],
    [0.5, [200, 2_200, 6_200]],
  ])('at speed %d keeps the recorded distances', async (speed, realMs) => {
    const { seen } = await paced(file, speed);
    expect(seen.map(([real]) => real)).toEqual(realMs);
    expect(seen.map(([, market]) => market)).toEqual([100, 1_100, 3_100]);
  });

  it('waits for nothing where the speed is infinite', async () => {
    const { seen, pacemaker } = await paced(file, Infinity);
    expect(seen).toHaveLength(3);
    expect(pacemaker.elapsedMs).toBe(0);
  });

  it('catches up after it was held up, and does not slow down', async () => {
    const pacemaker = new FakePacemaker();
    const realMs: number[] = [];
    await replay([file], {
      speed: 1,
      pacemaker,
      onEvent: (event) => {
        if (event.type === 'book-snapshot') pacemaker.elapsedMs += 1_500; // work, or a laptop asleep
        if (event.type === 'book-delta') realMs.push(Math.round(pacemaker.elapsedMs));
      },
    });
    expect(realMs).toEqual([1_600, 3_100]);
  });

  it('skips recorded silence, though the market clock passes through it', async () => {
    const quiet = folder.write([open(0), rest(100, 2), diff(1_100, 3, 3), diff(301_100, 4, 4)]);
    const { seen, run } = await paced(quiet, 1);
    expect(seen.map(([, market]) => market)).toEqual([100, 1_100, 301_100]);
    expect(seen[2]![0] - seen[1]![0]).toBe(5_000);
    expect(run.clock.now()).toBe(T0 + 301_100);
  });

  it.each([1, 10, Infinity])(
    'jumps over days between files at speed %d, without living through them',
    async (speed) => {
      const DAYS_MS = 100 * 86_400_000;
      const later = folder.write([
        open(DAYS_MS),
        rest(DAYS_MS + 100, 2, { s: 'ETHUSDT' }),
        diff(DAYS_MS + 500, 3, 3, { s: 'ETHUSDT' }),
      ]);
      const pacemaker = new FakePacemaker();
      const run = await prepareReplay([later, file], { speed, pacemaker });
      let ticks = 0;
      every(run.clock, 1_000, () => (ticks += 1));
      await run.feed.start(run.observer.context);
      expect(await run.ended).toBeNull();
      await run.feed.stop();
      expect(run.observer.isLive('ETHUSDT')).toBe(true);
      expect(run.observer.market('BTCUSDT').states).toEqual(['syncing', 'live']);
      expect(ticks).toBeLessThan(10);
      expect(pacemaker.elapsedMs).toBeLessThan(5_000);
    },
  );

  it('fires the timers of a quiet market on the way, at their own times', async () => {
    const quiet = folder.write([open(0), rest(100, 2), diff(20_100, 3, 3)]);
    const states: [string, number][] = [];
    await replay([quiet], {
      speed: 2,
      onEvent: (event) => {
        if (event.type === 'book-status') states.push([event.state, event.timeMs - T0]);
      },
    });
    expect(states).toEqual([
      ['syncing', 0],
      ['live', 5_100],
    ]);
  });

  it('can be stopped while it sleeps', async () => {
    const asleep = Promise.withResolvers<void>();
    const run = await prepareReplay([file], {
      speed: 1,
      pacemaker: {
        nowMs: () => 0,
        sleep(_delayMs, signal) {
          asleep.resolve();
          return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
        },
      },
    });
    await run.feed.start(run.observer.context);
    await asleep.promise;
    await run.feed.stop();
    expect(run.observer.market('BTCUSDT').snapshots).toBe(0);
  });
});
