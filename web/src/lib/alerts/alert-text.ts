import type { Condition } from './alert-model.ts';
import { groupThousands } from '../format/price.ts';

/** The condition for people, in one line. */
export function conditionText(condition: Condition, base: string, quote: string): string {
  switch (condition.kind) {
    case 'price': {
      const { of, way, level } = condition;
      return `${of === 'last' ? 'last price' : of} crosses ${way === 'either' ? '' : `${way} `}${groupThousands(level)}`;
    }
    case 'spread':
      return condition.unit === 'ticks'
        ? `spread above ${condition.above} ${condition.above === 1 ? 'tick' : 'ticks'}`
        : `spread above ${condition.above} bps`;
    case 'imbalance': {
      const { way, share, unit, reach } = condition;
      return `bids ${way} ${share}% within ${reach} ${unit}`;
    }
    case 'trade':
      return `trade of ${groupThousands(condition.atLeast)} ${condition.unit === 'base' ? base : quote} or more`;
    case 'stale':
      return `not live for ${condition.seconds} s`;
    case 'move': {
      const { way, percent, minutes } = condition;
      return `${way === 'either' ? 'moves' : way} ${percent}% within ${minutes} min`;
    }
  }
}

/** What is left of an id beside its venue. */
export function pairOf(id: string): string {
  return id.slice(id.indexOf(':') + 1);
}

/** How often, for people. */
export function repeatText(repeatAfter: number | null): string {
  if (repeatAfter === null) return 'once';
  if (repeatAfter % 60 === 0) return `at most every ${repeatAfter / 60} min`;
  return `at most every ${repeatAfter} s`;
}
