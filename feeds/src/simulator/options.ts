import { DepthwireError } from '@depthwire/shared';
import { marketProfiles } from './profiles.ts';
import type { MarketProfile } from './profiles.ts';

const DEFAULT_SEED = 'depthwire';
const DEFAULT_HISTORY_DAYS = 180;
const MAX_HISTORY_DAYS = 3650;
const MIN_RATE = 0.01;
const MAX_RATE = 20;
const MAX_SEED_CHARS = 100;

export interface SimulatorOptions {
  /** The same seed gives the same markets, past and future. Default: `depthwire`. */
  readonly seed?: number | string;
  /** Ids of the instruments to simulate; all when left out. The others do not change by it. */
  readonly instruments?: readonly string[];
  /** Multiplies orders, trades and volume, not volatility: 0.01 to 20, 1 by default. */
  readonly rate?: number;
  /** Days of candles before the start: 0 to 3650, 180 by default. */
  readonly historyDays?: number;
}

export interface CheckedOptions {
  readonly seed: string;
  readonly profiles: readonly MarketProfile[];
  readonly rate: number;
  readonly historyDays: number;
}

const KEYS = ['seed', 'instruments', 'rate', 'historyDays'] as const satisfies (keyof SimulatorOptions)[];

/** @throws DepthwireError `invalid_config` that names the key and the fix */
export function checkOptions(options: SimulatorOptions): CheckedOptions {
  for (const key of Object.keys(options)) {
    if (!(KEYS as readonly string[]).includes(key)) {
      throw wrong(key, `is not an option of the simulator; use ${KEYS.join(', ')}`);
    }
  }
  const { seed = DEFAULT_SEED, rate = 1, historyDays = DEFAULT_HISTORY_DAYS } = options;
  const seedFits =
    typeof seed === 'string' ? seed !== '' && seed.length <= MAX_SEED_CHARS : Number.isSafeInteger(seed);
  if (!seedFits) {
    throw wrong(
      'seed',
      `must be a whole number or a text of 1 to ${MAX_SEED_CHARS} characters, got ${show(seed)}`,
    );
  }
  if (typeof rate !== 'number' || !(rate >= MIN_RATE && rate <= MAX_RATE)) {
    throw wrong('rate', `must be a number from ${MIN_RATE} to ${MAX_RATE}, got ${show(rate)}`);
  }
  if (!Number.isInteger(historyDays) || historyDays < 0 || historyDays > MAX_HISTORY_DAYS) {
    throw wrong(
      'historyDays',
      `must be a whole number from 0 to ${MAX_HISTORY_DAYS}, got ${show(historyDays)}`,
    );
  }
  return { seed: String(seed), profiles: profilesOf(options.instruments), rate, historyDays };
}

function profilesOf(ids: readonly string[] | undefined): readonly MarketProfile[] {
  if (ids === undefined) return marketProfiles;
  if (!Array.isArray(ids) || ids.length === 0) {
    throw wrong('instruments', `must be a list of at least one id such as "sim:BTC-USD", got ${show(ids)}`);
  }
  for (const id of ids) {
    if (!marketProfiles.some(({ instrument }) => instrument.id === id)) {
      const known = marketProfiles.map(({ instrument }) => instrument.id).join(', ');
      throw wrong('instruments', `names ${show(id)}, which is not simulated; choose from ${known}`);
    }
  }
  return marketProfiles.filter(({ instrument }) => ids.includes(instrument.id));
}

function wrong(key: string, problem: string): DepthwireError {
  return new DepthwireError('invalid_config', `simulator option "${key}" ${problem}`, { key });
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 60);
}
