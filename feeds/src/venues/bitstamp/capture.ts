import { attempt } from '../../core/frame-checks.ts';
import type { PriceLevel } from '../../core/levels.ts';
import type { CaptureSink, CaptureSupport } from '../../core/venue.ts';
import { diffSymbol, parseFrame, parseSnapshot } from './parse.ts';
import { marketOfSymbol } from './symbols.ts';

/** How recorded URLs and frames of Bitstamp are read. */
export const bitstampCapture: CaptureSupport = {
  marketOf: (url) => (/^wss?:\/\/ws\.bitstamp\.net\b/.test(url) ? 'spot' : null),
  marketOfSymbol,
  snapshotSymbol: (url) =>
    /\/api\/v2\/order_book\/([\w-]+)\/?(?:[?#]|$)/.exec(url)?.[1]?.toLowerCase() ?? null,
  isMetadata: ({ kind, url }) =>
    kind === 'rest' && /\/api\/v2\/(?:trading-pairs-info|markets)\/?(?:[?#]|$)/.test(url),
  look({ kind, url, data }, sink) {
    if (kind === 'rest') {
      const symbol = bitstampCapture.snapshotSymbol(url);
      const snapshot = symbol === null ? null : attempt(() => parseSnapshot(data));
      if (symbol && snapshot) reportLevels(symbol, [...snapshot.bids, ...snapshot.asks], sink);
      return;
    }
    const frame = attempt(() => parseFrame(data));
    if (frame?.kind === 'diff')
      reportLevels(frame.diff.symbol, [...frame.diff.bids, ...frame.diff.asks], sink);
    else if (frame?.kind === 'trade') sink.trade(frame.trade.symbol, frame.trade.price, frame.trade.amount);
    else if (frame?.kind === 'subscribed') {
      const symbol = diffSymbol(frame.channel);
      if (symbol) sink.book(symbol); // a quiet market's diffs may be none
    }
  },
};

function reportLevels(symbol: string, levels: readonly PriceLevel[], sink: CaptureSink): void {
  sink.book(symbol);
  for (const [price, size] of levels) sink.level(symbol, price, size);
}
