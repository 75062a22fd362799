import { RECORDING_ENDED, type BookState } from '@depthwire/shared';
import { m } from '../paraglide/messages.js';

/** What a panel says about the data it shows. */
export interface Freshness {
  readonly state: BookState;
  /** Since when, unix milliseconds by the clock named; null where it is not known. */
  readonly sinceMs: number | null;
  readonly clock: 'market' | 'local';
  readonly reason: string | null;
  /** Whether this is the last picture of a recording: nothing is wrong, and nothing more will come. */
  readonly hasEnded: boolean;
  /** What the newest merged frame stood for, where the connection does not keep up: it is right, but was late. */
  readonly conflated: Conflated | null;
}

export interface Conflated {
  /** Updates of the book. */
  readonly updates: number;
  /** Of the oldest of them when it was sent, milliseconds. */
  readonly ageMs: number;
}

/** Of what nobody has told of yet. */
export const NOTHING_KNOWN: Freshness = {
  state: 'syncing',
  sinceMs: null,
  clock: 'market',
  reason: null,
  hasEnded: false,
  conflated: null,
};

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
  readonly conflated?: Conflated | null;
}

/**
 * The state a panel shows. Without a connection nothing is live, whatever the last frame said:
 * the picture of the past is `recovering`, and where there is none yet the panel is `syncing`.
 */
export function freshnessOf(input: FreshnessInput): Freshness {
  if (!input.isOpen) {
    const away = { clock: 'local', hasEnded: false, conflated: null } as const;
    return input.hasData
      ? { ...away, state: 'recovering', sinceMs: input.lostAtMs, reason: m.reason_connection_lost() }
      : { ...away, state: 'syncing', sinceMs: null, reason: null };
  }
  const { state, sinceMs, reason } = input;
  const known = {
    clock: 'market',
    reason,
    hasEnded: state === 'stale' && reason === RECORDING_ENDED,
    conflated: input.conflated ?? null,
  } as const;
  if (!input.hasData && state === 'live') return { ...known, state: 'syncing', sinceMs: null };
  return { ...known, state, sinceMs };
}

/** The state of a list: live as long as any of it is. */
export function stateOfList(states: readonly BookState[]): BookState {
  for (const state of ['live', 'recovering', 'stale'] as const) if (states.includes(state)) return state;
  return 'syncing';
}
