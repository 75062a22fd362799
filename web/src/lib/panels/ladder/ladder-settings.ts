import * as v from 'valibot';
import type { Preferences } from '../../state/preferences.svelte.ts';

/** What stands beside the price, in this order. */
export const ladderColumns = ['size', 'total', 'value', 'atBid', 'atAsk'] as const;
export type LadderColumn = (typeof ladderColumns)[number];

/** What is chosen for a ladder; what was chosen last is what a new one begins with. */
export const ladderSettings = ({ sizeUnit, groups }: Pick<Preferences, 'sizeUnit' | 'groups'>) =>
  v.object({
    /** `book`: the levels there are, the touch in the middle. `fixed`: a row for each price, which keeps it. */
    mode: v.fallback(v.picklist(['book', 'fixed']), 'book'),
    /** Whether a fixed ladder is moved when the touch leaves its middle half. */
    follow: v.fallback(v.boolean(), true),
    columns: v.fallback(v.array(v.picklist(ladderColumns)), ['size', 'total']),
    bars: v.fallback(v.picklist(['both', 'size', 'total', 'none']), 'both'),
    unit: v.fallback(v.picklist(['base', 'quote']), () => sizeUnit),
    /** Price group of each instrument, ticks. */
    groups: v.fallback(v.record(v.string(), v.pipe(v.number(), v.integer(), v.minValue(1))), () => ({
      ...groups,
    })),
  });

export type LadderSettings = v.InferOutput<ReturnType<typeof ladderSettings>>;
