import { setTimeout as delay } from 'node:timers/promises';
import type { Comparison } from '../harness/book-notes.ts';
import { Durations } from '../harness/durations.ts';
import type { ServerMemory, ServerUse } from '../harness/probe.ts';
import { compareBooks, scrape } from '../harness/rest.ts';
import type { Crowd } from './crowd.ts';

/** Milliseconds. */
export interface Span {
  /** What compiles, connects or is collected before and after is over by then. */
  readonly settleMs: number;
  readonly measureMs: number;
}

const SCRAPE_EVERY_MS = 2_000;
const CATCH_UP_LIMIT_MS = 50_000;
const POLL_MS = 100;

/** Milliseconds. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

export interface Stretch {
  readonly isSlow: boolean;
  /** From the engine's taking the oldest update of a frame to its being read by one of the others. */
  readonly latency: Quantiles;
  /** From the sending of a frame. */
  readonly transit: Quantiles;
  readonly framesPerSecond: number;
  readonly server: ServerUse;
  readonly memory: ServerMemory;
  /** Of the server that nobody reads. */
  readonly memoryAlone: ServerMemory;
  /** Of the processes of the clients, as parts of one core. */
  readonly clientsCpu: number;
  /** Most that the server had for clients at any one time that was looked at, bytes. */
  readonly buffered: number;
  /** Most sessions that lagged. */
  readonly lagging: number;
  readonly mergedFrames: number;
  readonly mergedUpdates: number;
  /** Age of the oldest update in any merged frame, milliseconds. */
  readonly oldestMs: number;
  /** Connections that broke. */
  readonly broken: number;
  readonly books: Comparison;
}

/**
 * Measures the clients that keep up, for a while, beside the slow ones or without them. Slow ones then read
 * again, and all books are compared.
 */
export async function runStretch(crowd: Crowd, isSlow: boolean, span: Span): Promise<Stretch> {
  const { settleMs, measureMs } = span;
  const { server, readers, churners } = crowd;
  if (isSlow) await crowd.join();
  await delay(settleMs);
  if (isSlow) await readers.at(-1)!.ask('slowDown');
  const before = await scrape(server.http);
  await Promise.all(readers.map((each) => each.ask('begin')));
  if (isSlow) await churners.ask('begin');
  await server.probe.ask('begin');
  const seen = { buffered: 0, lagging: 0 };
  for (let elapsedMs = 0; elapsedMs < measureMs; elapsedMs += SCRAPE_EVERY_MS) {
    await delay(Math.min(SCRAPE_EVERY_MS, measureMs - elapsedMs));
    const now = await scrape(server.http);
    seen.buffered = Math.max(seen.buffered, now.get('depthwire_buffered_bytes')!);
    seen.lagging = Math.max(seen.lagging, now.get('depthwire_lagging_sessions')!);
  }
  const use = await server.probe.ask('end');
  const read = await Promise.all(readers.map((each) => each.ask('end')));
  const churn = isSlow ? await churners.ask('end') : { broken: 0, cpu: 0 };
  if (isSlow) await catchUp(crowd);
  const after = await scrape(server.http);
  const books = await compareBooks(server.http, crowd.instruments, [
    ...readers,
    ...(isSlow ? [churners] : []),
  ]);
  // By then the slow ones have read it all.
  const caughtUp = await Promise.all(readers.map((each) => each.ask('caughtUp')));
  if (isSlow) await crowd.leave();
  await delay(settleMs);
  const memory = await server.probe.ask('memory');
  const memoryAlone = await crowd.alone.probe.ask('memory');
  const rise = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  return {
    isSlow,
    latency: quantilesOf(read.map(({ latency }) => latency)),
    transit: quantilesOf(read.map(({ transit }) => transit)),
    framesPerSecond: read.reduce((sum, { frames, seconds }) => sum + frames / seconds, 0),
    server: use,
    memory,
    memoryAlone,
    clientsCpu: read.reduce((sum, { cpu }) => sum + cpu, churn.cpu),
    ...seen,
    mergedFrames: caughtUp.reduce((sum, { merged }) => sum + merged, 0),
    mergedUpdates: rise('depthwire_merged_updates_total'),
    oldestMs: Math.max(...caughtUp.map(({ oldestMs }) => oldestMs)),
    broken: churn.broken,
    books,
  };
}

function quantilesOf(histograms: readonly Uint32Array[]): Quantiles {
  const all = new Durations();
  for (const counts of histograms) all.addAll(counts);
  return { p50: all.quantile(0.5), p99: all.quantile(0.99) };
}

/** Resolves once those that were slow have read all that waited for them. */
async function catchUp({ server, readers }: Crowd): Promise<void> {
  await readers.at(-1)!.ask('hurry');
  const end = performance.now() + CATCH_UP_LIMIT_MS;
  for (;;) {
    const now = await scrape(server.http);
    if (now.get('depthwire_lagging_sessions') === 0 && now.get('depthwire_buffered_bytes') === 0) break;
    if (performance.now() > end) throw new Error('clients that read again do not catch up');
    await delay(POLL_MS);
  }
}
