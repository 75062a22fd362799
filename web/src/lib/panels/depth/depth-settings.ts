import * as v from 'valibot';
import { m } from '../../paraglide/messages.js';
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
      label: m.depth_shape(),
      options: oneOf(
        { cumulative: m.depth_cumulative(), levels: m.depth_levels() },
        settings.shape,
        (shape) => (settings.shape = shape),
      ),
    },
    {
      label: m.depth_across(),
      options: oneOf({ price: m.price(), percent: m.depth_percent() }, settings.x, (x) => (settings.x = x)),
    },
    {
      label: m.depth_up(),
      options: oneOf(
        { size: m.depth_size({ currency: base }), notional: m.depth_value({ currency: quote }) },
        settings.y,
        (y) => (settings.y = y),
      ),
    },
    {
      label: m.depth_below(),
      options: [toggle(m.order_cost(), settings.order, (order) => (settings.order = order))],
    },
  ];
}
