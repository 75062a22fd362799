import { attempt } from '../../core/frame-checks.ts';
import type { CaptureSupport } from '../../core/venue.ts';
import { parseFrame } from './parse.ts';

/** How recorded URLs and frames of Coinbase Advanced Trade are read. */
export const coinbaseCapture: CaptureSupport = {
  marketOf: (url) => (/^wss?:\/\/advanced-trade-ws\.coinbase\.com\b/.test(url) ? 'spot' : null),
  snapshotSymbol: () => null, // snapshots come on the stream
  isMetadata: ({ kind, url }) => kind === 'rest' && /\/brokerage\/(market\/)?products(\?|$)/.test(url),
  look({ kind, data }, sink) {
    const body = kind === 'in' ? attempt(() => parseFrame(data))?.body : undefined;
    if (body?.kind === 'book') {
      for (const { productId, bids, asks } of body.events) {
        sink.book(productId);
        for (const [price, size] of bids) sink.level(productId, price, size);
        for (const [price, size] of asks) sink.level(productId, price, size);
      }
    } else if (body?.kind === 'trades') {
      for (const { productId, price, size } of body.trades) sink.trade(productId, price, size);
    }
  },
};
