import type { BookState } from '@depthwire/shared';

/** What a panel says about the data it shows. */
export interface Freshness {
  readonly state: BookState;
  /** Since when, unix milliseconds by the clock named; null where it is not known. */
  readonly sinceMs: number | null;
  readonly clock: 'market' | 'local';
  readonly reason: string | null;
}

export interface FreshnessInput {
  readonly isOpen: boolean;
  /** When the connection went, by this machine's clock. */
  readonly lostAtMs: number | null;
  /** Whether the panel holds a picture that it can go on showing. */
  readonly hasData: boolean;
  /** What is known of the data while connected. */
  readonly state: BookState;
  readonly sinceMs: number | null;
  readonly reason: string | null;
}

/**
 * The state a panel shows. Without a connection nothing is live, whatever the last frame said:
 * the picture of the past is `recovering`, and where there is none yet the panel is `syncing`.
 */
export function freshnessOf(input: FreshnessInput): Freshness {
  if (!input.isOpen) {
    return input.hasData
      ? { state: 'recovering', sinceMs: input.lostAtMs, clock: 'local', reason: 'connection lost' }
      : { state: 'syncing', sinceMs: null, clock: 'local', reason: null };
  }
  const { state, sinceMs, reason } = input;
  if (!input.hasData && state === 'live') return { state: 'syncing', sinceMs: null, clock: 'market', reason };
  return { state, sinceMs, clock: 'market', reason };
}

/** The state of a list: live as long as any of it is. */
export function stateOfList(states: readonly BookState[]): BookState {
  for (const state of ['live', 'recovering', 'stale'] as const) if (states.includes(state)) return state;
  return 'syncing';
}
