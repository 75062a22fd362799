import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { DepthwireError, FeedEvent } from '@depthwire/shared';
import { VirtualClock } from '../core/virtual-clock.ts';
import { FeedObserver, type ObservedMarket, type TextLevel } from '../kit/index.ts';
import type { CaptureSelection } from './inspect.ts';
import type { CaptureRecord } from './read.ts';
import {
  createReplayFeed,
  firstTimeMs,
  inspectCaptures,
  type Pacemaker,
  type ReplayOptions,
} from './replay.ts';

/** A round time, so that tests can count from it. */
export const T0 = 1_700_000_000_000;

export type Line = Partial<CaptureRecord> & Pick<CaptureRecord, 't' | 'kind'>;

const SPOT_URL = 'wss://stream.binance.com:9443/stream';
export const USDM_URL = 'wss://fstream.binance.com/stream';

export const open = (atMs: number, conn = 'ws.1', url = SPOT_URL): Line => ({
  t: T0 + atMs,
  conn,
  kind: 'open',
  url,
});

export const frame = (atMs: number, data: object | string, conn = 'ws.1'): Line => ({
  t: T0 + atMs,
  conn,
  kind: 'in',
  data: typeof data === 'string' ? data : JSON.stringify(data),
});

export function diff(
  atMs: number,
  U: number,
  u: number,
  sides: { b?: TextLevel[]; a?: TextLevel[]; s?: string; conn?: string; pu?: number } = {},
): Line {
  const { s = 'BTCUSDT', b = [['1.00', '0.000']], a = [], conn, pu } = sides;
  return frame(
    atMs,
    {
      stream: `${s.toLowerCase()}@depth`,
      data: { e: 'depthUpdate', E: T0 + Math.floor(atMs), s, U, u, pu, b, a },
    },
    conn,
  );
}

export function trade(atMs: number, kind: 'trade' | 'aggTrade', id: number, s = 'BTCUSDT'): Line {
  const data = {
    e: kind,
    E: T0 + atMs,
    s,
    [kind === 'trade' ? 't' : 'a']: id,
    p: '100.00',
    q: '0.500',
    T: T0 + atMs,
    m: true,
  };
  return frame(atMs, { stream: `${s.toLowerCase()}@${kind}`, data });
}

export function rest(
  atMs: number,
  lastUpdateId: number,
  {
    s = 'BTCUSDT',
    bids = [['100.00', '1.000']],
    asks = [['100.01', '2.000']],
  }: { s?: string; bids?: TextLevel[]; asks?: TextLevel[] } = {},
): Line {
  const url = `https://api.binance.com/api/v3/depth?symbol=${s}&limit=1000`;
  return {
    t: T0 + atMs,
    conn: 'rest',
    kind: 'rest',
    url,
    data: JSON.stringify({ lastUpdateId, bids, asks }),
  };
}

export const toJsonl = (lines: readonly Line[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

/** A folder for the captures of one test file. */
export class CaptureFolder {
  readonly #path = mkdtempSync(join(tmpdir(), 'depthwire-captures-'));
  #count = 0;

  /** @returns the file's path */
  write(content: string | Buffer | readonly Line[], name = `capture-${(this.#count += 1)}.jsonl.gz`): string {
    const file = join(this.#path, name);
    const bytes = typeof content === 'string' || Buffer.isBuffer(content) ? content : toJsonl(content);
    writeFileSync(file, typeof bytes === 'string' && name.endsWith('.gz') ? gzipSync(bytes) : bytes);
    return file;
  }

  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
  }
}

/** Real time that only passes when the replay sleeps. */
export class FakePacemaker implements Pacemaker {
  elapsedMs = 0;
  readonly sleeps: number[] = [];

  nowMs(): number {
    return this.elapsedMs;
  }

  sleep(delayMs: number): Promise<void> {
    this.sleeps.push(delayMs);
    this.elapsedMs += delayMs;
    return Promise.resolve();
  }
}

export interface ReplaySetup extends Partial<Omit<ReplayOptions, 'captures' | 'clock'>> {
  readonly selection?: CaptureSelection;
  onEvent?(event: FeedEvent, market: ObservedMarket): void;
}

export async function prepareReplay(
  files: readonly string[],
  { selection = {}, onEvent, ...options }: ReplaySetup = {},
) {
  const captures = await inspectCaptures(files, selection);
  const clock = new VirtualClock(firstTimeMs(captures));
  const observer = new FeedObserver(clock, onEvent);
  const end = Promise.withResolvers<DepthwireError | null>();
  const feed = createReplayFeed({
    speed: Infinity,
    afterEnd: 'stop',
    pacemaker: new FakePacemaker(),
    ...options,
    captures,
    clock,
    onEnd: end.resolve,
  });
  return { captures, clock, observer, feed, ended: end.promise };
}

/** Plays captures to their end; an error of the replay fails the test. */
export async function replay(files: readonly string[], setup: ReplaySetup = {}) {
  const run = await prepareReplay(files, setup);
  await run.feed.start(run.observer.context);
  const error = await run.ended;
  if (error) throw error;
  await run.feed.stop();
  return { ...run, stats: run.feed.stats() };
}
