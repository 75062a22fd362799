import {
  decimalScale,
  DepthwireError,
  scaleOf,
  type Instrument,
  type TradingStatus,
} from '@depthwire/shared';
import { checkTexts, isRecord, malformed, parseJson } from '../../core/frame-checks.ts';
import { spotInstrument } from '../../core/spot-instrument.ts';
import type { Metadata } from '../../core/venue.ts';
import type { Product } from './messages.ts';

/** Silence of a book after which it is not trusted to be fresh. */
const STALE_AFTER_MS = 60_000;

/**
 * Instruments from the venue's list of products. A product that is another's alias (`BTC-USDC` of
 * `BTC-USD`) has that one's book, and its data come under that one's name: this is its symbol.
 * @param symbols products in any case; empty for all that trade, but for aliases
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseProducts(body: string, symbols: readonly string[]): Metadata {
  const answer = parseJson(body);
  const products = isRecord(answer) ? answer.products : undefined;
  if (!Array.isArray(products)) throw malformed('products', 'an array', products);
  const wanted = new Set(symbols.map(normalise));
  const isAskedFor = new Set(wanted);
  const instruments: Instrument[] = [];
  const refused = new Map<string, DepthwireError>();
  for (const product of products as unknown[]) {
    if (!isRecord(product) || typeof product.product_id !== 'string')
      throw malformed('products', 'product_id in every entry', product);
    if (product.product_type !== undefined && product.product_type !== 'SPOT') continue;
    const id = product.product_id.toUpperCase();
    if (symbols.length > 0 && !wanted.delete(id)) continue;
    try {
      const listed = checkProduct(product);
      if (symbols.length === 0 && (listed.alias || statusOf(listed) === 'closed')) continue;
      if (listed.alias && isAskedFor.has(listed.alias.toUpperCase())) {
        const message = `${id} is another name of ${listed.alias}, with the same book: name one of them`;
        throw new DepthwireError('invalid_config', message, { symbol: id });
      }
      instruments.push(toInstrument(listed));
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      refused.set(id, error);
    }
  }
  for (const symbol of wanted)
    refused.set(symbol, new DepthwireError('unknown_symbol', `Coinbase lists no ${symbol}`, { symbol }));
  return { instruments, refused };
}

function normalise(symbol: string): string {
  return symbol.toUpperCase().replaceAll('/', '-');
}

function checkProduct(product: Record<string, unknown>): Product {
  checkTexts(product, [
    'product_id',
    'base_currency_id',
    'quote_currency_id',
    'base_increment',
    'quote_increment',
    'status',
  ]);
  for (const key of ['price_increment', 'alias']) if (product[key] !== undefined) checkTexts(product, [key]);
  return product as unknown as Product;
}

function toInstrument(product: Product): Instrument {
  const { product_id: id, alias, base_currency_id: base, quote_currency_id: quote } = product;
  return spotInstrument('coinbase', {
    symbol: alias || id,
    base,
    quote,
    tick: scaleOf(product.price_increment || product.quote_increment),
    lot: scaleOf(product.base_increment),
    status: statusOf(product),
    staleAfterMs: STALE_AFTER_MS,
  });
}

/** What a capture without metadata tells: the product, and the digits of its numbers. */
export function guessInstrument(symbol: string, tickDecimals: number, lotDecimals: number): Instrument {
  const [base = symbol, quote = ''] = symbol.split('-');
  return spotInstrument('coinbase', {
    symbol,
    base,
    quote,
    tick: decimalScale(tickDecimals),
    lot: decimalScale(lotDecimals),
    status: 'trading',
    staleAfterMs: STALE_AFTER_MS,
  });
}

function statusOf(product: Product): TradingStatus {
  if (product.status === 'delisted') return 'closed';
  const { is_disabled, trading_disabled, view_only, cancel_only, post_only, auction_mode } = product;
  const flags = [is_disabled, trading_disabled, view_only, cancel_only, post_only, auction_mode];
  return product.status === 'online' && !flags.includes(true) ? 'trading' : 'halted';
}
