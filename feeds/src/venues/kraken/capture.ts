import { attempt } from '../../core/frame-checks.ts';
import type { CaptureSupport } from '../../core/venue.ts';
import { parseFrame } from './parse.ts';

/** How recorded URLs and frames of Kraken are read. */
export const krakenCapture: CaptureSupport = {
  marketOf: (url) => (/^wss?:\/\/(beta-)?ws\.kraken\.com(:\d+)?\/v2\b/.test(url) ? 'spot' : null),
  snapshotSymbol: () => null, // snapshots come on the stream
  isMetadata: ({ kind, data }) =>
    kind === 'in' && data.includes('"instrument"') && attempt(() => parseFrame(data))?.kind === 'instrument',
  look({ kind, data }, sink) {
    const frame = kind === 'in' ? attempt(() => parseFrame(data)) : null;
    if (frame?.kind === 'book') {
      for (const { symbol, bids, asks } of frame.entries) {
        sink.book(symbol);
        for (const [price, qty] of [...bids, ...asks]) sink.level(symbol, price, qty);
      }
    } else if (frame?.kind === 'trade') {
      for (const { symbol, price, qty } of frame.entries) sink.trade(symbol, price, qty);
    }
  },
};
