import { findVenue, inspectCapture, readCapture } from '@depthwire/feeds';
import type { Instrument } from '@depthwire/shared';
import { createRandom } from '../harness/random.ts';

export const MARKET = 'usdm';
export const venue = findVenue('binance');

/** What reached a recorder, in order of arrival. */
export type Arrival =
  | { readonly kind: 'frame'; readonly text: string }
  | { readonly kind: 'snapshot'; readonly symbol: string; readonly body: string };

export interface Recording {
  readonly instruments: readonly Instrument[];
  readonly arrivals: readonly Arrival[];
  /** Level updates in its depth frames. */
  readonly levels: number;
}

/** Of the streams that a file has, those that our session would subscribe, or the books' alone. */
export type Streams = 'books' | 'books and trades';

export async function readRecording(file: string, streams: Streams): Promise<Recording> {
  const wanted = streams === 'books' ? /@depth@/ : /@(?:depth|trade|aggTrade)\b/;
  const { instruments } = await inspectCapture(file);
  const arrivals: Arrival[] = [];
  for await (const records of readCapture(file)) {
    for (const { kind, url, data } of records) {
      if (kind === 'in') {
        if (wanted.test(data)) arrivals.push({ kind: 'frame', text: data });
      } else if (kind === 'rest') {
        const symbol = venue.capture.snapshotSymbol(url, MARKET);
        if (symbol !== null) arrivals.push({ kind: 'snapshot', symbol, body: data });
      }
    }
  }
  return { instruments, arrivals, levels: countLevels(arrivals) };
}

export interface GeneratedSize {
  readonly frames: number;
  readonly seed: number;
}

const MIDDLE_TICKS = 640_000;
const SNAPSHOT_LEVELS = 1_000;

/** A market in frames of the same form as the recorded ones, for where there are none; the same for the same seed. */
export function generateRecording({ frames, seed }: GeneratedSize): Recording {
  const random = createRandom(seed);
  const instrument = venue.guessInstrument(MARKET, 'BTCUSDT', 1, 3);
  const level = (sign: 1 | -1): [string, string] => {
    const isNear = random() < 0.8;
    const ticks = MIDDLE_TICKS + sign * (1 + Math.floor(random() * (isNear ? 20 : SNAPSHOT_LEVELS)));
    const lots = random() < 0.27 ? 0 : 1 + Math.floor(random() * 50_000);
    return [`${(ticks / 10).toFixed(1)}0`, (lots / 1_000).toFixed(3)];
  };
  const side = (sign: 1 | -1) => Array.from({ length: Math.floor(random() * 40) }, () => level(sign));
  const whole = (sign: 1 | -1) =>
    Array.from({ length: SNAPSHOT_LEVELS }, (_, rank) => [
      ((MIDDLE_TICKS + sign * (rank + 1)) / 10).toFixed(1),
      '1.500',
    ]);
  const snapshot = { lastUpdateId: 1_000, bids: whole(-1), asks: whole(1) };
  const arrivals: Arrival[] = [
    { kind: 'snapshot', symbol: instrument.symbol, body: JSON.stringify(snapshot) },
  ];
  for (let i = 0; i < frames; i++) {
    const id = 1_000 + i;
    const timeMs = 1_721_347_000_000 + i * 50;
    const data = {
      e: 'depthUpdate',
      E: timeMs,
      T: timeMs,
      s: instrument.symbol,
      U: id,
      u: id + 1,
      pu: id,
      b: side(-1),
      a: side(1),
    };
    arrivals.push({ kind: 'frame', text: JSON.stringify({ stream: 'btcusdt@depth@0ms', data }) });
  }
  // A text that was put together is read more slowly than one that came over the wire.
  const flat = arrivals.map((arrival) => JSON.parse(JSON.stringify(arrival)) as Arrival);
  return { instruments: [instrument], arrivals: flat, levels: countLevels(flat) };
}

function countLevels(arrivals: readonly Arrival[]): number {
  let levels = 0;
  for (const arrival of arrivals) {
    if (arrival.kind !== 'frame') continue;
    const { data } = JSON.parse(arrival.text) as { data?: { e?: string; a: unknown[]; b: unknown[] } };
    if (data?.e === 'depthUpdate') levels += data.a.length + data.b.length;
  }
  return levels;
}
