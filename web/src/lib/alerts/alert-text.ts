import { localDecimal, percentText } from '../format/locale.ts';
import { m } from '../paraglide/messages.js';
import type { Instrument } from '@depthwire/shared';
import type { AlertSpec, Condition } from './alert-model.ts';
import { groupThousands } from '../format/price.ts';

/** The condition for people, in one line. */
export function conditionText(condition: Condition, base: string, quote: string): string {
  switch (condition.kind) {
    case 'price': {
      const { of, way, level } = condition;
      return m.alert_price({ of, way, level: groupThousands(level) });
    }
    case 'spread':
      return condition.unit === 'ticks'
        ? m.alert_spread_ticks({ count: condition.above })
        : m.alert_spread_bps({ bps: localDecimal(condition.above) });
    case 'imbalance': {
      const { way, share, unit, reach } = condition;
      return m.alert_imbalance({ way, unit, share: percentText(share), reach });
    }
    case 'trade': {
      const { atLeast, unit } = condition;
      return m.alert_trade({ size: groupThousands(atLeast), currency: unit === 'base' ? base : quote });
    }
    case 'stale':
      return m.alert_stale({ seconds: condition.seconds });
    case 'move': {
      const { way, percent, minutes } = condition;
      return m.alert_move({ way, percent: percentText(percent), minutes });
    }
  }
}

/** An alert for people, in one line. @param instrument where the server has it */
export function alertName(
  { instrument: id, condition }: Pick<AlertSpec, 'instrument' | 'condition'>,
  instrument: Pick<Instrument, 'base' | 'quote'> | undefined,
): string {
  return `${pairOf(id)}, ${conditionText(condition, instrument?.base ?? '', instrument?.quote ?? '')}`;
}

/** What is left of an id beside its venue. */
export function pairOf(id: string): string {
  return id.slice(id.indexOf(':') + 1);
}

/** How often, for people. */
export function repeatText(repeatAfter: number | null): string {
  if (repeatAfter === null) return m.alert_once();
  if (repeatAfter % 60 === 0) return m.alert_repeat_minutes({ minutes: repeatAfter / 60 });
  return m.alert_repeat_seconds({ seconds: repeatAfter });
}
