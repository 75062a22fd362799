import type { Formats } from './format.ts';

/** By how coarse a label of a time axis is, as lightweight-charts counts: year, month, day, time, time with seconds. */
const marks: readonly Intl.DateTimeFormatOptions[] = [
  { year: 'numeric' },
  { month: 'short' },
  { day: 'numeric' },
  { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
];

/** Times as a chart writes them; unix seconds. */
export class ChartTimes {
  readonly #formats: Formats;
  readonly #marks: Intl.DateTimeFormat[] = [];
  #full: Intl.DateTimeFormat | null = null;

  constructor(formats: Formats) {
    this.#formats = formats;
  }

  /** Of a crosshair, with its date. */
  full(seconds: number): string {
    this.#full ??= this.#formats.dates({
      ...{ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
    });
    return this.#full.format(seconds * 1000);
  }

  /** Of the axis. */
  mark(seconds: number, coarseness: number): string {
    const options = marks[coarseness] ?? marks[3]!;
    return (this.#marks[coarseness] ??= this.#formats.dates(options)).format(seconds * 1000);
  }
}
