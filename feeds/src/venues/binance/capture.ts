import type { CaptureSupport } from '../../core/venue.ts';
import { DepthwireError } from '@depthwire/shared';
import type { PriceLevel } from './messages.ts';
import { parseFrame, parseSnapshot } from './parse.ts';

/** How recorded URLs and frames of Binance are read. */
export const binanceCapture: CaptureSupport = {
  marketOf(url) {
    if (/^wss?:\/\/(data-)?stream\.binance\.(com|vision)\b/.test(url)) return 'spot';
    if (/^wss?:\/\/fstream\.binance\.com\b/.test(url)) return 'usdm';
    return null;
  },
  restKey(url) {
    const symbol = /\/depth\?(?:[^#]*&)?symbol=([^&#]+)/.exec(url)?.[1];
    return symbol ? `depth:${decoded(symbol).toUpperCase()}` : null;
  },
  isMetadata: (url) => /\/exchangeInfo\b/.test(url),
  digits(text, sink) {
    const frame = attempt(() => parseFrame(text));
    if (frame?.kind === 'depth') {
      reportLevels(frame.depth.s, frame.depth.b, sink);
      reportLevels(frame.depth.s, frame.depth.a, sink);
    } else if (frame?.kind === 'trade' || frame?.kind === 'aggTrade') {
      sink.price(frame.trade.s, frame.trade.p);
      sink.size(frame.trade.s, frame.trade.q);
    }
  },
  restDigits(url, body, sink) {
    const symbol = binanceCapture.restKey(url)?.slice('depth:'.length);
    const snapshot = symbol === undefined ? null : attempt(() => parseSnapshot(body));
    if (!symbol || !snapshot) return;
    reportLevels(symbol, snapshot.bids, sink);
    reportLevels(symbol, snapshot.asks, sink);
  },
};

function reportLevels(
  symbol: string,
  levels: readonly PriceLevel[],
  sink: Parameters<CaptureSupport['digits']>[1],
): void {
  for (const [price, quantity] of levels) {
    sink.price(symbol, price);
    sink.size(symbol, quantity);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign
  }
}

/** Frames that make no sense are the session's to report; here they have no digits. */
function attempt<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof DepthwireError) return null;
    throw error;
  }
}
