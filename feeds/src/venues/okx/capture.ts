import { attempt } from '../../core/frame-checks.ts';
import type { CaptureSupport } from '../../core/venue.ts';
import { parseFrame } from './parse.ts';

/** How recorded URLs and frames of OKX are read. */
export const okxCapture: CaptureSupport = {
  // One socket carries instruments of every market; `spot` stands for all of them.
  marketOf: (url) => (/^wss?:\/\/ws[a-z]*\.oke?x\.com(?::\d+)?\/ws\/v5\b/.test(url) ? 'spot' : null),
  // Snapshots come on the stream.
  snapshotSymbol: () => null,
  isMetadata: ({ kind, url }) => kind === 'rest' && /\/(?:public|account)\/instruments\b/.test(url),
  look({ kind, data }, sink) {
    if (kind === 'rest') return;
    const frame = attempt(() => parseFrame(data));
    if (frame?.kind === 'book') {
      sink.book(frame.instId);
      for (const { bids, asks } of frame.data)
        for (const [price, size] of [...bids, ...asks]) sink.level(frame.instId, price, size);
    } else if (frame?.kind === 'trades') {
      for (const { px, sz } of frame.data) sink.trade(frame.instId, px, sz);
    }
  },
};
