import type { Feed, VenueDefinition } from '@depthwire/feeds';

const FEED_ID = /^[a-z0-9-]{1,40}$/;
const VENUE_ID = /^[a-z0-9-]{1,32}$/;

export const isFeedId = (value: unknown): boolean => typeof value === 'string' && FEED_ID.test(value);

/** What is wrong with what should be a feed; null where nothing is. */
export function feedProblem(value: unknown): string | null {
  if (typeof value === 'object' && value !== null && 'then' in value)
    return 'the factory gave a promise: return the feed itself, and do what takes time in its start';
  if (!isRecord(value))
    return `the factory must return a feed, { id, start, stop }, and returned ${show(value)}`;
  const feed = value as Partial<Record<keyof Feed, unknown>>;
  if (typeof feed.id !== 'string' || !FEED_ID.test(feed.id))
    return `the feed's id: expected up to 40 small letters, digits and dashes, got ${show(feed.id)}`;
  for (const key of ['start', 'stop'] as const) {
    if (typeof feed[key] !== 'function')
      return `the feed's ${key}: expected a function, got ${show(feed[key])}`;
  }
  for (const key of [
    'resync',
    'candles',
    'candlesFromS',
    'trades',
    'stats',
    'problems',
    'reconnects',
  ] as const) {
    if (feed[key] !== undefined && typeof feed[key] !== 'function')
      return `the feed's ${key}: expected a function or nothing, got ${show(feed[key])}`;
  }
  return null;
}

/** What is wrong with what should be a venue's adapter; null where nothing is. */
export function venueProblem(value: Record<string, unknown>): string | null {
  const venue = value as Partial<Record<keyof VenueDefinition, unknown>>;
  const wrong = (key: string, expected: string, got: unknown) =>
    `the adapter's ${key}: expected ${expected}, got ${show(got)}`;
  if (typeof venue.venue !== 'string' || !VENUE_ID.test(venue.venue))
    return wrong('venue', 'up to 32 small letters, digits and dashes', venue.venue);
  if (!isRecord(venue.markets) || Object.keys(venue.markets).length === 0)
    return wrong(
      'markets',
      "endpoints by market, such as { spot: { ws: 'wss://…', rest: 'https://…' } }",
      venue.markets,
    );
  for (const [market, endpoints] of Object.entries(venue.markets)) {
    for (const [key, protocol] of [
      ['ws', /^wss?:\/\/.*[^/]$/],
      ['rest', /^https?:\/\/.*[^/]$/],
    ] as const) {
      const url: unknown = isRecord(endpoints) ? endpoints[key] : undefined;
      if (typeof url !== 'string' || !protocol.test(url) || !URL.canParse(url))
        return wrong(
          `markets.${market}.${key}`,
          `a ${key === 'ws' ? 'ws' : 'http'} URL without a slash at the end`,
          url,
        );
    }
  }
  const limits = isRecord(venue.limits) ? venue.limits : {};
  for (const [key, min] of [
    ['symbolsPerConnection', 1],
    ['sendSpacingMs', 0],
    ['httpSpacingMs', 0],
    ['silenceMs', 1],
  ] as const) {
    const limit = limits[key];
    if (typeof limit !== 'number' || !(limit >= min))
      return wrong(`limits.${key}`, `a number from ${min} up`, limit);
  }
  const { maxAgeMs } = limits;
  if (maxAgeMs !== null && !(typeof maxAgeMs === 'number' && maxAgeMs > 0))
    return wrong(
      'limits.maxAgeMs',
      'milliseconds, or null where the venue ends no connection for its age',
      maxAgeMs,
    );
  const problem = metadataProblem(venue.metadata);
  if (problem !== null) return problem;
  for (const key of ['parseMetadata', 'socketUrl', 'createSession'] as const) {
    if (typeof venue[key] !== 'function') return wrong(key, 'a function', venue[key]);
  }
  if (venue.guessInstrument !== undefined && typeof venue.guessInstrument !== 'function')
    return wrong('guessInstrument', 'a function or nothing', venue.guessInstrument);
  return venue.past === undefined ? null : pastProblem(venue.past);
}

function pastProblem(past: unknown): string | null {
  const told = isRecord(past) ? past : {};
  const wrong = (key: string, expected: string) =>
    `the adapter's past.${key}: expected ${expected}, got ${show(told[key])}`;
  for (const key of ['intervals', 'candles'] as const)
    if (typeof told[key] !== 'function') return wrong(key, 'a function');
  for (const key of ['trades', 'isSigned'] as const)
    if (told[key] !== undefined && typeof told[key] !== 'function')
      return wrong(key, 'a function or nothing');
  return typeof told.spacingMs === 'number' && told.spacingMs >= 0
    ? null
    : wrong('spacingMs', 'a number from 0 up');
}

function metadataProblem(metadata: unknown): string | null {
  const source = isRecord(metadata) ? metadata : {};
  switch (source.via) {
    case 'http':
      return typeof source.urls === 'function'
        ? null
        : `the adapter's metadata.urls: expected a function, got ${show(source.urls)}`;
    case 'socket':
      if (typeof source.request !== 'string')
        return `the adapter's metadata.request: expected a text, got ${show(source.request)}`;
      return typeof source.isAnswer === 'function'
        ? null
        : `the adapter's metadata.isAnswer: expected a function, got ${show(source.isAnswer)}`;
    default:
      return `the adapter's metadata.via: expected 'http' or 'socket', got ${show(source.via)}`;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function show(value: unknown): string {
  if (value == null) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
