import { formatUnits } from '../model/units.ts';
import { frameFields } from './fields.ts';
import type { InspectedFrame } from './inspector.ts';
import { stateOf } from './summary.ts';

export interface LevelText {
  readonly price: string;
  /** Null where the level is removed. */
  readonly size: string | null;
}

/** Levels as decimals, or in ticks and lots where the channel is not known. */
export function levelTexts({ levels, instrument }: InspectedFrame): Record<'bids' | 'asks', LevelText[]> {
  const text = (count: number, scale: 'tick' | 'lot') =>
    instrument ? formatUnits(count, instrument[scale]) : String(count);
  const side = (flat: readonly number[]): LevelText[] =>
    Array.from({ length: flat.length / 2 }, (_, i) => ({
      price: text(flat[2 * i]!, 'tick'),
      size: flat[2 * i + 1] === 0 ? null : text(flat[2 * i + 1]!, 'lot'),
    }));
  return { bids: side(levels?.bids ?? []), asks: side(levels?.asks ?? []) };
}

/** Every field as text, in the order of the protocol; levels as on the wire, for they are decoded beside. */
export function fieldTexts({ fields, kind }: InspectedFrame): [name: string, text: string][] {
  return Object.entries(fields).map(([name, value]) => {
    const isState = name === 'state' && Object.hasOwn(frameFields, kind) && typeof value === 'number';
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
    return [name, isState ? `${text} ${stateOf(value)}` : text];
  });
}
