import { basename } from 'node:path';
import { decimalScale, DepthwireError, type Instrument, type Scale } from '@depthwire/shared';
import type { CaptureSink, CaptureSupport, VenueAdapter } from '../core/venue.ts';
import {
  identityByAnswers,
  identityByName,
  identityBySocket,
  isSameSocket,
  unknownVenue,
  type CaptureIdentity,
} from './identity.ts';
import { readUntilCut, type CaptureRecord, type ReadProgress } from './read.ts';
import { SocketLog, type RecordedSocket } from './sockets.ts';

/** Records held before the first socket's URL tells the venue. */
const MAX_WAITING = 10_000;

export interface CaptureSelection {
  /** Default: told from the URLs in the capture. */
  readonly venue?: string;
  readonly market?: string;
  /** Venue symbols; default: all that have book or trade frames. */
  readonly symbols?: readonly string[];
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
  /** Symbols of which it has trades, but no book. */
  readonly bookless: readonly string[];
  /** Where its end was cut off; null where it is whole. */
  readonly cut: DepthwireError | null;
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
  let identity = selection.venue === undefined ? null : identityByName(selection.venue, selection.market);
  const metadata: string[] = [];
  const digits = new Map<string, SeenDigits>();
  const sockets = new SocketLog();
  /** Sockets of other markets of the venue. */
  const strangers = new Map<string, string>();
  const looks = new Map<string, CaptureSupport['look']>();
  const lookOf = (conn: string, { capture }: VenueAdapter): CaptureSupport['look'] => {
    if (!capture.createLook) return (text, sink) => capture.look(text, sink);
    const look = looks.get(conn) ?? capture.createLook();
    looks.set(conn, look);
    return look;
  };
  const seen = (symbol: string): SeenDigits => {
    let entry = digits.get(symbol);
    if (!entry) digits.set(symbol, (entry = { price: noDigits(), size: noDigits() }));
    return entry;
  };
  const note = (symbol: string, price: string, size: string) => {
    const entry = seen(symbol);
    count(entry.price, price);
    count(entry.size, size);
    sockets.symbol(symbol);
  };
  const books = new Set<string>();
  const noteBook = (symbol: string) => {
    books.add(symbol);
    seen(symbol);
    sockets.book(symbol);
  };
  const sink: CaptureSink = {
    level(symbol, price, size) {
      note(symbol, price, size);
      noteBook(symbol);
    },
    trade: note,
    book: noteBook,
    stranger: () => sockets.stranger(),
  };

  const notes: string[] = [];
  let records = 0;
  let firstMs = Number.NaN;
  let lastMs = Number.NaN;
  let cut = null as DepthwireError | null;
  // Answers can come before the socket whose URL tells the venue.
  let waiting: CaptureRecord[] = [];
  for await (const batch of readUntilCut(file, (error) => (cut = error), onProgress)) {
    for (const record of batch) {
      records += 1;
      if (records === 1) firstMs = record.t;
      lastMs = record.t;
      if (record.kind === 'open') identity = identify(record);
      if (identity === null || identity.market === null) {
        waiting.push(record);
        if (waiting.length > MAX_WAITING) identity = identifyByAnswers();
        else continue;
      } else waiting.push(record);
      for (const next of waiting) look(next);
      waiting = [];
    }
  }
  if (records === 0) {
    throw (
      cut ?? new DepthwireError('capture_corrupt', `${file}: line 1: the capture is empty`, { file, line: 1 })
    );
  }
  if (identity?.market == null) identity = identifyByAnswers();
  for (const record of waiting) look(record);

  function identify(record: CaptureRecord): CaptureIdentity | null {
    const { url, line } = record;
    const told = identityBySocket(record);
    if (identity === null && told === null) {
      throw new DepthwireError(
        'capture_unknown_venue',
        `${file}: line ${line}: no adapter for ${url}; name one with --venue and --market`,
        { file, line },
      );
    }
    if (identity === null) return { adapter: told!.adapter, market: selection.market ?? told!.market };
    const { adapter, market } = identity;
    if (told && told.adapter !== adapter)
      addOnce(notes, `line ${line}: ${url} is of ${told.adapter.venue}, and was read as of ${adapter.venue}`);
    else if (
      told &&
      selection.venue !== undefined &&
      market !== null &&
      !isSameSocket(adapter, market, told.market)
    )
      addOnce(notes, `line ${line}: ${url} is of market ${told.market}, and was read as of ${market}`);
    return { adapter, market: market ?? (told?.adapter === adapter ? told.market : null) };
  }

  function identifyByAnswers(): CaptureIdentity {
    const told = identityByAnswers(waiting);
    const adapter = identity?.adapter ?? told?.adapter;
    const market = selection.market ?? (told?.adapter === adapter ? told?.market : null) ?? null;
    if (adapter === undefined || market === null)
      throw cut ?? unknownVenue(file, adapter ? { adapter, market } : null);
    return identityByName(adapter.venue, market);
  }

  function look(record: CaptureRecord): void {
    const { adapter, market } = identity!;
    const { kind, conn, url, data } = record;
    if (kind === 'open') {
      const told = identityBySocket(record);
      const other = told?.adapter === adapter ? told.market : null;
      if (other !== null && !isSameSocket(adapter, other, market) && selection.venue === undefined)
        strangers.set(conn, other);
    }
    if (strangers.has(conn) || kind === 'out') return;
    sockets.record(record);
    if (kind === 'open') looks.delete(conn);
    if (kind === 'open' || market === null) return;
    const text = { kind, url, data };
    if (adapter.capture.isMetadata(text, market)) metadata.push(data);
    else if (kind !== 'rest' || adapter.capture.snapshotSymbol(url, market) !== null)
      lookOf(conn, adapter)(text, sink);
  }

  const { adapter } = identity;
  const { marketOfSymbol } = adapter.capture;
  const found = [...digits.keys()].filter(
    (symbol) =>
      selection.market === undefined || (marketOfSymbol?.(symbol) ?? selection.market) === selection.market,
  );
  const market =
    selection.market ?? mostCommon(found.map((symbol) => marketOfSymbol?.(symbol))) ?? identity.market!;
  for (const other of new Set(strangers.values()))
    notes.push(`sockets of market ${other} were left out; --market ${other} takes those`);
  notes.push(...sockets.notes(adapter.limits.silenceMs));
  if (cut !== null) notes.push(`cut off: ${cut.message.replace(`${file}: `, '')}`);
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
  const bookless = symbols.filter((symbol) => !books.has(symbol));
  if (bookless.length > 0) notes.push(`${bookless.join(', ')}: trades alone, there is no book to verify`);
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
    sockets: sockets.recorded(symbols),
    bookless,
    cut,
    notes: notes.map((note) => `${basename(file)}: ${note}`),
    records,
    firstMs,
    lastMs,
  };
}

function addOnce(notes: string[], note: string): void {
  if (!notes.includes(note)) notes.push(note);
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
