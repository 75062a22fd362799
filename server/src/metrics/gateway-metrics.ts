import type { Registry } from 'prom-client';
import type { Refusals } from '../access/refusals.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Hub } from '../gateway/hub.ts';
import { sampledCounter, sampledGauge, sampledHistogram } from './sampled.ts';

/** Connections, channels, and what went out to them. */
export function addGatewayMetrics(
  registry: Registry,
  { gateway, hub, refusals }: { gateway: Gateway; hub: Hub; refusals: Refusals },
): void {
  const { figures } = hub;
  const gauge = (
    name: string,
    help: string,
    label: string | null,
    read: Parameters<typeof sampledGauge>[2],
  ) =>
    sampledGauge(
      registry,
      { name: `depthwire_${name}`, help, labelNames: label === null ? [] : [label] },
      read,
    );
  const counter = (
    name: string,
    help: string,
    labelNames: string[],
    read: Parameters<typeof sampledCounter>[2],
  ) => sampledCounter(registry, { name: `depthwire_${name}`, help, labelNames }, read);

  gauge('connections', 'WebSocket connections that are open.', 'encoding', () =>
    Object.entries(gateway.census().connections).map(([encoding, count]) => [{ encoding }, count]),
  );
  gauge('lagging_sessions', 'Sessions of which a channel waits for a merged frame.', null, () => [
    [{}, gateway.census().lagging],
  ]);
  gauge('buffered_bytes', 'Bytes for clients that the network has not taken.', null, () => [
    [{}, gateway.census().bufferedBytes],
  ]);
  gauge('channels', 'Channels that are kept.', 'topic', () =>
    [...hub.census().channels].map(([topic, count]) => [{ topic }, count]),
  );
  gauge('lingering_channels', 'Channels kept for clients that lost their connection.', null, () => [
    [{}, hub.census().lingering],
  ]);
  gauge('subscriptions', 'Subscriptions of all sessions.', 'topic', () =>
    [...hub.census().subscriptions].map(([topic, count]) => [{ topic }, count]),
  );

  counter('sessions_opened_total', 'Sessions opened.', ['encoding'], () =>
    Object.entries(figures.opened).map(([encoding, { count }]) => [{ encoding }, count]),
  );
  counter('sessions_ended_total', 'Sessions ended, by WebSocket close code.', ['code'], () =>
    [...figures.ended].map(([code, count]) => [{ code }, count]),
  );
  counter('connections_refused_total', 'Upgraded connections refused, by close code.', ['code'], () =>
    [...figures.refused].map(([code, count]) => [{ code }, count]),
  );
  counter('requests_total', 'Requests over WebSockets, by outcome: ok or an error.', ['op', 'outcome'], () =>
    [...figures.requests].flatMap(([op, outcomes]) =>
      [...outcomes].map(([outcome, count]) => [{ op, outcome }, count] as const),
    ),
  );
  counter(
    'refusals_total',
    'Requests and connections refused, and whose they were.',
    ['code', 'kind', 'key'],
    () => [...refusals.counts].map(({ count, ...labels }) => [labels, count]),
  );
  const sent = [...entriesOf(figures.sent)].flatMap(([encoding, byTopic]) =>
    [...entriesOf(byTopic)].map(([topic, amount]) => ({ labels: { topic, encoding }, amount })),
  );
  counter('frames_sent_total', 'Messages sent; topic control for answers.', ['topic', 'encoding'], () =>
    sent.map(({ labels, amount }) => [labels, amount.frames]),
  );
  counter('sent_bytes_total', 'Bytes sent, WebSocket framing included.', ['topic', 'encoding'], () =>
    sent.map(({ labels, amount }) => [labels, amount.bytes]),
  );
  counter('sessions_lagged_total', 'Times that a session began to lag.', [], () => [[{}, figures.lagged]]);
  counter('resumes_total', 'Subscriptions of clients that came back.', ['topic', 'by'], () =>
    [...entriesOf(figures.resumes)].flatMap(([topic, counts]) =>
      [...entriesOf(counts)].map(([by, count]) => [{ topic, by }, count] as const),
    ),
  );
  counter('catch_ups_total', 'Frames that brought clients up that missed some.', ['topic', 'by'], () =>
    [...entriesOf(figures.catchUps)].flatMap(([topic, counts]) =>
      [...entriesOf(counts)].map(([by, count]) => [{ topic, by }, count] as const),
    ),
  );
  counter('missed_frames_total', 'Frames that those stood for.', ['topic'], () =>
    [...entriesOf(figures.missedFrames)].map(([topic, { count }]) => [{ topic }, count]),
  );
  counter('merged_updates_total', 'Book updates and trades that merged frames stood for.', ['topic'], () =>
    [...entriesOf(figures.mergedUpdates)].map(([topic, { count }]) => [{ topic }, count]),
  );
  sampledHistogram(
    registry,
    {
      name: 'depthwire_frame_wait_seconds',
      help: 'Engine to gateway: from taking the oldest update in a book frame to writing the frame.',
    },
    () => [[{}, figures.frameWait]],
  );
}

function entriesOf<Key extends string, Value>(record: Readonly<Record<Key, Value>>): [Key, Value][] {
  return Object.entries(record) as [Key, Value][];
}
