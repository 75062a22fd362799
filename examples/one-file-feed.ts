// A complete feed in one file: a WebSocket that sends a snapshot, updates counted without gaps, and trades.
// It reads the venue of `examples/venue/emulator.ts`. Three commands show it, from the top of the checkout:
//
//   npx node examples/venue/emulator.ts
//   npx depthwire serve --config examples/depthwire.yaml
//   npx depthwire tail one-file:BTC-USD
//
// It is the short way: when the connection is lost it says so, and the server starts a fresh feed after a
// while. A venue's adapter (`examples/venue`) reconnects by itself, and resyncs one book without the others.
import type { Feed } from '@depthwire/feeds';
import {
  DepthwireError,
  parseUnits,
  scaleOf,
  type BookState,
  type EpochMs,
  type Instrument,
  type Lots,
  type Ticks,
} from '@depthwire/shared';

type Levels = [price: string, size: string][];

/** The frames of the venue, as far as this feed reads them. */
type Frame =
  | { type: 'snapshot'; seq: number; time: EpochMs; bids: Levels; asks: Levels }
  | { type: 'update'; prev: number; seq: number; time: EpochMs; bids: Levels; asks: Levels }
  | { type: 'trade'; id: number; time: EpochMs; price: string; size: string; side: 'buy' | 'sell' }
  | { type: 'heartbeat' };

/** What the configuration says beside `feed`. */
interface Options {
  readonly url?: string;
  readonly symbol?: string;
}

/** Called for each start: it checks the options, and opens nothing yet. */
export default function createFeed({
  url = 'ws://127.0.0.1:9700/stream',
  symbol = 'BTC-USD',
}: Options): Feed {
  const [base, quote] = String(symbol).split('-');
  if (!base || !quote)
    throw new DepthwireError('invalid_config', `expected BASE-QUOTE, got ${symbol}`, { key: 'symbol' });

  // Prices are counted in ticks of 0.01 and sizes in lots of 0.001: whole numbers from here to the screen.
  const instrument: Instrument = {
    id: `one-file:${base}-${quote}`,
    venue: 'one-file',
    symbol,
    base,
    quote,
    kind: 'spot',
    name: `${base} / ${quote}`,
    tick: scaleOf('0.01'),
    lot: scaleOf('0.001'),
    status: 'trading',
    origin: 'live',
    staleAfterMs: 30_000,
  };
  /** Decimal text as the flat `ticks, lots, ticks, lots` of the events; throws what is off the grid. */
  const flat = (levels: Levels) =>
    levels.flatMap(([price, size]) => [parseUnits(price, instrument.tick), parseUnits(size, instrument.lot)]);

  let socket: WebSocket | null = null;

  return {
    id: `one-file-${symbol.toLowerCase()}`,

    async start({ clock, emit, fail }) {
      emit({ type: 'instrument', instrument });
      const ws = (socket = new WebSocket(url));
      let lastSeq: number | null = null; // null until a snapshot came

      const say = (state: BookState, reason: string | null) =>
        emit({ type: 'book-status', instrument: instrument.id, timeMs: clock.now(), state, reason });
      const subscribe = () => ws.send(JSON.stringify({ op: 'subscribe', symbols: [symbol] }));

      function onFrame(frame: Frame): void {
        if (frame.type === 'heartbeat') return;
        const common = { instrument: instrument.id, venueTimeMs: frame.time, receiveTimeMs: clock.now() };
        if (frame.type === 'trade') {
          const price = parseUnits(frame.price, instrument.tick) as Ticks;
          const size = parseUnits(frame.size, instrument.lot) as Lots;
          emit({ type: 'trade', ...common, id: frame.id, price, size, side: frame.side });
          return;
        }
        const levels = { bids: flat(frame.bids), asks: flat(frame.asks) };
        if (frame.type === 'snapshot') {
          emit({ type: 'book-snapshot', ...common, ...levels });
          say('live', null);
        } else {
          if (lastSeq === null || frame.seq <= lastSeq) return;
          if (frame.prev !== lastSeq) {
            // Something is missing: say so first, then ask for the whole book again.
            say('recovering', `sequence gap: ${frame.prev} does not follow ${lastSeq}`);
            lastSeq = null;
            subscribe();
            return;
          }
          emit({ type: 'book-delta', ...common, ...levels });
        }
        lastSeq = frame.seq;
      }

      ws.onmessage = ({ data }) => {
        try {
          onFrame(JSON.parse(String(data)) as Frame);
        } catch (error) {
          fail(error); // a frame that cannot be read may have been an update
        }
      };
      await new Promise<void>((resolve, reject) => {
        const lost = () => new DepthwireError('venue_http', `no connection to ${url}`);
        ws.onopen = () => resolve();
        ws.onerror = () => reject(lost());
        ws.onclose = () => fail(lost());
      });
      subscribe();
    },

    // After it nothing may be emitted any more, and a second call does no harm.
    async stop() {
      if (!socket) return;
      socket.onmessage = socket.onclose = socket.onerror = null;
      socket.close();
    },

    // The engine has found the book wrong (crossed, or an update that it could not take).
    resync: () => socket?.send(JSON.stringify({ op: 'subscribe', symbols: [symbol] })),
  };
}
