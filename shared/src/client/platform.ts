import type { Clock, Timer } from '../model/clock.ts';
import { DepthwireError } from '../model/errors.ts';
import type { EpochMs } from '../model/units.ts';

/** The part of the WebSocket standard that the client uses: a browser's, Node's or `ws`. */
export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
}

export type OpenWebSocket = (url: string, protocols: string[]) => WebSocketLike;

/** What browsers and Node both have, named here once so that nothing else needs their types. */
interface Globals {
  WebSocket?: new (url: string, protocols: string[]) => WebSocketLike;
  setTimeout(task: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
  performance: { timeOrigin: number; now(): number };
}

const globals = globalThis as unknown as Globals;

export const openGlobalWebSocket: OpenWebSocket = (url, protocols) => {
  if (!globals.WebSocket) {
    throw new DepthwireError(
      'invalid_argument',
      'this platform has no WebSocket: pass `openWebSocket` to the client',
    );
  }
  return new globals.WebSocket(url, protocols);
};

export const platformClock: Clock = {
  now: () => (globals.performance.timeOrigin + globals.performance.now()) as EpochMs,
  at(timeMs: number, task: () => void): Timer {
    const handle = globals.setTimeout(task, Math.max(0, timeMs - platformClock.now()));
    return { cancel: () => globals.clearTimeout(handle) };
  },
};

export const platformRandom = (): number => Math.random();
