import type { Session } from './profiles.ts';

/**
 * How busy the hours and days of a market are, as weights around 1. Equities and futures trade
 * round the clock and on weekends here, only thinly: a demonstration has no closing time.
 */
const WEEKEND_WEIGHT: Readonly<Record<Session, number>> = { crypto: 0.75, fx: 0.4, equity: 0.4, future: 0.4 };
const DAYS_A_WEEK = 7;
/** 1 January 1970 was a Thursday, so Saturday is day 2 of a week counted from it. */
const SATURDAY = 2;

interface Bump {
  readonly hour: number;
  readonly width: number;
  readonly height: number;
}

/** Busy hours (UTC) on top of a quiet floor. */
// prettier-ignore
const HOURS: Readonly<Record<Session, { readonly floor: number; readonly bumps: readonly Bump[] }>> = {
  crypto: { floor: 0.75, bumps: [{ hour: 1, width: 2, height: 0.3 }, { hour: 15, width: 3.5, height: 0.8 }] },
  fx: { floor: 0.45, bumps: [{ hour: 1, width: 2, height: 0.3 }, { hour: 8, width: 1.8, height: 0.9 }, { hour: 14, width: 2, height: 1.3 }] },
  equity: { floor: 0.4, bumps: [{ hour: 14.6, width: 0.8, height: 2.2 }, { hour: 17.5, width: 2.2, height: 0.9 }, { hour: 20.6, width: 0.7, height: 1.9 }] },
  future: { floor: 0.5, bumps: [{ hour: 8, width: 2, height: 0.5 }, { hour: 14.6, width: 1.4, height: 1.6 }, { hour: 18.5, width: 2, height: 0.8 }] },
};

const MINUTES_A_DAY = 1440;

/** The weight of every minute of a day, with mean 1. */
function minuteWeights(session: Session): Float64Array {
  const { floor, bumps } = HOURS[session];
  const weights = Float64Array.from({ length: MINUTES_A_DAY }, (_, minute) => {
    let weight = floor;
    for (const bump of bumps) {
      const distance = Math.abs(minute / 60 - bump.hour);
      const hours = Math.min(distance, 24 - distance);
      weight += bump.height * Math.exp(-0.5 * (hours / bump.width) ** 2);
    }
    return weight;
  });
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / MINUTES_A_DAY;
  return weights.map((weight) => weight / mean);
}

const MINUTE_WEIGHTS: Readonly<Record<Session, Float64Array>> = {
  crypto: minuteWeights('crypto'),
  fx: minuteWeights('fx'),
  equity: minuteWeights('equity'),
  future: minuteWeights('future'),
};

/** Weight of the minute that `secondOfDay` falls in. */
export function hourWeight(session: Session, secondOfDay: number): number {
  return MINUTE_WEIGHTS[session][Math.floor(secondOfDay / 60) % MINUTES_A_DAY]!;
}

/** Weight of a day counted from 1 January 1970; the mean over a week is 1. */
export function dayWeight(session: Session, day: number): number {
  const weekend = WEEKEND_WEIGHT[session];
  const scale = DAYS_A_WEEK / (DAYS_A_WEEK - 2 + 2 * weekend);
  const weekday = day % DAYS_A_WEEK;
  return weekday === SATURDAY || weekday === SATURDAY + 1 ? weekend * scale : scale;
}
