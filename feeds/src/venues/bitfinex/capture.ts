import { DepthwireError } from '@depthwire/shared';
import type { CaptureSupport } from '../../core/venue.ts';
import { Channels, isBook } from './channels.ts';
import { checkLevels, parseFrame } from './parse.ts';

/** How recorded URLs and frames of Bitfinex are read. */
export const bitfinexCapture: CaptureSupport = {
  marketOf: (url) => (/^wss?:\/\/(api|api-pub)\.bitfinex\.com\/ws\/2\b/.test(url) ? 'spot' : null),
  snapshotSymbol: () => null,
  // A list alone tells no digits: the wire, which does, is not to be overruled by it.
  isMetadata: ({ kind, url }) =>
    kind === 'rest' && /\/v2\/(conf\/pub:list:pair:exchange(,|%2C)|tickers\?|platform\/status)/i.test(url),
  look() {
    // Frames name channels by numbers that only the frames before them explain: see `createLook`.
  },
  createLook() {
    const channels = new Channels();
    return ({ kind, data }, sink) => {
      if (kind === 'rest') return;
      try {
        const frame = parseFrame(data);
        if (frame.kind === 'subscribed') {
          channels.open(frame.subscribed);
          if (isBook(frame.subscribed)) sink.book(frame.subscribed.symbol);
        } else if (frame.kind === 'unsubscribed') channels.close(frame.chanId);
        else if (frame.kind === 'trade') {
          const symbol = channels.get(frame.chanId)?.symbol;
          if (symbol !== undefined) sink.trade(symbol, frame.trade.price, frame.trade.size);
        } else if (frame.kind === 'data') {
          if (!channels.isTold(frame.chanId)) sink.stranger();
          const symbol = channels.book(frame.chanId)?.symbol;
          if (symbol === undefined) return;
          const { bids, asks } = checkLevels(frame.payload);
          for (const [price, size] of [...bids, ...asks]) sink.level(symbol, price, size);
        }
      } catch (error) {
        if (!(error instanceof DepthwireError)) throw error; // the session reports what makes no sense
      }
    };
  },
};
