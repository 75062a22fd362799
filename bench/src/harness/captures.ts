import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where recordings lie unless `DEPTHWIRE_CAPTURES` says otherwise: beside the checkout. */
const DEFAULT_FOLDER = fileURLToPath(new URL('../../../../shared/captures', import.meta.url));

/** Recorded files whose names begin with one of these, in order of name; none where there is no such folder. */
export function findCaptures(...prefixes: readonly string[]): string[] {
  const folder = resolve(process.env.DEPTHWIRE_CAPTURES ?? DEFAULT_FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl.gz') && prefixes.some((prefix) => name.startsWith(prefix)))
    .sort()
    .map((name) => join(folder, name));
}
