import { scaleOf } from '@depthwire/shared';
import type { Instrument, InstrumentKind } from '@depthwire/shared';
import { crypto, equities, futures, fx } from './profile-tables.ts';
import type { Factor, ProfileRow } from './profile-tables.ts';

export const SIMULATOR_ID = 'sim';

/** Whose hours and weekdays an instrument keeps. */
export type Session = 'crypto' | 'fx' | 'equity' | 'future';

/** How one simulated market behaves. Rates are averages over a week at `rate` 1. */
export interface MarketProfile {
  readonly instrument: Instrument;
  /** Around which the price wanders over the years, in ticks. */
  readonly priceTicks: number;
  /** Standard deviation of the logarithm of the price over a year. */
  readonly annualVolatility: number;
  /** Correlation with each factor; what the squares lack to 1 is the instrument's own. */
  readonly loadings: readonly (readonly [Factor, number])[];
  /** The instrument whose price path this one shares: a perpetual follows its spot. */
  readonly pathOf: string;
  readonly session: Session;
  readonly spreadTicks: number;
  /** Distance between neighbouring levels near the touch; 1 is a book without holes. */
  readonly gapTicks: number;
  /** Levels a side. */
  readonly levels: number;
  /** Typical size of a level near the touch. */
  readonly levelLots: number;
  /** Level updates a second. */
  readonly updatesPerS: number;
  readonly tradesPerS: number;
  /** Mean size of a trade. */
  readonly tradeLots: number;
  /** Large orders rest at whole multiples of this price. */
  readonly roundTicks: number;
  readonly burstsPerHour: number;
  /** Activity in a burst, as a multiple of the usual. */
  readonly burstFactor: number;
}

const MIN_STALE_AFTER_MS = 15_000;
/** A book is stale after a silence in which this many updates were due: it does not happen by chance. */
const STALE_AFTER_UPDATES = 60;

/** Silence that a market with that many level updates a second never keeps by itself. */
export function staleAfterMs(updatesPerS: number): number {
  return Math.max(MIN_STALE_AFTER_MS, Math.ceil((1000 * STALE_AFTER_UPDATES) / updatesPerS));
}

function profileOf(row: ProfileRow, kind: InstrumentKind, session: Session): MarketProfile {
  const suffix = kind === 'perpetual' ? '-PERP' : '';
  const symbol = `${row.base}-${row.quote}${suffix}`;
  const tick = scaleOf(row.tick);
  const lot = scaleOf(row.lot);
  const inTicks = (price: number) => Math.round((price * 10 ** tick.decimals) / tick.units);
  const inLots = (size: number) => Math.max(1, (size * 10 ** lot.decimals) / lot.units);
  return {
    instrument: {
      id: `${SIMULATOR_ID}:${symbol}`,
      venue: SIMULATOR_ID,
      symbol,
      base: row.base,
      quote: row.quote,
      kind,
      name: row.name,
      tick,
      lot,
      status: 'trading',
      origin: 'simulated',
      staleAfterMs: staleAfterMs(row.updatesPerS),
    },
    priceTicks: inTicks(row.price),
    annualVolatility: row.volatility,
    loadings: Object.entries(row.loadings) as [Factor, number][],
    pathOf: `${SIMULATOR_ID}:${row.base}-${row.quote}`,
    session,
    spreadTicks: row.spreadTicks,
    gapTicks: row.gapTicks ?? 1,
    levels: row.levels,
    levelLots: inLots(row.levelSize),
    updatesPerS: row.updatesPerS,
    tradesPerS: row.tradesPerS,
    tradeLots: inLots(row.tradeSize),
    roundTicks: inTicks(row.round),
    burstsPerHour: row.burstsPerHour ?? 6,
    burstFactor: row.burstFactor ?? 5,
  };
}

/**
 * All simulated markets. `sim:BTC-USD-PERP` is the firehose: some 600 level updates a second, and
 * close to 5,000 in bursts of 5 seconds and more, every other minute. `sim:BRK.A-USD` is the quiet
 * one: a wide spread, a level update a second or less and minutes between trades.
 */
export const marketProfiles: readonly MarketProfile[] = [
  ...crypto.spot.map((row) => profileOf(row, 'spot', 'crypto')),
  ...crypto.perpetuals.map((row) => profileOf(row, 'perpetual', 'crypto')),
  ...fx.map((row) => profileOf(row, 'fx', 'fx')),
  ...equities.map((row) => profileOf(row, 'equity', 'equity')),
  ...futures.map((row) => profileOf(row, 'future', 'future')),
];
