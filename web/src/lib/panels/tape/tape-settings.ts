import * as v from 'valibot';
import { m } from '../../paraglide/messages.js';
import type { Preferences } from '../../state/preferences.svelte.ts';
import { oneOf, toggle, type ViewSection } from '../../ui/ViewMenu.svelte';
import { SAME_ORDER_MS } from './aggregate.ts';
import { tapeUnits, tradeValues, valueText } from './tape-values.ts';

/** What is chosen for a tape; what was chosen last is what a new one begins with. */
export const tapeSettings = ({ minimumTrade }: Pick<Preferences, 'minimumTrade'>) =>
  v.object({
    /** Trades that are less are left out. */
    minimum: v.fallback(v.pipe(v.number(), v.minValue(0)), () => minimumTrade),
    /** Of the minimum. */
    unit: v.fallback(v.picklist(tapeUnits), 'quote'),
    side: v.fallback(v.picklist(['both', 'buy', 'sell']), 'both'),
    /** Whether the fills of one aggressor are one row; see `TapeRows`. */
    aggregated: v.fallback(v.boolean(), false),
    /** Whether trades and volume a second are shown. */
    speed: v.fallback(v.boolean(), true),
    /** Value from which a trade is heard; null for silence. */
    soundFrom: v.fallback(v.nullable(v.pipe(v.number(), v.minValue(0))), null),
  });

export type TapeSettings = v.InferOutput<ReturnType<typeof tapeSettings>>;

export function tapeMenu(
  settings: TapeSettings,
  quote: string,
  hear: (from: number | null) => void,
): ViewSection[] {
  const soundText = (value: number | null) =>
    value === null
      ? m.tape_sound_off()
      : value === 0
        ? m.tape_sound_all()
        : m.tape_sound_from({ value: valueText(value), currency: quote });
  return [
    {
      label: m.tape_trades_of(),
      options: oneOf(
        { both: m.tape_both(), buy: m.tape_buyers(), sell: m.tape_sellers() },
        settings.side,
        (side) => (settings.side = side),
      ),
    },
    {
      label: m.view_rows(),
      options: [
        {
          ...toggle(
            m.tape_together(),
            settings.aggregated,
            (aggregated) => (settings.aggregated = aggregated),
          ),
          title: m.tape_together_about({ ms: SAME_ORDER_MS }),
        },
        toggle(m.tape_speed(), settings.speed, (speed) => (settings.speed = speed)),
      ],
    },
    {
      label: m.tape_sound(),
      options: [null, ...tradeValues].map((value) => ({
        text: soundText(value),
        isChosen: value === settings.soundFrom,
        isOne: true,
        choose: () => hear(value),
      })),
    },
  ];
}
