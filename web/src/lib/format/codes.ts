import {
  RECORDING_ENDED,
  type BookState,
  type Instrument,
  type InstrumentKind,
  type Origin,
} from '@depthwire/shared';
import { m } from '../paraglide/messages.js';

// Words for the codes that the protocol has. All else that a server sends in words (messages of errors, reasons
// of a state, problems of a feed), and what the SDK says of a refused number, is shown as it came, in English:
// it is what stands in the log of the server, and in docs/errors.md.

const states: Readonly<Record<BookState, () => string>> = {
  live: m.state_live,
  syncing: m.state_syncing,
  stale: m.state_stale,
  recovering: m.state_recovering,
};

const origins: Readonly<Record<Origin, () => string>> = {
  live: m.origin_live,
  delayed: m.origin_delayed,
  bridged: m.origin_bridged,
  simulated: m.origin_simulated,
  replayed: m.origin_replayed,
};

const statuses: Readonly<Record<Instrument['status'], () => string>> = {
  trading: m.trading_trading,
  halted: m.trading_halted,
  closed: m.trading_closed,
};

/** Of several instruments. */
const kinds: Readonly<Record<InstrumentKind, () => string>> = {
  spot: m.kinds_spot,
  perpetual: m.kinds_perpetual,
  future: m.kinds_future,
  option: m.kinds_option,
  fx: m.kinds_fx,
  equity: m.kinds_equity,
};

export const stateWord = (state: BookState): string => states[state]();
export const originWord = (origin: Origin): string => origins[origin]();
export const kindsWord = (kind: InstrumentKind): string => kinds[kind]();
export const statusWord = (status: Instrument['status']): string => statuses[status]();

/** Why data is not live. */
export function reasonText(reason: string): string {
  return reason === RECORDING_ENDED ? m.reason_recording_ended() : reason;
}
