// What widgets tell the page. It imports nothing, so that its declarations are whole by themselves.

/**
 * What a widget says of its data. `failed`: it is set up wrongly, or its code could not be loaded; `refused`: the server
 * does not permit what it wants; `offline`: the server does not answer.
 */
export type WidgetState =
  'connecting' | 'syncing' | 'live' | 'stale' | 'recovering' | 'offline' | 'refused' | 'failed';

/** Of the event `dw-state`. */
export interface StateDetail {
  readonly state: WidgetState;
  /** Where the data comes from; null before there is any. */
  readonly origin: 'live' | 'bridged' | 'delayed' | 'replayed' | 'simulated' | null;
  /** Whether updates come merged, because the connection does not keep up. */
  readonly isConflated: boolean;
  readonly reason: string | null;
  readonly error: { readonly code: string; readonly message: string; readonly retry: boolean } | null;
}

/** Of the event `dw-price`; prices are exact decimals, null where there is none. */
export interface PriceDetail {
  readonly instrument: string;
  readonly last: string | null;
  readonly bid: string | null;
  readonly ask: string | null;
  /** Of the last 24 hours, a share: 0.01 is one percent. */
  readonly change: number | null;
}

/** Of the event `dw-select`. */
export interface SelectDetail {
  readonly instrument: string;
  /** An exact decimal, where a price was chosen. */
  readonly price?: string;
  readonly side?: 'bid' | 'ask';
}

/** They bubble, out of shadow roots too. */
export interface WidgetEvents {
  'dw-price': CustomEvent<PriceDetail>;
  'dw-state': CustomEvent<StateDetail>;
  'dw-select': CustomEvent<SelectDetail>;
}
