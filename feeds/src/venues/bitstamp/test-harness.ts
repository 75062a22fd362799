import { DepthwireError } from '@depthwire/shared';
import type { HttpCallback } from '../../core/venue.ts';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { FeedObserver, type TextLevel } from '../../kit/index.ts';
import { createBitstampSession } from './session.ts';
import { endpoints } from './subscribe.ts';
import { guessInstrument } from './symbols.ts';

export const START_MS = Date.parse('2026-11-20T12:00:00Z');

/** Microtimestamp of so many milliseconds after the start. */
export const micros = (ms: number) => (START_MS + ms) * 1000;

interface Asked {
  readonly url: string;
  readonly callback: HttpCallback;
}

/** A session with nothing behind it: what it sends and asks is seen, what it hears is written by hand. */
export function startSession(...symbols: readonly string[]) {
  const clock = new VirtualClock(START_MS);
  const observer = new FeedObserver(clock);
  const sent: string[] = [];
  const asked: Asked[] = [];
  const replaced: string[] = [];
  const instruments = symbols.map((symbol) => guessInstrument(symbol, 2, 8));
  for (const instrument of instruments) observer.context.emit({ type: 'instrument', instrument });
  const session = createBitstampSession({
    market: 'spot',
    endpoints: endpoints.spot!,
    instruments,
    io: {
      clock,
      log: observer.context.log,
      emit: observer.context.emit,
      send: (text) => sent.push(text),
      get: (url, callback) => asked.push({ url, callback }),
      replaceConnection: (reason) => replaced.push(reason),
      reconnect: () => undefined,
    },
  });
  const hear = (frame: object | string) =>
    session.onFrame(typeof frame === 'string' ? frame : JSON.stringify(frame), clock.now());
  /** Requests for snapshots of a symbol that wait for an answer. */
  const waiting = (symbol: string) => asked.filter(({ url }) => url.includes(`/order_book/${symbol}/`));
  return {
    clock,
    observer,
    session,
    sent,
    asked,
    /** Why another connection was asked for. */
    replaced,
    hear,
    waiting,
    wait: (ms: number) => clock.advanceTo(clock.now() + ms),
    /** Opens the socket and has the venue accept every subscription. */
    open() {
      session.onOpen();
      for (const symbol of symbols) hear(accepted(symbol));
    },
    /** Answers the oldest request for a symbol's snapshot. */
    answer(symbol: string, body: object | string | DepthwireError, status = 200) {
      const request = waiting(symbol)[0];
      if (!request) throw new Error(`nobody asked for a snapshot of ${symbol}`);
      asked.splice(asked.indexOf(request), 1);
      if (body instanceof DepthwireError) request.callback(body);
      else
        request.callback({
          status,
          body: typeof body === 'string' ? body : JSON.stringify(body),
          retryAfterMs: null,
          receiveTimeMs: clock.now(),
        });
    },
  };
}

export const accepted = (symbol: string) => ({
  event: 'bts:subscription_succeeded',
  channel: `diff_order_book_${symbol}`,
  data: {},
});

export function diff(atMs: number, bids: TextLevel[] = [], asks: TextLevel[] = [], symbol = 'btcusd') {
  const data = { timestamp: '0', microtimestamp: String(micros(atMs)), bids, asks };
  return { data, channel: `diff_order_book_${symbol}`, event: 'data' };
}

export function snapshot(
  atMs: number,
  bids: TextLevel[] = [['100.00', '1.00000000']],
  asks: TextLevel[] = [['100.01', '2.00000000']],
) {
  return { timestamp: '0', microtimestamp: String(micros(atMs)), bids, asks };
}
