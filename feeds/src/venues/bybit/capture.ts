import { attempt } from '../../core/frame-checks.ts';
import type { CaptureSupport } from '../../core/venue.ts';
import { parseFrame } from './parse.ts';

/** How recorded URLs and frames of Bybit are read. */
export const bybitCapture: CaptureSupport = {
  // The last part names the market, also where it is none of ours.
  marketOf: (url) => /^wss?:\/\/[^/]*\b(?:bybit|bytick)[^/]*\/v5\/public\/(\w+)/.exec(url)?.[1] ?? null,
  // Snapshots come on the stream.
  snapshotSymbol: () => null,
  // Recorders ask for all categories, one after the other, and symbols mean another instrument in each.
  isMetadata: ({ kind, url }, market) =>
    kind === 'rest' &&
    /\/instruments-info\b/.test(url) &&
    new RegExp(`[?&]category=${market}(?:&|$)`).test(url),
  look({ kind, data }, sink) {
    if (kind === 'rest') return;
    const frame = attempt(() => parseFrame(data));
    if (frame?.kind === 'book') {
      const { symbol, b, a } = frame.book;
      sink.book(symbol);
      for (const [price, size] of [...b, ...a]) sink.level(symbol, price, size);
    } else if (frame?.kind === 'trades') {
      for (const { s, p, v } of frame.trades) sink.trade(s, p, v);
    }
  },
};
