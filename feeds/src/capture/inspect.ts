import { basename } from 'node:path';
import { decimalScale, DepthwireError, type Instrument, type Scale } from '@depthwire/shared';
import type { VenueAdapter } from '../core/venue.ts';
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

/** What one pass over a capture tells, before it is replayed. */
export interface CaptureInfo {
  readonly file: string;
  readonly adapter: VenueAdapter;
  readonly market: string;
  readonly instruments: readonly Instrument[];
  /** Where the tick and lot scales come from. */
  readonly scales: 'metadata' | 'digits';
  /** What a reader of the report should know. */
  readonly notes: readonly string[];
  readonly records: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

interface Digits {
  price: number;
  size: number;
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
  let metadata: string | null = null;
  const digits = new Map<string, Digits>();
  const seen = (symbol: string): Digits => {
    let entry = digits.get(symbol);
    if (!entry) digits.set(symbol, (entry = { price: 0, size: 0 }));
    return entry;
  };
  const sink = {
    price(symbol: string, text: string) {
      const entry = seen(symbol);
      entry.price = Math.max(entry.price, significantDecimals(text));
    },
    size(symbol: string, text: string) {
      const entry = seen(symbol);
      entry.size = Math.max(entry.size, significantDecimals(text));
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
            `${file}: line ${records}: no adapter for ${record.url}; name one with --venue and --market`,
            {
              file,
              line: records,
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

  function look(record: CaptureRecord): void {
    const { capture } = identity!.adapter;
    if (record.kind === 'in') capture.digits(record.data, sink);
    else if (record.kind === 'rest' && capture.isMetadata(record.url)) metadata = record.data;
    else if (record.kind === 'rest') capture.restDigits(record.url, record.data, sink);
  }

  const { adapter, market } = identity;
  const symbols = chooseSymbols(file, [...digits.keys()], selection.symbols);
  const notes: string[] = [];
  const instruments =
    metadata === null || symbols.length === 0
      ? null
      : fromMetadata(adapter, market, metadata, symbols, digits, notes);
  if (instruments === null) {
    notes.push(
      'no instrument metadata in the capture: tick and lot scales come from the digits seen on the wire, base and quote from the symbol',
    );
  }
  return {
    file,
    adapter,
    market,
    instruments:
      instruments ??
      symbols.map((symbol) =>
        adapter.guessInstrument(market, symbol, digits.get(symbol)!.price, digits.get(symbol)!.size),
      ),
    scales: instruments === null ? 'digits' : 'metadata',
    notes: notes.map((note) => `${basename(file)}: ${note}`),
    records,
    firstMs,
    lastMs,
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

function chooseSymbols(
  file: string,
  seen: readonly string[],
  wanted: readonly string[] | undefined,
): string[] {
  const sorted = [...seen].sort();
  if (!wanted || wanted.length === 0) return sorted;
  const missing = wanted.filter((symbol) => !seen.includes(symbol));
  if (missing.length > 0) {
    throw new DepthwireError(
      'unknown_symbol',
      `${file} has no book or trade of ${missing.join(', ')}; it has: ${sorted.join(', ')}`,
      { file },
    );
  }
  return sorted.filter((symbol) => wanted.includes(symbol));
}

function fromMetadata(
  adapter: VenueAdapter,
  market: string,
  metadata: string,
  symbols: readonly string[],
  digits: ReadonlyMap<string, Digits>,
  notes: string[],
): Instrument[] | null {
  let listed: Instrument[];
  try {
    listed = adapter.parseMetadata(market, metadata, symbols);
  } catch (error) {
    if (!(error instanceof DepthwireError)) throw error;
    notes.push(`the instrument metadata is of no use: ${error.message}`);
    return null;
  }
  return listed.map((instrument) => {
    const seen = digits.get(instrument.symbol)!;
    const tick = fit(instrument.tick, seen.price);
    const lot = fit(instrument.lot, seen.size);
    if (tick === instrument.tick && lot === instrument.lot) return instrument;
    notes.push(`${instrument.symbol}: the wire has finer digits than the metadata, a finer scale is used`);
    return { ...instrument, tick, lot };
  });
}

/** A scale whose unit every number with so many decimals is a multiple of, as far as can be told. */
function fit(scale: Scale, decimals: number): Scale {
  return decimals > scale.decimals ? decimalScale(decimals) : scale;
}

/** Digits behind the point of a plain decimal, trailing zeros left out. */
function significantDecimals(text: string): number {
  const point = text.indexOf('.');
  if (point < 0) return 0;
  let end = text.length;
  while (end > point + 1 && text.charCodeAt(end - 1) === 48) end -= 1;
  return end - point - 1;
}
