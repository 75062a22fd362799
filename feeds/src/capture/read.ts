import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import { DepthwireError } from '@depthwire/shared';

/** Longest line accepted: a deep snapshot is some megabytes. */
const MAX_LINE_CHARS = 128 * 2 ** 20;
/** Some editors write one at the start of a file. */
const BYTE_ORDER_MARK = 0xfeff;

/**
 * Unix milliseconds from 1973 to 5138; below stand seconds, above micro- and nanoseconds. Small
 * numbers pass: a capture made by hand may count from zero.
 */
const MAX_TIME_MS = 1e14;
const looksLikeSeconds = (t: number) => t >= 1e9 && t < 1e11;

const kinds = ['open', 'out', 'in', 'rest'] as const;

/**
 * One line of a capture:
 * `open` a socket opened, `out` a frame the recorder sent, `in` a frame it received, `rest` an
 * HTTP answer.
 */
export interface CaptureRecord {
  /** Where it stands in the file, from 1. */
  readonly line: number;
  /** Local receive time, unix milliseconds. */
  readonly t: number;
  readonly conn: string;
  readonly kind: (typeof kinds)[number];
  /** Of `open` and `rest`. */
  readonly url: string;
  /** Of `open`, where the recorder has told whose socket it is, because the URL may not. */
  readonly venue?: string;
  readonly market?: string;
  /** Of `out`, `in` and `rest`: exactly as on the wire. */
  readonly data: string;
}

export interface ReadProgress {
  readonly bytesRead: number;
  readonly bytesTotal: number;
}

/**
 * The records of a capture (JSON Lines, gzip or plain), in batches as they are read.
 * @throws DepthwireError `capture_not_found`, `capture_truncated` or `capture_corrupt`, the last
 *   two with the line number
 */
export async function* readCapture(
  file: string,
  onProgress?: (progress: ReadProgress) => void,
): AsyncGenerator<CaptureRecord[]> {
  const { gzipped, bytesTotal } = await probe(file);
  const raw = createReadStream(file, { highWaterMark: 256 * 1024 });
  let bytesRead = 0;
  raw.on('data', (chunk) => {
    bytesRead += chunk.length;
  });
  let source: Readable = raw;
  let gunzip: Gunzip | null = null;
  if (gzipped) {
    gunzip = createGunzip();
    raw.on('error', (error) => gunzip!.destroy(error));
    source = raw.pipe(gunzip);
  }
  source.setEncoding('utf8');

  let line = 0;
  let records = 0;
  /** Of a line whose end has not come, in pieces: joined at each chunk, a long one would cost its square. */
  let pieces: string[] = [];
  let chars = 0;
  try {
    for await (const chunk of source as AsyncIterable<string>) {
      const lines = chunk.split('\n');
      const last = lines.pop()!;
      if (lines.length > 0) {
        lines[0] = pieces.join('') + lines[0]!;
        pieces = [];
        chars = 0;
      }
      pieces.push(last);
      chars += last.length;
      if (chars > MAX_LINE_CHARS)
        throw corrupt(file, line + 1, `the line is longer than ${MAX_LINE_CHARS} characters`);
      const batch: CaptureRecord[] = [];
      for (const text of lines) {
        line += 1;
        const record = parseRecord(file, line, text);
        if (record) batch.push(record);
      }
      records += batch.length;
      onProgress?.({ bytesRead, bytesTotal });
      if (batch.length > 0) yield batch;
    }
  } catch (error) {
    if (error instanceof DepthwireError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') {
      throw new DepthwireError(
        'capture_truncated',
        `${file}: the compressed data ends early, after line ${line}; ${howMany(records)} before it could be read`,
        { file, line: line + 1 },
        error,
      );
    }
    if (code?.startsWith('Z_'))
      throw corrupt(file, line + 1, `the compressed data is damaged (${message})`, error);
    throw new DepthwireError('capture_not_found', `${file}: cannot be read: ${message}`, { file }, error);
  } finally {
    raw.destroy();
  }
  const rest = pieces.join('');
  if (rest !== '') {
    line += 1;
    let record: CaptureRecord | null;
    try {
      record = parseRecord(file, line, rest);
    } catch (error) {
      if (!((error as Error).cause instanceof SyntaxError)) throw error;
      throw new DepthwireError(
        'capture_truncated',
        `${file}: line ${line} ends in the middle of a record; ${howMany(records)} before it could be read`,
        { file, line },
        error,
      );
    }
    if (record) yield [record];
  }
  // Zeros, as a power failure leaves them, end the stream without an error.
  const ignored = gunzip === null ? 0 : bytesTotal - gunzip.bytesWritten;
  if (ignored > 0) {
    throw new DepthwireError(
      'capture_truncated',
      `${file}: after line ${line} come ${ignored} bytes that are no compressed data; ${howMany(records)} before could be read`,
      { file, line: line + 1 },
    );
  }
}

