import { attempt } from '../../core/frame-checks.ts';
import type { CaptureSink, CaptureSupport } from '../../core/venue.ts';
import type { PriceLevel } from '../../core/levels.ts';
import { parseFrame, parseSnapshot } from './parse.ts';

/** How recorded URLs and frames of Binance are read. */
export const binanceCapture: CaptureSupport = {
  marketOf(url) {
    if (/^wss?:\/\/(data-)?stream\.binance\.(com|vision)\b/.test(url)) return 'spot';
    if (/^wss?:\/\/fstream\.binance\.com\b/.test(url)) return 'usdm';
    if (/^wss?:\/\/dstream\.binance\.com\b/.test(url)) return 'coinm';
    if (/^wss?:\/\/stream\.binance\.us\b/.test(url)) return 'us';
    return null;
  },
  snapshotSymbol(url, market) {
    if (market !== undefined && !isOfMarket(url, market)) return null;
    const symbol = /\/depth\?(?:[^#]*&)?symbol=([^&#]+)/.exec(url)?.[1];
    return symbol ? decoded(symbol).toUpperCase() : null;
  },
  isMetadata: ({ kind, url }) => kind === 'rest' && /\/exchangeInfo\b/.test(url),
  look({ kind, url, data }, sink) {
    if (kind === 'rest') {
      const symbol = binanceCapture.snapshotSymbol(url);
      const snapshot = symbol === null ? null : attempt(() => parseSnapshot(data));
      if (symbol && snapshot) reportLevels(symbol, [...snapshot.bids, ...snapshot.asks], sink);
      return;
    }
    const frame = attempt(() => parseFrame(data));
    if (frame?.kind === 'depth') reportLevels(frame.depth.s, [...frame.depth.b, ...frame.depth.a], sink);
    else if (frame?.kind === 'trade' || frame?.kind === 'aggTrade')
      sink.trade(frame.trade.s, frame.trade.p, frame.trade.q);
  },
};

/** The markets list the same symbols; what tells their answers apart is the path. */
function isOfMarket(url: string, market: string): boolean {
  const path = /\/(api|fapi|dapi)\/v\d/.exec(url)?.[1];
  if (path === undefined) return true;
  return market === 'usdm' ? path === 'fapi' : market === 'coinm' ? path === 'dapi' : path === 'api';
}

function reportLevels(symbol: string, levels: readonly PriceLevel[], sink: CaptureSink): void {
  for (const [price, size] of levels) sink.level(symbol, price, size);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign
  }
}
