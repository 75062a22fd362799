import { type DepthwireError, type EpochMs, type Instrument } from '@depthwire/shared';
import type { HttpCallback, HttpResponse } from '../../core/venue.ts';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { FeedObserver, type TextLevel } from '../../kit/index.ts';
import { createBinanceSession } from './session.ts';
import { endpoints } from './subscribe.ts';
import { guessInstrument, type Market } from './symbols.ts';

export const START_MS = Date.parse('2026-11-20T12:00:00Z');

interface Asked {
  readonly url: string;
  readonly callback: HttpCallback;
}

/** A session with nothing behind it: what it sends and asks is seen, what it hears is written by hand. */
export function startSession(market: Market, symbols: readonly string[]) {
  const clock = new VirtualClock(START_MS);
  const observer = new FeedObserver(clock);
  const sent: string[] = [];
  const asked: Asked[] = [];
  const ended: string[] = [];
  const instruments: Instrument[] = symbols.map((symbol) => guessInstrument(market, symbol, 2, 3));
  for (const instrument of instruments) observer.context.emit({ type: 'instrument', instrument });
  const session = createBinanceSession({
    market,
    endpoints: endpoints[market],
    instruments,
    io: {
      clock,
      log: observer.context.log,
      emit: observer.context.emit,
      send: (text) => sent.push(text),
      get: (url, callback) => asked.push({ url, callback }),
      replaceConnection: (reason) => ended.push(reason),
      reconnect: (reason) => ended.push(reason),
    },
  });
  const hear = (frame: object | string) =>
    session.onFrame(typeof frame === 'string' ? frame : JSON.stringify(frame), clock.now());
  return {
    clock,
    observer,
    session,
    sent,
    /** Why another connection was asked for. */
    ended,
    /** Snapshot requests that wait for an answer, the oldest first. */
    asked,
    hear,
    /** Opens the socket and has the venue accept the first subscription. */
    open() {
      session.onOpen();
      clock.advanceTo(clock.now());
      hear({ result: null, id: 1 });
    },
    /** Answers the oldest request. */
    answer(body: object | string | DepthwireError, status = 200, retryAfterMs: number | null = null) {
      const { callback } = asked.shift()!;
      if (body instanceof Error) callback(body);
      else
        callback(
          response(typeof body === 'string' ? body : JSON.stringify(body), status, retryAfterMs, clock.now()),
        );
    },
  };
}

function response(
  body: string,
  status: number,
  retryAfterMs: number | null,
  receiveTimeMs: EpochMs,
): HttpResponse {
  return { body, status, retryAfterMs, receiveTimeMs };
}

export function diff(
  U: number,
  u: number,
  bids: TextLevel[] = [],
  asks: TextLevel[] = [],
  symbol = 'BTCUSDT',
) {
  return {
    stream: `${symbol.toLowerCase()}@depth@100ms`,
    data: { e: 'depthUpdate', E: START_MS, s: symbol, U, u, b: bids, a: asks },
  };
}

export function depth(
  lastUpdateId: number,
  bids: TextLevel[] = [['100.00', '1.000']],
  asks: TextLevel[] = [['100.01', '2.000']],
) {
  return { lastUpdateId, bids, asks };
}

export function trade(kind: 'trade' | 'aggTrade', id: number, more: object = {}) {
  const common = { E: START_MS, s: 'BTCUSDT', p: '100.00', q: '0.500', T: START_MS, m: true };
  return {
    stream: `btcusdt@${kind}`,
    data: { e: kind, [kind === 'trade' ? 't' : 'a']: id, ...common, ...more },
  };
}
