import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '@depthwire/feeds';
import {
  DepthwireClient,
  LatencyMeter,
  type Clock,
  type EpochMs,
  type OpenWebSocket,
} from '@depthwire/shared';
import { WebSocket } from 'ws';
import { ScriptedFeed, testInstrument } from '../../test/markets.ts';
import { serve } from '../../test/server.ts';

/** How far this machine's clock is ahead of the server's. */
const SKEW_MS = 60_000;
const skewedClock: Clock = {
  now: () => (systemClock.now() + SKEW_MS) as EpochMs,
  at: (timeMs, task) => systemClock.at(timeMs - SKEW_MS, task),
};
const openWebSocket: OpenWebSocket = (url, protocols) =>
  new WebSocket(url, protocols) as unknown as ReturnType<OpenWebSocket>;

async function measure(origin: 'live' | 'replayed' = 'live', window?: number) {
  const feed = new ScriptedFeed('scripted', [testInstrument('test:AAA-USD', { origin })]);
  const { ws } = await serve({}, feed);
  const client = new DepthwireClient({ url: ws, clock: skewedClock, openWebSocket });
  onTestFinished(() => client.close());
  client.connect();
  const book = client.book('test:AAA-USD', { cadenceMs: 0 });
  const meter = new LatencyMeter(client, book, window);
  await vi.waitFor(() => expect([book.state, client.clockOffsetMs !== null]).toEqual(['live', true]));
  /** An update that the venue sent so long ago. */
  const update = async (venueLagMs: number | null, lots: number) => {
    const now = systemClock.now();
    feed.emit({
      type: 'book-delta',
      instrument: 'test:AAA-USD',
      receiveTimeMs: now,
      venueTimeMs: venueLagMs === null ? null : ((now - venueLagMs) as EpochMs),
      bids: [100, lots],
      asks: [],
    });
    await vi.waitFor(() => expect(book.book.bids.lotsAtPrice(100)).toBe(lots), { interval: 1 });
  };
  return { client, book, meter, update, feed };
}

describe('the way of an update', () => {
  test('is measured in its parts, across two clocks that disagree', async () => {
    const { client, book, meter, update } = await measure();
    expect(Math.abs(client.clockOffsetMs! + SKEW_MS)).toBeLessThanOrEqual(client.clockUncertaintyMs! + 20);
    expect(meter.latency).toEqual({ venue: null, server: null, network: null }); // a snapshot tells none
    const emittedAtMs = systemClock.now();
    await update(12, 50);
    const wholeMs = book.receivedAtMs! - SKEW_MS - emittedAtMs;
    const { venue, server, network } = meter.latency;
    expect(venue).toEqual({ last: 12, p50: 12, p99: 12, uncertaintyMs: null });
    expect(server!.uncertaintyMs).toBe(1);
    expect(server!.last).toBeLessThanOrEqual(wholeMs + 1);
    // The client's clock is corrected now and then, in steps of up to 20 ms.
    const unsureMs = network!.uncertaintyMs! + 20;
    expect(network!.uncertaintyMs).toBe(client.clockUncertaintyMs! + 1);
    expect(network!.last).toBeGreaterThanOrEqual(-unsureMs);
    expect(network!.last).toBeLessThanOrEqual(wholeMs + unsureMs);
  });

  test('has percentiles over the window, and ends when it is closed', async () => {
    const { meter, update } = await measure('live', 4);
    for (let lag = 1; lag <= 10; lag++) await update(lag, 100 + lag);
    expect(meter.latency.venue).toMatchObject({ last: 10, p50: 8, p99: 10 });
    meter.close();
    await update(99, 500);
    expect(meter.latency.venue).toMatchObject({ last: 10, p99: 10 });
  });

  test('is not known where the venue gives no time, and over the network in a replay', async () => {
    const { meter, update } = await measure('replayed');
    await update(null, 50);
    expect(meter.latency).toMatchObject({ venue: null, server: { uncertaintyMs: 1 }, network: null });
  });

  test('forgets the offset of the clocks with the connection', async () => {
    const { client } = await measure();
    client.close();
    expect([client.clockOffsetMs, client.clockUncertaintyMs]).toEqual([null, null]);
  });
});
