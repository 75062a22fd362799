type Unit = 'millisecond' | 'second' | 'minute' | 'hour' | 'day';

const units: readonly (readonly [Unit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** `5s`, `3m`: in the largest unit of which there is one, cut. */
export function ageOf(milliseconds: number, locale: string): string {
  const age = Math.max(0, milliseconds);
  const [unit, length] = units.find(([, least]) => age >= least) ?? (['second', 1_000] as const);
  return inUnits(Math.floor(age / length), unit, locale);
}

export function inUnits(value: number, unit: Unit, locale: string): string {
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'narrow' }).format(value);
}
