import { DepthwireError } from '@depthwire/shared';

/**
 * A venue's text as JSON.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DepthwireError('malformed_venue_frame', `not JSON: ${(error as Error).message}`, {}, error);
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws DepthwireError `malformed_venue_frame` where one of the keys holds no text */
export function checkTexts(record: Record<string, unknown>, keys: readonly string[]): void {
  for (const key of keys) {
    if (typeof record[key] !== 'string') throw malformed(key, 'a text', record[key]);
  }
}

/** @throws DepthwireError `malformed_venue_frame` where one of the keys holds no whole number */
export function checkIntegers(record: Record<string, unknown>, keys: readonly string[]): void {
  for (const key of keys) {
    if (!Number.isSafeInteger(record[key])) throw malformed(key, 'an integer', record[key]);
  }
}

/** @throws DepthwireError `malformed_venue_frame` where one of them is no number, or one that no double holds */
export function checkNumbers<Key extends string>(
  record: Readonly<Record<Key, unknown>>,
): asserts record is Readonly<Record<Key, number>> {
  for (const [key, value] of Object.entries(record)) {
    if (!Number.isFinite(value)) throw malformed(key, 'a number', value);
  }
}

/** @throws DepthwireError `malformed_venue_frame` where it is no list of objects */
export function checkRecords(value: unknown, key: string): readonly Record<string, unknown>[] {
  if (!Array.isArray(value)) throw malformed(key, 'an array', value);
  for (const entry of value as unknown[]) if (!isRecord(entry)) throw malformed(key, 'objects', entry);
  return value as Record<string, unknown>[];
}

/** @throws DepthwireError `malformed_venue_frame` where it is no list of lists */
export function checkRows(value: unknown, key: string): readonly (readonly unknown[])[] {
  if (!Array.isArray(value)) throw malformed(key, 'an array', value);
  for (const row of value as unknown[]) if (!Array.isArray(row)) throw malformed(key, 'arrays', row);
  return value as unknown[][];
}

/** What a parser makes of a text; null where that makes no sense, which is another's to report. */
export function attempt<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof DepthwireError) return null;
    throw error;
  }
}

/** A number, or a text of one, as a number; NaN for all else, which `Number` may even choke on. */
export function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
}

export function malformed(key: string, expected: string, got: unknown): DepthwireError {
  return new DepthwireError('malformed_venue_frame', `${key}: expected ${expected}, got ${show(got)}`, {
    key,
  });
}

/** Any JSON value in short: what nests is named only, for it may nest deeper than the stack. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (isRecord(value)) return 'an object';
  return (JSON.stringify(value) ?? '').slice(0, 60);
}
