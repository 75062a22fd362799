import type { Registry } from 'prom-client';
import type { BusFigures } from '../bus/bus-figures.ts';
import type { BusReport } from '../engine/market-source.ts';
import { sampledCounter, sampledGauge, sampledHistogram } from './sampled.ts';

/** What goes over the bus that joins processes. Labels are feed ids, which are the configuration's. */
export function addBusMetrics(registry: Registry, figures: BusFigures, report: () => BusReport | null): void {
  const counter = (name: string, help: string, read: () => number) =>
    sampledCounter(registry, { name: `depthwire_bus_${name}_total`, help }, () => [[{}, read()]]);
  const perFeed = (name: string, help: string, read: (feed: BusReport['feeds'][number]) => number | null) =>
    sampledGauge(registry, { name: `depthwire_bus_${name}`, help, labelNames: ['feed'] }, () =>
      (report()?.feeds ?? []).flatMap((feed) => {
        const value = read(feed);
        return value === null ? [] : [[{ feed: feed.feed }, value] as const];
      }),
    );

  sampledGauge(
    registry,
    { name: 'depthwire_bus_connected', help: '1 while the bus is connected, else 0.' },
    () => [[{}, Number(report()?.connected ?? false)]],
  );
  counter('published_messages', 'Messages that this ingest sent to lanes.', () => figures.publishedMessages);
  counter('published_bytes', 'Bytes of them.', () => figures.publishedBytes);
  counter(
    'dropped_messages',
    'Messages that were not sent, which gateways see.',
    () => figures.droppedMessages,
  );
  counter(
    'received_messages',
    'Messages of lanes that came to this gateway.',
    () => figures.receivedMessages,
  );
  counter('received_bytes', 'Bytes of them.', () => figures.receivedBytes);
  counter(
    'unreadable_messages',
    'Messages of another version, or that could not be read.',
    () => figures.unreadable,
  );
  counter('fenced_messages', 'Messages of an ingest that leads no more, left alone.', () => figures.fenced);
  counter('gaps', 'Messages of a lane that were missed, runs of them.', () => figures.gaps);
  counter('resyncs_asked', 'Whole books that this gateway asked for.', () => figures.resyncsAsked);
  counter('resyncs_answered', 'Whole books that this ingest gave.', () => figures.resyncsAnswered);
  perFeed(
    'epoch',
    'Epoch under which the feed is led; at an ingest only where it leads it.',
    ({ epoch }) => epoch,
  );
  perFeed(
    'silent_lanes',
    'Lanes of the feed that this gateway does not hear.',
    ({ silentLanes }) => silentLanes,
  );
  sampledHistogram(
    registry,
    {
      name: 'depthwire_bus_lag_seconds',
      help: 'From sending a message to taking it, by the machines’ clocks.',
    },
    () => [[{}, figures.lag]],
  );
}
