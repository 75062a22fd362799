/** Prices at a fixed step of time, the newest last. */
export interface Series {
  readonly stepSeconds: number;
  /** Open time of the last value, unix seconds. */
  readonly time: number;
  readonly values: readonly number[];
}

/** Puts a newer price at the end: over the last value within its step, else behind it. */
export function extendSeries(series: Series, timeSeconds: number, value: number, length: number): Series {
  const steps = Math.floor((timeSeconds - series.time) / series.stepSeconds);
  if (steps <= 0) {
    if (series.values.at(-1) === value) return series;
    return { ...series, values: [...series.values.slice(0, -1), value] };
  }
  return {
    ...series,
    time: series.time + steps * series.stepSeconds,
    values: [...series.values, value].slice(-length),
  };
}

/** An SVG path through the values over the whole box, half a pixel of margin above and below. */
export function sparklinePath(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return '';
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const span = high - low;
  const step = width / (values.length - 1);
  let path = '';
  for (const [i, value] of values.entries()) {
    const y = span === 0 ? height / 2 : 0.5 + (1 - (value - low) / span) * (height - 1);
    path += `${i === 0 ? 'M' : 'L'}${round(i * step)} ${round(y)}`;
  }
  return path;
}

const round = (value: number) => Math.round(value * 10) / 10;
