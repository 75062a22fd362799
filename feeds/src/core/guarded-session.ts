import type { VenueSession } from './venue.ts';

/** A callback that hands over what it throws: a socket's events have nobody else who could catch it. */
export function guardCallback<Args extends unknown[]>(
  callback: (...args: Args) => void,
  fail: (error: unknown) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      fail(error);
    }
  };
}

/** The session of an adapter that may be wrong: it harms no connection but its own feed's. */
export function guardSession(session: VenueSession, fail: (error: unknown) => void): VenueSession {
  return {
    get stats() {
      return session.stats;
    },
    onOpen: guardCallback((isSubscribed) => session.onOpen(isSubscribed), fail),
    onFrame: guardCallback((text, receiveTimeMs) => session.onFrame(text, receiveTimeMs), fail),
    onClose: guardCallback((reason) => session.onClose(reason), fail),
    resync: guardCallback((instrument, reason) => session.resync(instrument, reason), fail),
    update: guardCallback((instrument) => session.update(instrument), fail),
    dispose: guardCallback(() => session.dispose(), fail),
  };
}
