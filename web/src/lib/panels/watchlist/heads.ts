import { m } from '../../paraglide/messages.js';
import type { Column } from './columns.ts';
import type { SortKey } from './sort.ts';

interface Head {
  readonly text: () => string;
  readonly title: () => string;
  /** What the list is sorted by where the head is pressed. */
  readonly sortBy?: SortKey;
}

export const heads: Readonly<Record<Column, Head>> = {
  name: { text: m.head_name, title: m.head_name_about, sortBy: 'name' },
  spark: { text: () => '', title: m.head_spark_about },
  last: { text: m.head_last, title: m.head_last_about, sortBy: 'last' },
  change: { text: m.head_change, title: m.head_change_about, sortBy: 'change' },
  turnover: {
    text: m.head_turnover,
    title: m.head_turnover_about,
    sortBy: 'turnover',
  },
  spread: { text: m.head_spread, title: m.head_spread_about, sortBy: 'spread' },
  volume: { text: m.head_volume, title: m.head_volume_about },
  bid: { text: m.head_bid, title: m.head_bid_about },
  ask: { text: m.head_ask, title: m.head_ask_about },
  high: { text: m.head_high, title: m.head_high_about },
  low: { text: m.head_low, title: m.head_low_about },
};
