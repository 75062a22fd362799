import type { Instrument } from '@depthwire/shared';
import { VirtualClock } from '../core/virtual-clock.ts';
import { FeedObserver } from './feed-observer.ts';
import type { VenueAdapter } from '../core/venue.ts';

/** Noon of a day, so that tests can count from it. */
export const START_MS = Date.parse('2026-11-20T12:00:00Z');

/**
 * For tests: a session with nothing behind it. What it sends is seen, what it hears is written by
 * hand.
 * @param listed symbols, whose instruments get two decimals of price and three of size, or instruments
 */
export function scriptSession(
  adapter: VenueAdapter,
  market: string,
  listed: readonly (string | Instrument)[],
) {
  const clock = new VirtualClock(START_MS);
  const observer = new FeedObserver(clock);
  const sent: string[] = [];
  const replaced: string[] = [];
  const reconnected: string[] = [];
  const instruments = listed.map((one) =>
    typeof one === 'string' ? adapter.guessInstrument(market, one, 2, 3) : one,
  );
  for (const instrument of instruments) observer.context.emit({ type: 'instrument', instrument });
  const session = adapter.createSession({
    market,
    endpoints: adapter.markets[market]!,
    instruments,
    io: {
      clock,
      log: observer.context.log,
      emit: observer.context.emit,
      send: (text) => sent.push(text),
      get: () => undefined,
      replaceConnection: (reason) => replaced.push(reason),
      reconnect: (reason) => reconnected.push(reason),
    },
  });
  return {
    clock,
    observer,
    session,
    /** Frames sent since the last look. */
    takeSent: () => sent.splice(0),
    /** Why another connection was asked for, to take over. */
    replaced,
    reconnected,
    wait: (ms: number) => clock.advanceTo(clock.now() + ms),
    hear: (frame: object | string) =>
      session.onFrame(typeof frame === 'string' ? frame : JSON.stringify(frame), clock.now()),
    /** States told since the last look. */
    takeStates: (symbol: string) => observer.market(symbol).states.splice(0),
  };
}
