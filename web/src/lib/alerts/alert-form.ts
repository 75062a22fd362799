import type { Instrument } from '@depthwire/shared';
import { problemOf, readSpec, type Alert, type AlertSpec, type ConditionKind } from './alert-model.ts';
import { mismatch } from './alert-rules.ts';

/** What the form holds, as it was typed: of all kinds at once, so that going back to one finds it as it was. */
export interface Fields {
  instrument: string;
  kind: ConditionKind;
  price: { of: string; way: string; level: string };
  spread: { unit: string; above: string };
  imbalance: { way: string; share: string; unit: string; reach: string };
  trade: { unit: string; atLeast: string };
  stale: { seconds: string };
  move: { way: string; percent: string; minutes: string };
  repeats: boolean;
  pause: string;
}

export const kindNames: Readonly<Record<ConditionKind, string>> = {
  price: 'Price crosses',
  spread: 'Spread above',
  imbalance: 'Imbalance',
  trade: 'Large trade',
  stale: 'Data not live',
  move: 'Percent move',
};

export function fieldsOf(instrument: string, alert: Alert | null): Fields {
  const fields: Fields = {
    instrument: alert?.instrument ?? instrument,
    kind: alert?.condition.kind ?? 'price',
    price: { of: 'last', way: 'either', level: '' },
    spread: { unit: 'bps', above: '5' },
    imbalance: { way: 'above', share: '70', unit: 'levels', reach: '10' },
    trade: { unit: 'quote', atLeast: '100000' },
    stale: { seconds: '10' },
    move: { way: 'either', percent: '1', minutes: '5' },
    repeats: alert !== null && alert.repeatAfter !== null,
    pause: String(alert?.repeatAfter ?? 60),
  };
  if (alert) {
    const { kind, ...rest } = alert.condition;
    const typed = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]));
    Object.assign(fields[kind], typed);
  }
  return fields;
}

/** @returns what is asked for, or what is wrong with it and should be said */
export function specOf(
  fields: Fields,
  instrument: Instrument | undefined,
): { spec: AlertSpec; problem: null } | { spec: null; problem: string } {
  const refuse = (problem: string) => ({ spec: null, problem }) as const;
  if (!instrument) return refuse(`No instrument “${fields.instrument}” on this server`);
  const { kind } = fields;
  const value = {
    instrument: instrument.id,
    condition: { kind, ...conditionOf(fields) },
    repeatAfter: fields.repeats ? numberOf(fields.pause) : null,
  };
  const problem = problemOf(value);
  if (problem !== null) return refuse(problem);
  const spec = readSpec(value);
  const offGrid = mismatch(spec.condition, instrument);
  return offGrid === null ? { spec, problem: null } : refuse(offGrid);
}

function conditionOf(fields: Fields): object {
  const plain = (text: string) => text.trim().replaceAll(',', '');
  switch (fields.kind) {
    case 'price':
      return { ...fields.price, level: plain(fields.price.level) };
    case 'spread': {
      const above = plain(fields.spread.above);
      return { ...fields.spread, above: fields.spread.unit === 'ticks' ? numberOf(above) : above };
    }
    case 'imbalance':
      return {
        ...fields.imbalance,
        share: plain(fields.imbalance.share),
        reach: numberOf(fields.imbalance.reach),
      };
    case 'trade':
      return { ...fields.trade, atLeast: plain(fields.trade.atLeast) };
    case 'stale':
      return { seconds: numberOf(fields.stale.seconds) };
    case 'move':
      return { ...fields.move, percent: plain(fields.move.percent), minutes: numberOf(fields.move.minutes) };
  }
}

/** Nothing typed is no number, rather than zero. */
function numberOf(text: string): number {
  return text.trim() === '' ? NaN : Number(text);
}
