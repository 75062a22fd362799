import { basename } from 'node:path';
import { decimalScale, DepthwireError, type Instrument, type Scale } from '@depthwire/shared';
import type { CaptureSupport, VenueAdapter } from '../core/venue.ts';
import { findVenue, venues } from '../registry.ts';
import { readCapture, type CaptureRecord, type ReadProgress } from './read.ts';

/** Records held before the first socket's URL tells the venue. */
const MAX_WAITING = 10_000;

export interface CaptureSelection {
  /** Default: told from the URLs in the capture. */
  readonly venue?: string;
  readonly market?: string;
  /** Venue symbols; default: all that have book or trade frames. */
  readonly symbols?: readonly string[];
}

export interface RecordedSocket {
  /** Whose books or trades it brought. */
  readonly symbols: readonly string[];
  /** Its last record. */
  readonly lastLine: number;
  readonly lastMs: number;
  /** Time of the last frame about each symbol's book. */
  readonly lastBookMs: ReadonlyMap<string, number>;
  /** Time of the last frame that may have been about any book; minus infinity where none was. */
  readonly lastStrangerMs: number;
}

/** What one pass over a capture tells, before it is replayed. */
export interface CaptureInfo {
  readonly file: string;
  readonly adapter: VenueAdapter;
  readonly market: string;
  readonly instruments: readonly Instrument[];
  /** Where the tick and lot scales come from; `digits` as soon as one instrument's do. */
  readonly scales: 'metadata' | 'digits';
  /** Recorded sockets of this market. */
  readonly sockets: ReadonlyMap<string, RecordedSocket>;
  /** What a reader of the report should know. */
  readonly notes: readonly string[];
  readonly records: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Decimal digits that a double holds exactly, whatever they are. */
const EXACT_DIGITS = 15;

/** The digits of one kind of number of one instrument. */
interface Digits {
  /** Most before the point, leading zeros left out. */
  integers: number;
  /** Most behind the point, trailing zeros left out. */
  decimals: number;
  /** A number with more digits than any scale could hold. */
  excess: string | null;
}

interface SocketNotes {
  readonly symbols: Set<string>;
  readonly lastBookMs: Map<string, number>;
  lastStrangerMs: number;
  lastLine: number;
  lastMs: number;
}

interface SeenDigits {
  readonly price: Digits;
  readonly size: Digits;
}

/**
 * Finds venue, market, instruments and scales of a capture. Scales come from the metadata it
 * holds; where there is none, or where it does not fit the recorded numbers, from their digits.
 * @throws DepthwireError `capture_*`, `unknown_venue` or `unknown_symbol`
 */
export async function inspectCapture(
  file: string,
  selection: CaptureSelection = {},
  onProgress?: (progress: ReadProgress) => void,
): Promise<CaptureInfo> {
  let identity = selection.venue === undefined ? null : identify(selection.venue, selection.market, null);
  const metadata: string[] = [];
  const digits = new Map<string, SeenDigits>();
  const sockets = new Map<string, SocketNotes>();
  /** Sockets of other markets of the venue. */
  const strangers = new Map<string, string>();
  const looks = new Map<string, CaptureSupport['look']>();
  const lookOf = (conn: string, { capture }: VenueAdapter): CaptureSupport['look'] => {
    if (!capture.createLook) return (text, sink) => capture.look(text, sink);
    const look = looks.get(conn) ?? capture.createLook();
    looks.set(conn, look);
    return look;
  };
  let socket = '';
  const seen = (symbol: string): SeenDigits => {
    let entry = digits.get(symbol);
    if (!entry) digits.set(symbol, (entry = { price: noDigits(), size: noDigits() }));
    sockets.get(socket)?.symbols.add(symbol);
    return entry;
  };
  const note = (symbol: string, price: string, size: string) => {
    const entry = seen(symbol);
    count(entry.price, price);
    count(entry.size, size);
  };
  const noteBook = (symbol: string) => {
    seen(symbol);
    const notes = sockets.get(socket);
    notes?.lastBookMs.set(symbol, notes.lastMs);
  };
  const sink = {
    level(symbol: string, price: string, size: string) {
      note(symbol, price, size);
      noteBook(symbol);
    },
    trade: note,
    book: noteBook,
    stranger() {
      const notes = sockets.get(socket);
      if (notes) notes.lastStrangerMs = notes.lastMs;
    },
  };

  let records = 0;
  let firstMs = Number.NaN;
  let lastMs = Number.NaN;
  // Answers can come before the socket whose URL tells the venue.
  let waiting: CaptureRecord[] = [];
  for await (const batch of readCapture(file, onProgress)) {
    for (const record of batch) {
      records += 1;
      if (records === 1) firstMs = record.t;
      lastMs = record.t;
      if (identity === null && record.kind === 'open') {
        identity = identityOf(record.url, selection.market);
        if (identity === null) {
          throw new DepthwireError(
            'capture_unknown_venue',
            `${file}: line ${record.line}: no adapter for ${record.url}; name one with --venue and --market`,
            {
              file,
              line: record.line,
            },
          );
        }
      } else if (identity === null) {
        waiting.push(record);
        if (waiting.length > MAX_WAITING) throw unknownVenue(file);
        continue;
      } else if (identity.market === null && record.kind === 'open') {
        identity = identify(identity.adapter.venue, selection.market, record.url);
      }
      for (const earlier of waiting) look(earlier);
      waiting = [];
      look(record);
    }
  }
  if (records === 0)
    throw new DepthwireError('capture_corrupt', `${file}: line 1: the capture is empty`, { file, line: 1 });
  if (identity === null || identity.market === null) {
    throw unknownVenue(file);
  }
  for (const record of waiting) look(record);

  function look({ kind, conn, url, data, line, t }: CaptureRecord): void {
    const { adapter, market } = identity!;
    if (kind === 'open') {
      const other = adapter.capture.marketOf(url);
      if (other !== null && !isSameSocket(adapter, other, market) && selection.venue === undefined)
        strangers.set(conn, other);
    }
    if (strangers.has(conn) || kind === 'out') return;
    socket = kind === 'rest' ? '' : conn;
    if (kind !== 'rest') {
      let notes = sockets.get(conn);
      if (!notes) sockets.set(conn, (notes = noSocketNotes()));
      notes.lastLine = line;
      notes.lastMs = t;
    }
    if (kind === 'open') looks.delete(conn);
    if (kind === 'open' || market === null) return;
    const text = { kind, url, data };
    if (adapter.capture.isMetadata(text, market)) metadata.push(data);
    else lookOf(conn, adapter)(text, sink);
  }

  const { adapter } = identity;
  const { marketOfSymbol } = adapter.capture;
  const found = [...digits.keys()].filter(
    (symbol) =>
      selection.market === undefined || (marketOfSymbol?.(symbol) ?? selection.market) === selection.market,
  );
  const market =
    selection.market ?? mostCommon(found.map((symbol) => marketOfSymbol?.(symbol))) ?? identity.market;
  const notes: string[] = [...new Set(strangers.values())].map(
    (other) => `sockets of market ${other} were left out; --market ${other} takes those`,
  );
  const symbols = chooseSymbols(file, found, selection.symbols);
  const listed = metadata.length === 0 ? null : fromMetadata(adapter, market, metadata, symbols, notes);
  const instruments = symbols.map((symbol) => {
    const known = listed?.get(symbol);
    const seen = digits.get(symbol)!;
    const doubts = known ? [] : notes; // what the metadata's scale cannot hold shows when it is met
    const price = decimalsOf(`${symbol}: price`, seen.price, doubts);
    const size = decimalsOf(`${symbol}: size`, seen.size, doubts);
    if (!known) return adapter.guessInstrument(market, symbol, price, size);
    const tick = fit(known.tick, seen.price, price);
    const lot = fit(known.lot, seen.size, size);
    if (tick === known.tick && lot === known.lot) return known;
    const isFiner = tick.decimals > known.tick.decimals || lot.decimals > known.lot.decimals;
    notes.push(
      isFiner
        ? `${symbol}: the wire has finer digits than the metadata, a finer scale is used`
        : `${symbol}: the wire has larger numbers than the scale of the metadata holds, a coarser one is used`,
    );
    return { ...known, tick, lot };
  });
  if (symbols.length === 0) notes.push(`no book or trade of ${adapter.venue} ${market} in it`);
  const guessed = symbols.filter((symbol) => !listed?.has(symbol));
  if (guessed.length > 0) {
    const whose = listed === null ? '' : ` of ${guessed.join(', ')}`;
    notes.unshift(
      `no instrument metadata${whose} in the capture: tick and lot scales come from the digits seen on the wire, base and quote from the symbol`,
    );
  }
  return {
    file,
    adapter,
    market,
    instruments,
    scales: listed === null || guessed.length > 0 ? 'digits' : 'metadata',
    sockets: new Map(
      [...sockets].map(([conn, its]) => [
        conn,
        { ...its, symbols: symbols.filter((symbol) => its.symbols.has(symbol)) },
      ]),
    ),
    notes: notes.map((note) => `${basename(file)}: ${note}`),
    records,
    firstMs,
    lastMs,
  };
}

function noSocketNotes(): SocketNotes {
  return {
    symbols: new Set(),
    lastBookMs: new Map(),
    lastStrangerMs: -Infinity,
    lastLine: 0,
    lastMs: 0,
  };
}

function unknownVenue(file: string): DepthwireError {
  return new DepthwireError(
    'capture_unknown_venue',
    `${file}: line 1: nothing in the capture tells its venue; name it with --venue and --market`,
    {
      file,
      line: 1,
    },
  );
}

function identityOf(url: string, market: string | undefined) {
  for (const adapter of venues) {
    const found = adapter.capture.marketOf(url);
    if (found !== null) return identify(adapter.venue, market ?? found, null);
  }
  return null;
}

function identify(
  venue: string,
  market: string | undefined,
  url: string | null,
): { adapter: VenueAdapter; market: string | null } {
  const adapter = findVenue(venue, market);
  return { adapter, market: market ?? (url === null ? null : adapter.capture.marketOf(url)) };
}

/** Whether sockets of one market carry the other's instruments too. */
function isSameSocket({ markets, socketUrl }: VenueAdapter, market: string, other: string | null): boolean {
  if (market === other) return true;
  const [one, two] = [markets[market], other === null ? undefined : markets[other]];
  return one !== undefined && two !== undefined && socketUrl(market, one) === socketUrl(other!, two);
}

function mostCommon(values: readonly (string | undefined)[]): string | undefined {
  const counts = new Map<string | undefined, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** @param wanted in any case */
function chooseSymbols(
  file: string,
  seen: readonly string[],
  wanted: readonly string[] | undefined,
): string[] {
  const sorted = [...seen].sort();
  if (!wanted || wanted.length === 0) return sorted;
  const exact = wanted.map((symbol) =>
    seen.includes(symbol) ? symbol : seen.find((other) => other.toUpperCase() === symbol.toUpperCase()),
  );
  const missing = wanted.filter((_, i) => exact[i] === undefined);
  if (missing.length > 0) {
    throw new DepthwireError(
      'unknown_symbol',
      `${file} has no book or trade of ${missing.join(', ')}; it has: ${sorted.join(', ')}`,
      { file },
    );
  }
  return sorted.filter((symbol) => exact.includes(symbol));
}

/** Instruments by symbol; null where the metadata as a whole is of no use. */
function fromMetadata(
  adapter: VenueAdapter,
  market: string,
  metadata: readonly string[],
  symbols: readonly string[],
  notes: string[],
): ReadonlyMap<string, Instrument> | null {
  if (symbols.length === 0) return new Map();
  try {
    const { instruments, refused } = adapter.parseMetadata(market, metadata, symbols);
    for (const [symbol, error] of refused) {
      if (error.code !== 'unknown_symbol')
        notes.push(`${symbol}: its metadata is of no use: ${error.message}`);
    }
    return new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
  } catch (error) {
    if (!(error instanceof DepthwireError)) throw error;
    notes.push(`the recorded metadata is of no use: ${error.message}`);
    return null;
  }
}

/** A scale that holds every number seen, as far as can be told; the metadata's own where it does. */
function fit(scale: Scale, seen: Digits, decimals: number): Scale {
  const isTooFine = seen.integers + scale.decimals > EXACT_DIGITS && seen.decimals === decimals;
  return decimals > scale.decimals || isTooFine ? decimalScale(decimals) : scale;
}

function noDigits(): Digits {
  return { integers: 0, decimals: 0, excess: null };
}

/** Takes the digits of a plain decimal into account, unless no scale could hold them. */
function count(digits: Digits, text: string): void {
  const point = text.includes('.') ? text.indexOf('.') : text.length;
  let start = text.startsWith('-') ? 1 : 0;
  while (start < point && text.charCodeAt(start) === ZERO) start += 1;
  let end = text.length;
  while (end > point + 1 && text.charCodeAt(end - 1) === ZERO) end -= 1;
  const integers = point - start;
  const decimals = Math.max(0, end - point - 1);
  if (integers + decimals > EXACT_DIGITS) {
    digits.excess = text;
    return;
  }
  digits.integers = Math.max(digits.integers, integers);
  digits.decimals = Math.max(digits.decimals, decimals);
}

/** Decimals of a scale that holds the largest number seen exactly. */
function decimalsOf(what: string, { integers, decimals, excess }: Digits, notes: string[]): number {
  const held = Math.min(decimals, EXACT_DIGITS - integers);
  if (excess !== null || held < decimals) {
    const example = excess === null ? '' : ` (${excess.slice(0, 40)})`;
    notes.push(
      `${what}: some numbers have more digits than a scale of ${held} decimals holds${example}; their frames count as malformed`,
    );
  }
  return held;
}

const ZERO = '0'.charCodeAt(0);