/**
 * As `readCapture`, but a file whose end was cut off, as by a power failure, is read up to the cut.
 * @param onCut called there, with `capture_truncated`
 */
export async function* readUntilCut(
  file: string,
  onCut: (error: DepthwireError) => void,
  onProgress?: (progress: ReadProgress) => void,
): AsyncGenerator<CaptureRecord[]> {
  try {
    yield* readCapture(file, onProgress);
  } catch (error) {
    if (!(error instanceof DepthwireError && error.code === 'capture_truncated')) throw error;
    onCut(error);
  }
}

async function probe(file: string): Promise<{ gzipped: boolean; bytesTotal: number }> {
  try {
    const handle = await open(file);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw new Error('it is not a file');
      const magic = Buffer.alloc(2);
      await handle.read(magic, 0, 2, 0);
      return { gzipped: magic[0] === 0x1f && magic[1] === 0x8b, bytesTotal: stat.size };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new DepthwireError(
      'capture_not_found',
      `${file}: cannot be read: ${(error as Error).message}`,
      { file },
      error,
    );
  }
}

/** @returns null for a line of nothing but white space */
function parseRecord(file: string, line: number, text: string): CaptureRecord | null {
  if (line === 1 && text.charCodeAt(0) === BYTE_ORDER_MARK) text = text.slice(1);
  if (text.trim() === '') return null;
  let record: Partial<CaptureRecord> | null;
  try {
    record = JSON.parse(text) as Partial<CaptureRecord> | null;
  } catch (error) {
    throw corrupt(file, line, `not JSON: ${(error as Error).message}`, error);
  }
  if (typeof record !== 'object' || record === null) throw corrupt(file, line, 'expected an object');
  const { t, conn, kind, url, data, venue, market } = record;
  if (typeof t !== 'number' || !Number.isFinite(t))
    throw corrupt(file, line, 't: expected unix milliseconds, a number');
  if (t < 0 || t >= MAX_TIME_MS || looksLikeSeconds(t))
    throw corrupt(file, line, `t: expected unix milliseconds, such as 1700000000000, got ${t}`);
  if (typeof conn !== 'string') throw corrupt(file, line, 'conn: expected a text');
  if (!kinds.includes(kind!)) throw corrupt(file, line, `kind: expected ${kinds.join(', ')}`);
  if ((kind === 'open' || kind === 'rest') && typeof url !== 'string')
    throw corrupt(file, line, `url: expected a text in a record of kind ${kind}`);
  if (kind !== 'open' && typeof data !== 'string')
    throw corrupt(file, line, `data: expected a text in a record of kind ${kind}`);
  const isNamed = kind === 'open' && typeof venue === 'string' && typeof market === 'string';
  return {
    line,
    t,
    conn,
    kind: kind!,
    url: url ?? '',
    data: data ?? '',
    ...(isNamed ? { venue, market } : {}),
  };
}

const howMany = (records: number) => (records === 1 ? 'the one record' : `the ${records} records`);

function corrupt(file: string, line: number, what: string, cause?: unknown): DepthwireError {
  return new DepthwireError('capture_corrupt', `${file}: line ${line}: ${what}`, { file, line }, cause);
}
