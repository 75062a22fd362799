import { DepthwireError } from '@depthwire/shared';
import type { CaptureSupport } from '../../core/venue.ts';
import { parseFrame } from './parse.ts';
import { marketOfSymbol } from './symbols.ts';

/** How recorded URLs and frames of Deribit are read. */
export const deribitCapture: CaptureSupport = {
  marketOf: (url) => (/^wss?:\/\/[a-z]+\.deribit\.com\/ws\/api\/v2\b/.test(url) ? 'futures' : null),
  marketOfSymbol,
  snapshotSymbol: () => null,
  isMetadata: ({ kind, url }) => kind === 'rest' && /\/get_instruments\b/.test(url),
  look({ kind, data }, sink) {
    if (kind === 'rest') return;
    try {
      const frame = parseFrame(data);
      if (frame.kind === 'book') {
        const { instrument, bids, asks } = frame.book;
        sink.book(instrument);
        for (const [price, size] of [...bids, ...asks]) sink.level(instrument, price, size);
      } else if (frame.kind === 'trades') {
        for (const { instrument, price, amount } of frame.trades) sink.trade(instrument, price, amount);
      }
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error; // the session reports what makes no sense
    }
  },
};
