import type { EpochMs } from '@depthwire/shared';
import { expect, test, vi } from 'vitest';
import { FeedObserver, fastClock, respondJson, startLoopbackServer } from '../kit/index.ts';
import { defineVenue } from './define-venue.ts';
import { guardCallback, guardSession } from './guarded-session.ts';
import { emptyStats } from './session-stats.ts';
import { createVenueFeed } from './venue-feed.ts';
import type { VenueSession } from './venue.ts';

const broken = (): never => {
  throw new TypeError('broken');
};
const brokenSession: VenueSession = {
  stats: emptyStats(),
  onOpen: broken,
  onFrame: broken,
  onClose: broken,
  resync: broken,
  update: broken,
  dispose: broken,
};

test('hands over what a session throws, whatever was asked of it', () => {
  const errors: unknown[] = [];
  const session = guardSession(brokenSession, (error) => errors.push(error));
  session.onOpen();
  session.onFrame('', 0 as EpochMs);
  session.onClose('');
  session.resync('', '');
  session.dispose();
  guardCallback(broken, (error) => errors.push(error))();
  expect(errors).toHaveLength(6);
  expect(session.stats).toEqual(emptyStats());
});

test('an adapter that throws fails its feed, and not the process', async () => {
  const server = await startLoopbackServer({
    onRequest: (_url, response) => respondJson(response, 200, {}),
    onSocket: (socket) => socket.send('{}'),
  });
  const adapter = defineVenue({
    venue: 'broken',
    markets: { spot: server },
    limits: { symbolsPerConnection: 1, sendSpacingMs: 0, httpSpacingMs: 0, silenceMs: 9_000, maxAgeMs: null },
    metadata: { via: 'http', urls: (_market, { rest }) => [rest] },
    parseMetadata: () => ({
      instruments: [
        {
          ...{ id: 'broken:A-B', venue: 'broken', symbol: 'AB', base: 'A', quote: 'B', name: 'A / B' },
          ...{ kind: 'spot', status: 'trading', origin: 'live', staleAfterMs: 1_000 },
          tick: { units: 1, decimals: 0 },
          lot: { units: 1, decimals: 0 },
        },
      ],
      refused: new Map(),
    }),
    socketUrl: (_market, { ws }) => ws,
    createSession: () => ({ ...brokenSession, onOpen() {}, dispose() {} }),
  });
  const feed = createVenueFeed(adapter, { market: 'spot', symbols: ['AB'] });
  const observer = new FeedObserver(fastClock(1));
  try {
    await feed.start(observer.context);
    await vi.waitFor(() => expect(observer.failures).toMatchObject([{ message: 'broken' }]), 5_000);
  } finally {
    await feed.stop();
    await server.close();
  }
  expect(() => adapter.guessInstrument('spot', 'AB', 0, 0)).toThrow('does not tell instruments');
});
