import type { CaptureRecord } from './read.ts';

/** A recorder's clock may be set back by as much without a word. */
const CLOCK_TOLERANCE_MS = 1_000;

/** No shorter silence is worth a note: not every recorder subscribes heartbeats. */
const SILENCE_MS = 60_000;

/** A place in a capture: the time that the recording had reached, and the line. */
export interface Place {
  readonly ms: number;
  readonly line: number;
}

export interface RecordedSocket {
  /** Whose books or trades it brought. */
  readonly symbols: readonly string[];
  /** Of its first and its last record. */
  readonly first: Place;
  readonly last: Place;
  /** Of the last frame about each symbol's book. */
  readonly lastBooks: ReadonlyMap<string, Place>;
  /** Of the last frame that may have been about any book; null where none was. */
  readonly lastStranger: Place | null;
}

interface Notes {
  readonly symbols: Set<string>;
  readonly lastBooks: Map<string, Place>;
  lastStranger: Place | null;
  readonly first: Place;
  last: Place;
  /** Longest time without a frame, and the frame that ended it. */
  silence: { readonly ms: number; readonly until: Place } | null;
}

export function isLater(one: Place, other: Place): boolean {
  return one.ms > other.ms || (one.ms === other.ms && one.line > other.line);
}

/** What the sockets of a capture brought, and when. */
export class SocketLog {
  readonly #byConn = new Map<string, Notes>();
  /** Time of the recording: it does not go back where the recorder's clock does. */
  #nowMs = -Infinity;
  #setBack: { readonly ms: number; readonly line: number } | null = null;
  #current: Notes | null = null;

  /** The frame or opening that what follows is of; an HTTP answer is of no socket. */
  record({ t, conn, kind, line }: CaptureRecord): void {
    if (this.#nowMs - t > CLOCK_TOLERANCE_MS) this.#setBack ??= { ms: this.#nowMs - t, line };
    this.#nowMs = Math.max(this.#nowMs, t);
    this.#current = null;
    if (kind === 'rest') return;
    const place = { ms: this.#nowMs, line };
    let notes = this.#byConn.get(conn);
    if (!notes) {
      notes = {
        symbols: new Set(),
        lastBooks: new Map(),
        lastStranger: null,
        first: place,
        last: place,
        silence: null,
      };
      this.#byConn.set(conn, notes);
    }
    const silentMs = place.ms - notes.last.ms;
    if (kind === 'in' && silentMs > (notes.silence?.ms ?? 0)) notes.silence = { ms: silentMs, until: place };
    notes.last = place;
    this.#current = notes;
  }

  symbol(symbol: string): void {
    this.#current?.symbols.add(symbol);
  }

  book(symbol: string): void {
    this.symbol(symbol);
    this.#current?.lastBooks.set(symbol, this.#current.last);
  }

  stranger(): void {
    if (this.#current) this.#current.lastStranger = this.#current.last;
  }

  /** @param symbols those to be told of, in this order */
  recorded(symbols: readonly string[]): Map<string, RecordedSocket> {
    return new Map(
      [...this.#byConn].map(([conn, notes]) => [
        conn,
        { ...notes, symbols: symbols.filter((symbol) => notes.symbols.has(symbol)) },
      ]),
    );
  }

  /** @param silenceMs silence after which a live socket of the venue is taken for dead */
  notes(silenceMs: number): string[] {
    const notes = [...this.#byConn].flatMap(([conn, { silence }]) =>
      silence === null || silence.ms <= Math.max(silenceMs, SILENCE_MS)
        ? []
        : `${conn}: nothing for ${seconds(silence.ms)} before line ${silence.until.line}; what was sent then may be missing`,
    );
    if (this.#setBack)
      notes.push(
        `line ${this.#setBack.line}: the recorder's clock was set back by ${seconds(this.#setBack.ms)}`,
      );
    return notes;
  }
}

const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`;
