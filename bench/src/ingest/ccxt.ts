import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Instrument } from '@depthwire/shared';
import { loadPeer } from '../harness/peers.ts';
import type { Pass } from './pass.ts';

/** What is used of ccxt's `binanceusdm` with WebSockets. */
interface Exchange {
  orderbooks: Record<string, CcxtBook>;
  trades: object;
  clients: object;
  setMarkets(markets: readonly object[]): void;
  parseMarket(info: object): object;
  safeSymbol(id: string, market: undefined, delimiter: undefined, type: string): string;
  fapiPublicGetDepth(request: { readonly symbol: string }): Promise<object>;
  client(url: string): { onMessage(event: { readonly data: string }): void };
  handleOrderBookSubscription(client: object, message: object, subscription: object): void;
}

interface CcxtBook {
  readonly nonce: number | undefined;
  readonly bids: readonly (readonly [number, number])[];
  readonly asks: readonly (readonly [number, number])[];
}

/** Does not hold `/stream`, which ccxt takes for the spot market. */
const URL_OF_FUTURES = 'wss://fstream.binance.com/ws/1';

/**
 * Recordings through the message handler of ccxt's own WebSocket client, which parses a frame and hands it to
 * the exchange. Nobody waits for a book, so ccxt cuts none off and copies none for a caller.
 */
export async function createCcxt(): Promise<Pass> {
  const ccxt = await loadPeer<{ pro: { binanceusdm: new (options: object) => Exchange } }>('ccxt');
  const exchange = new ccxt.pro.binanceusdm({ enableRateLimit: false });
  return async ({ instruments, arrivals }) => {
    exchange.setMarkets(instruments.map((instrument) => exchange.parseMarket(marketInfo(instrument))));
    exchange.orderbooks = {};
    exchange.trades = {};
    exchange.clients = {};
    const snapshots = new Map<string, PromiseWithResolvers<object>>();
    exchange.fapiPublicGetDepth = ({ symbol }) => {
      const answer = Promise.withResolvers<object>();
      snapshots.set(symbol, answer);
      return answer.promise;
    };
    const client = exchange.client(URL_OF_FUTURES);
    const symbols = new Map(
      instruments.map(({ symbol }) => [symbol, exchange.safeSymbol(symbol, undefined, undefined, 'swap')]),
    );
    for (const symbol of symbols.values())
      exchange.handleOrderBookSubscription(client, {}, { symbol, type: 'future' });
    while (snapshots.size < symbols.size) await setTimeout(1); // it asks a moment later
    for (const arrival of arrivals) {
      if (arrival.kind === 'frame') {
        client.onMessage({ data: arrival.text });
        continue;
      }
      snapshots.get(arrival.symbol)!.resolve(JSON.parse(arrival.body) as object);
      const symbol = symbols.get(arrival.symbol)!;
      while (exchange.orderbooks[symbol]!.nonce === undefined) await setImmediate();
    }
    const books = exchange.orderbooks;
    return (hash) => {
      for (const [id, symbol] of symbols) hash.add(id, books[symbol]!);
    };
  };
}

/** An instrument as the venue's `exchangeInfo` lists it. */
function marketInfo({ symbol, base, quote, tick, lot }: Instrument): object {
  const size = ({ units, decimals }: Instrument['tick']) => (units / 10 ** decimals).toFixed(decimals);
  return {
    symbol,
    pair: symbol,
    contractType: 'PERPETUAL',
    status: 'TRADING',
    baseAsset: base,
    quoteAsset: quote,
    marginAsset: quote,
    filters: [
      { filterType: 'PRICE_FILTER', tickSize: size(tick) },
      { filterType: 'LOT_SIZE', stepSize: size(lot) },
    ],
  };
}
