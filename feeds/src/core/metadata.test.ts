import type { EpochMs } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import type { HttpQueue } from './http.ts';
import { fetchMetadata } from './metadata.ts';
import { VirtualClock } from './virtual-clock.ts';
import type { HttpCallback, MetadataList, VenueAdapter } from './venue.ts';

interface Venue {
  readonly lists?: readonly (string | MetadataList)[];
  readonly next?: (url: string, body: string) => string | null;
  /** Statuses by URL; default 200. */
  readonly statuses?: Readonly<Record<string, number>>;
}

/** Fetches over a venue whose answer to a URL is the URL itself. */
function fetchFrom({ lists = ['a', 'b'], next, statuses = {} }: Venue = {}) {
  const asked: string[] = [];
  const http = {
    get(url: string, callback: HttpCallback) {
      asked.push(url);
      const retryAfterMs = statuses[url] === 429 ? 7_000 : null;
      callback({ status: statuses[url] ?? 200, body: url, retryAfterMs, receiveTimeMs: 0 as EpochMs });
    },
  } as HttpQueue;
  const answers = fetchMetadata({
    adapter: { metadata: { via: 'http', urls: () => lists, next } } as unknown as VenueAdapter,
    market: 'spot',
    endpoints: { ws: '', rest: '' },
    symbols: [],
    http,
    clock: new VirtualClock(0),
    signal: new AbortController().signal,
  });
  return { asked, answers };
}

describe('fetchMetadata', () => {
  it('fetches each list', async () => {
    expect(await fetchFrom().answers).toEqual({ texts: ['a', 'b'], isPartial: false });
  });

  it('turns the pages of each list', async () => {
    const { answers } = fetchFrom({ next: (url, body) => (body.length < 3 ? `${url}+` : null) });
    expect((await answers).texts).toEqual(['a', 'a+', 'a++', 'b', 'b+', 'b++']);
  });

  it('gives up on a list without an end', async () => {
    expect((await fetchFrom({ next: (url) => url }).answers).texts).toHaveLength(100);
  });

  it('asks elsewhere where the venue does not know a list', async () => {
    const { answers, asked } = fetchFrom({
      lists: [{ url: 'a', otherwise: ['b', 'c'] }, 'd'],
      statuses: { a: 404, b: 500 },
    });
    expect(await answers).toEqual({ texts: ['c', 'd'], isPartial: false });
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
  });

  it('does without a list that is optional, and says so', async () => {
    const { answers } = fetchFrom({ lists: ['a', { url: 'b', isOptional: true }], statuses: { b: 403 } });
    expect(await answers).toEqual({ texts: ['a'], isPartial: true });
  });

  it.each([
    [
      'a list that has to be there',
      ['a', { url: 'b', otherwise: ['c'] }],
      { b: 404, c: 404 },
      'b answered 404',
    ],
    [
      'any list while the venue asks to wait',
      [{ url: 'a', otherwise: ['b'], isOptional: true }],
      { a: 429 },
      '429',
    ],
  ])('fails without %s', async (_name, lists, statuses, message) => {
    const { answers } = fetchFrom({ lists, statuses });
    await expect(answers).rejects.toMatchObject({
      code: 'venue_http',
      message: expect.stringContaining(message) as string,
    });
  });

  it('tells how long the venue asks to wait', async () => {
    await expect(fetchFrom({ statuses: { a: 429 } }).answers).rejects.toMatchObject({
      details: { status: 429, retryAfterMs: 7_000 },
    });
  });
});
