import type { Instrument, Origin } from '@depthwire/shared';
import { originWord, statusWord } from '../../format/codes.ts';
import { m } from '../../paraglide/messages.js';

/** An instrument's name in the list, in parts of falling weight. */
export interface RowName {
  readonly pair: string;
  /** What the id has behind the pair, in lower case (`perp`), and what else tells the row from others. */
  readonly suffix: string;
  /** Whose data it is, in short; only where the list mixes origins. */
  readonly origin: string;
  /** That it is halted or closed; empty while it trades. */
  readonly status: string;
}

type Named = Pick<Instrument, 'id' | 'venue' | 'base' | 'quote' | 'origin' | 'status'>;

/** Origins with a word shorter than their own. */
const SHORT: Partial<Record<Origin, () => string>> = {
  live: () => '',
  replayed: m.origin_replayed_short,
  simulated: m.origin_simulated_short,
};
/** Names measured: those that could be the widest, for letters differ in width. */
const CANDIDATES = 8;

/** The names of a list by id, each as long as it must be to be told from the others. */
export function nameRows(instruments: readonly Named[]): Map<string, RowName> {
  const isMixed = new Set(instruments.map(({ origin }) => origin)).size > 1;
  const names = instruments.map((instrument) => {
    const origin = isMixed ? (SHORT[instrument.origin]?.() ?? originWord(instrument.origin)) : '';
    const { pair, suffix } = splitName(instrument);
    return { instrument, pair, suffix, origin, key: `${pair} ${suffix} ${origin}` };
  });
  const times = new Map<string, number>();
  for (const { key } of names) times.set(key, (times.get(key) ?? 0) + 1);
  return new Map(
    names.map(({ instrument: { id, venue, status }, pair, suffix, origin, key }) => {
      const venueOfTwin = times.get(key)! > 1 ? venue : '';
      const row = { pair, suffix: `${suffix} ${venueOfTwin}`.trim(), origin };
      return [id, { ...row, status: status === 'trading' ? '' : statusWord(status) }];
    }),
  );
}

function splitName({ id, base, quote }: Named): { pair: string; suffix: string } {
  const name = id.slice(id.indexOf(':') + 1);
  const pair = `${base}-${quote}`;
  if (!name.startsWith(`${pair}-`)) return { pair: name, suffix: '' };
  return { pair, suffix: name.slice(pair.length + 1).toLowerCase() };
}

/** The longest of the names, among which the widest is. */
export function longestNames(names: Iterable<RowName>): RowName[] {
  const length = (name: RowName) => Object.values(name).join(' ').length;
  return [...names].sort((a, b) => length(b) - length(a)).slice(0, CANDIDATES);
}
