import { candleIntervals, type Candle } from '@depthwire/shared';
import type { CandleQuery } from '@depthwire/feeds';
import type { MarketView } from '../engine/market.ts';

/** Answers kept; each has some 1,500 candles at most, which is 150 kB. */
const MAX_ANSWERS = 64;
/** A venue may still be writing a candle just after it has closed, seconds. */
const SETTLED_AFTER_S = 60;

/**
 * What feeds have told of the past, for whoever asks for the same page again: a venue is asked once, and
 * nothing is worked out twice. It holds nothing that may still change or that may have been told for want of better:
 * no open candle, none that has just closed, no empty answer and none of a failure.
 */
export class PastCandles {
  /** Those that were asked for longest ago come first. */
  readonly #answers = new Map<string, { readonly market: MarketView; readonly candles: readonly Candle[] }>();

  /** @returns null where it is not kept, or is of a market that has begun anew since */
  get(market: MarketView, query: CandleQuery): readonly Candle[] | null {
    const key = keyOf(query);
    const found = this.#answers.get(key);
    if (found?.market !== market) return null;
    this.#answers.delete(key);
    this.#answers.set(key, found);
    return found.candles;
  }

  /** @param nowS market clock, unix seconds */
  offer(market: MarketView, query: CandleQuery, candles: readonly Candle[], nowS: number): void {
    const lengthS = candleIntervals[query.interval];
    const lastCloseS = Math.ceil(query.toS / lengthS) * lengthS;
    if (candles.length === 0 || lastCloseS + SETTLED_AFTER_S > nowS) return;
    this.#answers.set(keyOf(query), { market, candles });
    if (this.#answers.size > MAX_ANSWERS) this.#answers.delete(this.#answers.keys().next().value!);
  }

  /** A feed that starts anew may know more than it did. */
  clear(): void {
    this.#answers.clear();
  }
}

const keyOf = ({ instrument, interval, fromS, toS }: CandleQuery) =>
  `${interval} ${fromS} ${toS} ${instrument}`;
