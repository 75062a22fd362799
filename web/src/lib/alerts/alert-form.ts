import { formatUnits, unitsToNumber, type Instrument } from '@depthwire/shared';
import { localDecimal, percentText, readDecimal, readShorthand, type NumberStyle } from '../format/locale.ts';
import { groupThousands } from '../format/price.ts';
import { m } from '../paraglide/messages.js';
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

export const kindNames: Readonly<Record<ConditionKind, () => string>> = {
  price: m.alert_kind_price,
  spread: m.alert_kind_spread,
  imbalance: m.alert_kind_imbalance,
  trade: m.alert_kind_trade,
  stale: m.alert_kind_stale,
  move: m.alert_kind_move,
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
    const typed = Object.fromEntries(
      Object.entries(rest).map(([name, value]) => [
        name,
        typeof value === 'string' && /^-?[\d.]+$/.test(value) ? localDecimal(value) : String(value),
      ]),
    );
    Object.assign(fields[kind], typed);
  }
  return fields;
}

/**
 * The numbers as the page's language writes them, after it was another: what was typed as `1.234` would be a
 * thousand times as much in the next. What is no number stays.
 */
export function rewriteNumbers(fields: Fields, from: NumberStyle): void {
  for (const kind of Object.keys(kindNames) as ConditionKind[]) {
    const entries: Record<string, string> = fields[kind];
    for (const [name, text] of Object.entries(entries)) entries[name] = rewrite(text, from);
  }
  fields.pause = rewrite(fields.pause, from);
}

/** A number, one with a `k` or an `M`, or a distance in percent. */
function rewrite(text: string, from: NumberStyle): string {
  const [, sign = '', digits = '', percent = ''] =
    /^\s*([+\-\u2212]?\s*)([\d.,].*?)(\s*[%kKmM]?)\s*$/.exec(text) ?? [];
  const plain = readDecimal(digits, from);
  return /^\d*\.?\d+$/.test(plain) ? sign + localDecimal(plain) + percent : text;
}

/** What is wrong, and with which entry of the condition, or `instrument` or `repeatAfter`. */
export interface Refusal {
  readonly problem: string;
  readonly entry: string;
}

/** @returns what is asked for, or what is wrong with it and should be said */
export function specOf(
  fields: Fields,
  instrument: Instrument | undefined,
): { spec: AlertSpec; problem: null } | ({ spec: null } & Refusal) {
  const refuse = (problem: string, entry: string) => ({ spec: null, problem, entry }) as const;
  if (!instrument) return refuse(m.no_instrument({ id: fields.instrument }), 'instrument');
  const { kind } = fields;
  const value = {
    instrument: instrument.id,
    condition: { kind, ...conditionOf(fields) },
    repeatAfter: fields.repeats ? numberOf(fields.pause) : null,
  };
  const problem = problemOf(value);
  if (problem !== null) {
    const isApart = kind === 'price' && relativePercent(fields.price.level) !== null;
    return refuse(isApart ? m.alert_want_last() : problem.message, problem.entry);
  }
  const spec = readSpec(value);
  const offGrid = mismatch(spec.condition, instrument);
  return offGrid === null ? { spec, problem: null } : refuse(offGrid, kind === 'trade' ? 'atLeast' : 'level');
}

/** `+0.2%`: how far from the last price, in percent; null for anything else. */
function relativePercent(text: string): number | null {
  const [, sign, digits] = /^([+\-\u2212])\s*([\d.,]+)\s*%$/.exec(text.trim()) ?? [];
  const percent = digits === undefined ? NaN : Number(readDecimal(digits));
  return Number.isFinite(percent) ? (sign === '+' ? percent : -percent) : null;
}

/**
 * A level that was typed as a distance from the last price, as the price on the grid that is nearest; `90k` in full.
 * @param last ticks; null while there is none
 * @returns what was typed where it is neither, or cannot be reckoned
 */
export function absoluteLevel(text: string, last: number | null, { tick }: Pick<Instrument, 'tick'>): string {
  if (/[km]\s*$/i.test(text)) return localDecimal(readShorthand(text) ?? text);
  const percent = relativePercent(text);
  if (percent === null || last === null) return text;
  const ticks = Math.round(last * (1 + percent / 100));
  return Number.isSafeInteger(ticks) ? localDecimal(formatUnits(ticks, tick)) : text;
}

/** How far a level is from the last price, as a ratio; null where either is none. */
export function distanceOf(
  level: string,
  last: number | null,
  { tick }: Pick<Instrument, 'tick'>,
): number | null {
  if (last === null || last <= 0 || level.trim() === '') return null;
  const ratio = Number(readDecimal(level)) / unitsToNumber(last, tick) - 1;
  return Number.isFinite(ratio) ? ratio : null;
}

/**
 * What a level comes to while it is typed, or what is wrong with it.
 * @param last ticks; null while there is none
 */
export function levelReading(
  fields: Fields,
  last: number | null,
  instrument: Instrument | undefined,
): { text: string; isWrong: boolean } {
  const typed = fields.price.level.trim();
  // Nothing yet, or a distance that waits for its percent sign.
  if (!instrument || /^$|^-$|^[+\u2212][\s\d.,]*$/.test(typed)) return { text: '', isWrong: false };
  const level = absoluteLevel(typed, last, instrument);
  const { problem, ...refused } = specOf({ ...fields, price: { ...fields.price, level } }, instrument);
  if (problem !== null && 'entry' in refused && refused.entry === 'level')
    return { text: problem, isWrong: true };
  const [whole = '', fraction = ''] = readDecimal(level).split('.');
  const decimals = fraction.padEnd(instrument.tick.decimals, '0');
  const price = groupThousands(decimals ? `${whole}.${decimals}` : whole);
  const ratio = distanceOf(level, last, instrument);
  if (ratio === null) return { text: m.alert_level_is({ price }), isWrong: false };
  const share = Math.abs(ratio * 100);
  const percent = percentText(share.toFixed(share < 0.01 ? 4 : 2));
  const way = ratio === 0 ? 'at' : ratio > 0 ? 'above' : 'below';
  return { text: m.alert_level_reads({ way, price, percent }), isWrong: false };
}

function conditionOf(fields: Fields): object {
  switch (fields.kind) {
    case 'price':
      return { ...fields.price, level: readDecimal(fields.price.level) };
    case 'spread': {
      const above = readDecimal(fields.spread.above);
      return {
        ...fields.spread,
        above: fields.spread.unit === 'ticks' ? numberOf(fields.spread.above) : above,
      };
    }
    case 'imbalance':
      return {
        ...fields.imbalance,
        share: readDecimal(fields.imbalance.share),
        reach: numberOf(fields.imbalance.reach),
      };
    case 'trade':
      return { ...fields.trade, atLeast: readDecimal(fields.trade.atLeast) };
    case 'stale':
      return { seconds: numberOf(fields.stale.seconds) };
    case 'move':
      return {
        ...fields.move,
        percent: readDecimal(fields.move.percent),
        minutes: numberOf(fields.move.minutes),
      };
  }
}

/** Nothing typed is no number, rather than zero. */
function numberOf(text: string): number {
  return text.trim() === '' ? NaN : Number(readDecimal(text));
}
