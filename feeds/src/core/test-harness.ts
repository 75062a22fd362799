import type { Instrument } from '@depthwire/shared';
import { FeedObserver } from '../kit/index.ts';
import type { VenueAdapter } from './venue.ts';
import { VirtualClock } from './virtual-clock.ts';

export const START_MS = Date.parse('2026-11-20T12:00:00Z');

/** A venue's session with nothing behind it: what it sends is seen, what it hears is written by hand. */
export function startBareSession(adapter: VenueAdapter, market: string, instruments: readonly Instrument[]) {
  const clock = new VirtualClock(START_MS);
  const observer = new FeedObserver(clock);
  const sent: string[] = [];
  const replaced: string[] = [];
  const reconnected: string[] = [];
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
    /** Frames sent since the last look, parsed. */
    sent: () => sent.splice(0).map((text) => JSON.parse(text) as Record<string, unknown>),
    /** Why another connection was asked for, before this one ends or after. */
    replaced,
    reconnected,
    hear(...frames: readonly (object | string)[]) {
      for (const frame of frames)
        session.onFrame(typeof frame === 'string' ? frame : JSON.stringify(frame), clock.now());
    },
    pass(ms: number) {
      clock.advanceTo(clock.now() + ms);
    },
  };
}
