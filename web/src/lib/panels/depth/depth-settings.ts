import * as v from 'valibot';
import { oneOf, toggle, type ViewSection } from '../../ui/ViewMenu.svelte';

/** What is chosen for a depth chart. */
export const depthSettings = v.object({
  /** `cumulative`: size from the touch to each price. `levels`: what rests at each price. */
  shape: v.fallback(v.picklist(['cumulative', 'levels']), 'cumulative'),
  x: v.fallback(v.picklist(['price', 'percent']), 'price'),
  /** `notional` is in the quote currency. */
  y: v.fallback(v.picklist(['size', 'notional']), 'size'),
  /** Whether the market order is shown below the chart. */
  order: v.fallback(v.boolean(), true),
  /** Size of that order for each base currency, as it was written. */
  sizes: v.fallback(v.record(v.string(), v.string()), () => ({})),
});
export type DepthSettings = v.InferOutput<typeof depthSettings>;

export function depthMenu(settings: DepthSettings, base: string, quote: string): ViewSection[] {
  return [
    {
      label: 'Shape',
      options: oneOf(
        { cumulative: 'Cumulative from the mid', levels: 'Size at each price' },
        settings.shape,
        (shape) => (settings.shape = shape),
      ),
    },
    {
      label: 'Across',
      options: oneOf(
        { price: 'Price', percent: 'Percent from the mid' },
        settings.x,
        (x) => (settings.x = x),
      ),
    },
    {
      label: 'Up',
      options: oneOf(
        { size: `Size, ${base}`, notional: `Value, ${quote}` },
        settings.y,
        (y) => (settings.y = y),
      ),
    },
    {
      label: 'Below',
      options: [toggle('Cost of a market order', settings.order, (order) => (settings.order = order))],
    },
  ];
}
