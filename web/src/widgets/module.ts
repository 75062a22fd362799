import { defineWidgets as define, type LoadFace } from './element.ts';
import type { DefineOptions } from './types.ts';

export { kinds } from './kinds.ts';
export type * from './types.ts';

/** Written out, so that a bundler sees which files there are. */
const load: LoadFace = (kind) => {
  switch (kind) {
    case 'ticker':
      return import('./kinds/ticker.ts');
    case 'ticker-tape':
      return import('./kinds/ticker-tape.ts');
    case 'mini-chart':
      return import('./kinds/mini-chart.ts');
    case 'order-book':
      return import('./kinds/order-book.ts');
    case 'depth':
      return import('./kinds/depth.ts');
    case 'trades':
      return import('./kinds/trades.ts');
    case 'market-table':
      return import('./kinds/market-table.ts');
    case 'heat-tiles':
      return import('./kinds/heat-tiles.ts');
    case 'symbol-overview':
      return import('./kinds/symbol-overview.ts');
    case 'status':
      return import('./kinds/status.ts');
  }
};

/** Defines `<depthwire-ticker>` and the others, once. On a server, where there are no elements, it does nothing. */
export function defineWidgets(options: DefineOptions = {}): void {
  if (typeof customElements !== 'undefined') define(load, options);
}
