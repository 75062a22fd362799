import type { Registry } from 'prom-client';
import { emptyStats, type Feed, type SessionStats } from '@depthwire/feeds';
import type { Engine, FeedCounters } from '../engine/engine.ts';
import type { FeedFigures } from '../engine/feed-quality.ts';
import type { FeedStatus, FeedSupervisor } from '../engine/feed-supervisor.ts';
import { sampledCounter, sampledGauge, sampledHistogram } from './sampled.ts';

const states: readonly FeedStatus['state'][] = ['starting', 'running', 'failed'];
/** What the sessions of a venue count, each with its name here. */
const sourceNames: Readonly<Record<keyof SessionStats, string>> = {
  frames: 'frames',
  bookUpdates: 'book_updates',
  trades: 'trades',
  malformed: 'malformed_frames',
  links: 'links',
  gaps: 'gaps',
  checksumsOk: 'checksums_ok',
  checksumsBad: 'checksums_bad',
  resyncs: 'resyncs',
};

/** What each feed brings and how good it is. Labels are feed ids, which are the configuration's. */
export function addFeedMetrics(registry: Registry, engine: Engine, supervisor: FeedSupervisor): void {
  const labelled = (name: string, help: string, ...more: string[]) => ({
    name: `depthwire_${name}`,
    help,
    labelNames: ['feed', ...more],
  });
  /** A series of each feed; none where there is nothing to tell. */
  const each = (read: (feed: Feed) => number | null | undefined) => () =>
    [...supervisor.statuses.keys()].flatMap((feed) => {
      const value = read(feed);
      return value == null ? [] : [[{ feed: feed.id }, value] as const];
    });
  const counters = (feed: Feed): Readonly<FeedCounters> | undefined => engine.feeds.get(feed);
  const percentiles = (key: keyof FeedFigures & `${string}Ms`) => () =>
    [...supervisor.statuses.keys()].flatMap((feed) => {
      const found = counters(feed)?.quality.figures()[key];
      if (!found) return [];
      return (['0.5', '0.99'] as const).map(
        (quantile) =>
          [{ feed: feed.id, quantile }, found[quantile === '0.5' ? 'p50' : 'p99'] / 1000] as const,
      );
    });

  sampledGauge(registry, labelled('feed_state', '1 for the state the feed is in.', 'state'), () =>
    [...supervisor.statuses].flatMap(([feed, status]) =>
      states.map((state) => [{ feed: feed.id, state }, Number(status.state === state)] as const),
    ),
  );
  sampledGauge(registry, labelled('feed_books', 'Books in each state.', 'state'), () =>
    [...supervisor.statuses.keys()].flatMap((feed) =>
      Object.entries(engine.countBooks(feed)).map(
        ([state, count]) => [{ feed: feed.id, state }, count] as const,
      ),
    ),
  );
  sampledCounter(
    registry,
    labelled('feed_events_total', 'Events taken since the feed’s last start.'),
    each((feed) => counters(feed)?.events),
  );
  sampledCounter(
    registry,
    labelled('feed_refused_events_total', 'Events that the engine could not accept.'),
    each((feed) => counters(feed)?.refused),
  );
  sampledCounter(
    registry,
    labelled('feed_reconnects_total', 'Connections to the venue lost and made anew.'),
    each((feed) => feed.reconnects?.()),
  );
  for (const key of Object.keys(emptyStats()) as (keyof SessionStats)[]) {
    sampledCounter(
      registry,
      labelled(`feed_${sourceNames[key]}_total`, `What the feed’s sessions counted: ${key}.`),
      each((feed) => feed.stats?.()[key]),
    );
  }
  sampledGauge(
    registry,
    labelled('feed_book_age_seconds', 'Age of the newest update of each book, lately.', 'quantile'),
    percentiles('stalenessMs'),
  );
  sampledGauge(
    registry,
    labelled('feed_venue_lag_seconds', 'Receive time less venue time, lately; may be below 0.', 'quantile'),
    percentiles('latencyMs'),
  );
  const hop = (key: 'venueLatency' | 'engineWait') => () =>
    [...engine.feeds].map(([feed, { quality }]) => [{ feed: feed.id }, quality[key]] as const);
  sampledHistogram(
    registry,
    labelled('venue_latency_seconds', 'Venue to adapter: receive time less venue time of events.'),
    hop('venueLatency'),
  );
  sampledHistogram(
    registry,
    labelled('engine_wait_seconds', 'Adapter to engine: from receiving a book update to taking it.'),
    hop('engineWait'),
  );
}
