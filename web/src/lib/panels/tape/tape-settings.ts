import * as v from 'valibot';
import { formatCompact } from '../../format/number.ts';
import type { Preferences } from '../../state/preferences.svelte.ts';
import { oneOf, toggle, type ViewSection } from '../../ui/ViewMenu.svelte';
import { SAME_ORDER_MS } from './aggregate.ts';

/** Values of a trade to choose from, in the quote currency. */
export const tradeValues = [0, 1_000, 10_000, 100_000, 1_000_000] as const;

/** What is chosen for a tape; what was chosen last is what a new one begins with. */
export const tapeSettings = ({ minimumTrade }: Pick<Preferences, 'minimumTrade'>) =>
  v.object({
    /** Trades that are worth less are left out; in the quote currency. */
    minimum: v.fallback(v.pipe(v.number(), v.minValue(0)), () => minimumTrade),
    side: v.fallback(v.picklist(['both', 'buy', 'sell']), 'both'),
    /** Whether the fills of one aggressor are one row; see `TapeRows`. */
    aggregated: v.fallback(v.boolean(), false),
    /** Whether trades and volume a second are shown. */
    speed: v.fallback(v.boolean(), true),
    /** Value from which a trade is heard; null for silence. */
    soundFrom: v.fallback(v.nullable(v.pipe(v.number(), v.minValue(0))), null),
  });

export type TapeSettings = v.InferOutput<ReturnType<typeof tapeSettings>>;

/** `10K`, `1M`. */
export function valueText(value: number): string {
  return formatCompact(value).replace(/\.0+(?=\D|$)/, '');
}

export function tapeMenu(
  settings: TapeSettings,
  quote: string,
  hear: (from: number | null) => void,
): ViewSection[] {
  const soundText = (value: number | null) =>
    value === null ? 'Off' : value === 0 ? 'All trades' : `From ${valueText(value)} ${quote}`;
  return [
    {
      label: 'Trades of',
      options: oneOf(
        { both: 'Buyers and sellers', buy: 'Buyers', sell: 'Sellers' },
        settings.side,
        (side) => (settings.side = side),
      ),
    },
    {
      label: 'Rows',
      options: [
        {
          ...toggle(
            'Fills of one order together',
            settings.aggregated,
            (aggregated) => (settings.aggregated = aggregated),
          ),
          title: `Trades that follow each other, of one side, within ${SAME_ORDER_MS} ms of the first, at prices that get no better for who took them`,
        },
        toggle('Trades and volume a second', settings.speed, (speed) => (settings.speed = speed)),
      ],
    },
    {
      label: 'Sound, while the panel is in front',
      options: [null, ...tradeValues].map((value) => ({
        text: soundText(value),
        isChosen: value === settings.soundFrom,
        isOne: true,
        choose: () => hear(value),
      })),
    },
  ];
}
