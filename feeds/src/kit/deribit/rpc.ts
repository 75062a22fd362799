import type { Clock } from '@depthwire/shared';

/** Requests a client may send at once, and how many more it may send each second. */
const BURST = 10;
const REQUESTS_PER_S = 10 / 3;
const HEARTBEAT_S = { min: 10, max: 3600 };

/** JSON-RPC errors, and Deribit's own. */
export const errors = {
  parse: { code: -32700, message: 'Parse error' },
  request: { code: -32600, message: 'Invalid Request' },
  method: { code: -32601, message: 'Method not found' },
  params: { code: -32602, message: 'Invalid params' },
  tooMany: { code: 10028, message: 'too_many_requests' },
  raw: { code: 13778, message: 'raw_subscriptions_not_available_for_unauthorized' },
} as const;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: object;
}

export interface RpcRequest {
  readonly id: unknown;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What the venue keeps for a client. */
export class DeribitClient {
  /** Milliseconds between heartbeats; null before `public/set_heartbeat`. */
  heartbeatMs: number | null = null;
  /** When the next heartbeat is due. */
  nextHeartbeatMs = 0;
  /** A `test_request` was sent and not answered yet. */
  isTested = false;
  readonly #clock: Clock;
  #credit = BURST;
  #creditAtMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#creditAtMs = clock.now();
  }

  /** Takes one request off the client's credit; false where none is left. */
  spend(): boolean {
    const now = this.#clock.now();
    const refilled = this.#credit + ((now - this.#creditAtMs) / 1_000) * REQUESTS_PER_S;
    this.#credit = Math.min(BURST, refilled) - 1;
    this.#creditAtMs = now;
    if (this.#credit >= 0) return true;
    this.#credit += 1;
    return false;
  }

  /** @returns null where the interval is none */
  setHeartbeat(interval: unknown): RpcError | null {
    const isInterval =
      typeof interval === 'number' && interval >= HEARTBEAT_S.min && interval <= HEARTBEAT_S.max;
    if (!isInterval) return invalid('interval', `must be from ${HEARTBEAT_S.min} to ${HEARTBEAT_S.max}`);
    this.heartbeatMs = interval * 1_000;
    this.nextHeartbeatMs = this.#clock.now() + this.heartbeatMs;
    this.isTested = false;
    return null;
  }
}

export function invalid(param: string, reason: string): RpcError {
  return { ...errors.params, data: { param, reason } };
}

/** @returns the error where the text is no request */
export function readRequest(text: string): RpcRequest | { id: unknown; error: RpcError } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { id: null, error: errors.parse };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { id: null, error: errors.request };
  const { jsonrpc, id = null, method, params = {} } = value as Record<string, unknown>;
  if (jsonrpc !== '2.0' || typeof method !== 'string') return { id, error: errors.request };
  if (typeof params !== 'object' || params === null || Array.isArray(params))
    return { id, error: errors.params };
  return { id, method, params: params as Record<string, unknown> };
}

const INTERVALS = ['100ms', 'agg2', 'raw'];
const KINDS = ['book', 'trades', 'ticker'];

/** The parts of a channel name; null where there is no such channel. */
export function readChannel(channel: string): { kind: string; name: string; interval: string } | null {
  const [kind = '', name = '', interval = '', ...more] = channel.split('.');
  const isChannel = more.length === 0 && KINDS.includes(kind) && INTERVALS.includes(interval);
  return isChannel ? { kind, name, interval } : null;
}
