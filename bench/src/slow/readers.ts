// The clients that read: those who are measured, and those who are slow.
import { BookNotes, type Checksums, type Comparison } from '../harness/book-notes.ts';
import { Durations } from '../harness/durations.ts';
import { nowMs, Usage } from '../harness/usage.ts';
import { answerParent } from '../harness/worker.ts';
import { Reader, type Pace, type ReaderOptions } from './reader.ts';

/** How long slow clients are looked at to see what a tenth is, milliseconds. */
const RATE_MS = 2_000;

export interface Group {
  readonly name: string;
  readonly pace: Pace;
}

export interface ConnectOptions
  extends Group, Pick<ReaderOptions, 'url' | 'encoding' | 'depths' | 'cadenceMs'> {
  /** Instruments of each client. */
  readonly clients: readonly (readonly string[])[];
}

export interface Read {
  /** Histograms of `Durations`: from the engine's taking the oldest update in a frame to its being read here. */
  readonly latency: Uint32Array;
  /** From the sending of a frame. */
  readonly transit: Uint32Array;
  readonly frames: number;
  readonly bytes: number;
  /** Merged frames of slow clients, and the age of the oldest update in any of theirs, milliseconds. */
  readonly merged: number;
  readonly oldestMs: number;
  readonly cpu: number;
  readonly seconds: number;
}

const usage = new Usage();
const notes = new BookNotes();
const groups = new Map<string, { pace: Pace; readers: Reader[] }>();
const latency = new Durations();
const transit = new Durations();
let isMeasuring = false;
let counted = { fromMs: 0, frames: 0, merged: 0, oldestMs: 0, bytes: 0 };
let failure: string | null = null;

const methods = {
  /** Resolves once all of the group have their books; slow ones then read as slowly as they shall. */
  async connect({ clients, name, pace, ...options }: ConnectOptions): Promise<void> {
    const readers: Reader[] = [];
    groups.set(name, { pace, readers });
    for (const instruments of clients) {
      const reader = new Reader({
        ...options,
        instruments,
        isSlow: pace !== 'all',
        onFrame: pace === 'all' ? onFrame : onSlowFrame,
        onFailure,
      });
      readers.push(reader);
      await reader.ready.promise;
    }
  },

  /** Slow ones read slowly from now on. */
  async slowDown(): Promise<void> {
    const slow = [...groups.values()].filter(({ pace }) => pace !== 'all');
    const all = slow.flatMap(({ readers }) => readers);
    const before = new Map(all.map((reader) => [reader, reader.bytes]));
    await new Promise((resolve) => setTimeout(resolve, RATE_MS));
    for (const { pace, readers } of slow)
      for (const reader of readers)
        reader.setPace(pace, (reader.bytes - before.get(reader)!) / (RATE_MS / 1000));
  },

  /**
   * Slow ones read all there is again, and go on with one depth of each book: one process cannot read all that
   * they asked for.
   */
  hurry(): void {
    for (const { pace, readers } of groups.values())
      if (pace !== 'all')
        for (const reader of readers) {
          reader.setPace('all', 0);
          reader.lighten();
        }
  },

  leave(name: string): void {
    for (const reader of groups.get(name)!.readers) reader.close();
    groups.delete(name);
  },

  begin(): void {
    latency.reset();
    transit.reset();
    counted = { fromMs: nowMs(), frames: 0, merged: 0, oldestMs: 0, bytes: bytesRead() };
    isMeasuring = true;
    usage.begin();
  },

  end(): Read {
    isMeasuring = false;
    expectNoFailure();
    return {
      latency: latency.counts,
      transit: transit.counts,
      frames: counted.frames,
      bytes: bytesRead() - counted.bytes,
      merged: counted.merged,
      oldestMs: counted.oldestMs,
      cpu: usage.end(),
      seconds: (nowMs() - counted.fromMs) / 1000,
    };
  },

  /** What slow ones had to catch up with comes after `end`. */
  caughtUp: (): Pick<Read, 'merged' | 'oldestMs'> => counted,

  /** Notes the checksums of all books from now on. */
  note(): void {
    notes.forget();
    for (const { readers } of groups.values())
      for (const { books } of readers)
        for (const held of books) held.note = notes.follow(held.instrument, held.replica.book);
  },

  compare(served: ReadonlyMap<string, Checksums>): Comparison {
    expectNoFailure();
    return notes.compare(served);
  },

  forget(): void {
    notes.forget();
    for (const { readers } of groups.values())
      for (const { books } of readers) for (const held of books) held.note = null;
  },
};

export type Readers = typeof methods;

const onFrame: ReaderOptions['onFrame'] = ({ replica }, readMs) => {
  if (!isMeasuring) return;
  counted.frames += 1;
  // A frame of a state says nothing of updates.
  if (!replica.isDelta) return;
  transit.add(readMs - replica.timeMs);
  latency.add(readMs - replica.timeMs + replica.ageMs);
};

const onSlowFrame: ReaderOptions['onFrame'] = ({ replica }, _readMs, isMerged) => {
  if (!isMerged) return;
  counted.merged += 1;
  counted.oldestMs = Math.max(counted.oldestMs, replica.ageMs);
};

function bytesRead(): number {
  let bytes = 0;
  for (const { readers } of groups.values()) for (const reader of readers) bytes += reader.bytes;
  return bytes;
}

function onFailure(reason: string): void {
  failure ??= reason;
}

function expectNoFailure(): void {
  if (failure !== null) throw new Error(failure);
}

answerParent(methods);
