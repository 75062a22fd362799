import { describe, expect, test } from 'vitest';
import { FeedQuality } from './feed-quality.ts';

describe('FeedQuality', () => {
  test('knows nothing before the first event', () => {
    expect(new FeedQuality().figures()).toEqual({ eventsPerSecond: 0, stalenessMs: null, latencyMs: null });
  });

  test('tells the rate of the last ten full seconds', () => {
    const quality = new FeedQuality();
    const second = (events: number) => {
      for (let i = 0; i < events; i++) quality.event(null);
      quality.tick([]);
    };
    second(100);
    expect(quality.figures().eventsPerSecond).toBe(100);
    for (let i = 0; i < 10; i++) second(7);
    quality.event(null); // the running second does not count yet
    expect(quality.figures().eventsPerSecond).toBe(7);
    expect(quality.figures().latencyMs).toBeNull();
  });

  test('tells percentiles of what was measured lately, below zero too', () => {
    const quality = new FeedQuality();
    for (let i = 1; i <= 100; i++) quality.event(-i);
    quality.tick([5, 1, 3]);
    expect(quality.figures()).toMatchObject({
      latencyMs: { p50: -51, p99: -2 },
      stalenessMs: { p50: 3, p99: 5 },
    });
    for (let i = 0; i < 2_048; i++) quality.event(10);
    expect(quality.figures().latencyMs).toEqual({ p50: 10, p99: 10 });
  });
});
