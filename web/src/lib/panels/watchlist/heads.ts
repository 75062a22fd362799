import type { Column } from './columns.ts';
import type { SortKey } from './sort.ts';

interface Head {
  readonly text: string;
  readonly title: string;
  /** What the list is sorted by where the head is pressed. */
  readonly sortBy?: SortKey;
}

export const heads: Readonly<Record<Column, Head>> = {
  name: { text: 'Instrument', title: 'Instrument', sortBy: 'name' },
  spark: { text: '', title: 'Price of the last day' },
  last: { text: 'Last', title: 'Last price', sortBy: 'last' },
  change: { text: '24 h', title: 'Change in 24 hours', sortBy: 'change' },
  turnover: {
    text: 'Volume',
    title: 'Traded value of 24 hours, in the quote currency',
    sortBy: 'turnover',
  },
  spread: { text: 'bps', title: 'Spread in basis points of the mid', sortBy: 'spread' },
  volume: { text: 'Base vol', title: 'Traded size of 24 hours, in the base currency' },
  bid: { text: 'Bid', title: 'Best bid' },
  ask: { text: 'Ask', title: 'Best ask' },
  high: { text: '24 h high', title: 'Highest price of 24 hours' },
  low: { text: '24 h low', title: 'Lowest price of 24 hours' },
};
