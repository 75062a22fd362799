import type { Instrument, Scale, TradingStatus } from '@depthwire/shared';

/** A live spot instrument, named as everywhere here. @param quote empty where it is not known */
export function spotInstrument(venue: string, { symbol, base, quote, ...rest }: SpotListing): Instrument {
  return {
    id: `${venue}:${base}${quote ? `-${quote}` : ''}`,
    venue,
    symbol,
    base,
    quote,
    kind: 'spot',
    name: `${base}${quote ? ` / ${quote}` : ''}`,
    origin: 'live',
    ...rest,
  };
}

export interface SpotListing {
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  readonly tick: Scale;
  readonly lot: Scale;
  readonly status: TradingStatus;
  readonly staleAfterMs: number;
}
