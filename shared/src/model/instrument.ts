import type { Scale } from './units.ts';

/** `VENUE:BASE-QUOTE`, perpetuals `VENUE:BASE-QUOTE-PERP`. */
export type InstrumentId = string;

export const instrumentKinds = ['spot', 'perpetual', 'future', 'option', 'fx', 'equity'] as const;
export type InstrumentKind = (typeof instrumentKinds)[number];

/**
 * Where the data comes from; every screen shows what is not `live`. `bridged` comes as it happens, but
 * through a library: the venue's sequence numbers and checksums were not checked here.
 */
export const origins = ['live', 'bridged', 'delayed', 'replayed', 'simulated'] as const;
export type Origin = (typeof origins)[number];

/** What the venue lets be done with the instrument now. */
export const tradingStatuses = ['trading', 'halted', 'closed'] as const;
export type TradingStatus = (typeof tradingStatuses)[number];

export interface Instrument {
  readonly id: InstrumentId;
  readonly venue: string;
  /** The venue's own name for it. */
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  readonly kind: InstrumentKind;
  /** For people: `Bitcoin / US dollar`. */
  readonly name: string;
  readonly tick: Scale;
  readonly lot: Scale;
  readonly status: TradingStatus;
  readonly origin: Origin;
  /** Silence on the book after which it is no longer `live`, in milliseconds. */
  readonly staleAfterMs: number;
}

export const instrumentIdPattern = /^[a-z0-9-]{1,32}:\S{1,64}$/;

export function isInstrumentId(value: unknown): value is InstrumentId {
  return typeof value === 'string' && instrumentIdPattern.test(value);
}

/** Whether prices and sizes of the two are counted in the same units. */
export function hasSameScales(a: Instrument, b: Instrument): boolean {
  return (['tick', 'lot'] as const).every(
    (key) => a[key].units === b[key].units && a[key].decimals === b[key].decimals,
  );
}
