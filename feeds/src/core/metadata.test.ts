import type { EpochMs } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import type { HttpQueue } from './http.ts';
import { fetchMetadata } from './metadata.ts';
import { VirtualClock } from './virtual-clock.ts';
import type { HttpCallback, VenueAdapter } from './venue.ts';

/** Fetches over a venue whose answer to a URL is the URL itself. */
function fetchFrom(next?: (url: string, body: string) => string | null) {
  const asked: string[] = [];
  const http = {
    get(url: string, callback: HttpCallback) {
      asked.push(url);
      callback({ status: 200, body: url, retryAfterMs: null, receiveTimeMs: 0 as EpochMs });
    },
  } as HttpQueue;
  const texts = fetchMetadata({
    adapter: { metadata: { via: 'http', urls: () => ['a', 'b'], next } } as unknown as VenueAdapter,
    market: 'spot',
    endpoints: { ws: '', rest: '' },
    symbols: [],
    http,
    clock: new VirtualClock(0),
    signal: new AbortController().signal,
  });
  return { asked, texts };
}

describe('fetchMetadata', () => {
  it('fetches each list', async () => {
    expect(await fetchFrom().texts).toEqual(['a', 'b']);
  });

  it('turns the pages of each list', async () => {
    const { texts } = fetchFrom((url, body) => (body.length < 3 ? `${url}+` : null));
    expect(await texts).toEqual(['a', 'a+', 'a++', 'b', 'b+', 'b++']);
  });

  it('gives up on a list without an end', async () => {
    const { texts } = fetchFrom((url) => url);
    expect(await texts).toHaveLength(100);
  });
});
