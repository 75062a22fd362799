import { DepthwireError } from '@depthwire/shared';
import { m } from '../paraglide/messages.js';
import {
  MAX_ALERT_INSTRUMENTS,
  MAX_ALERTS,
  MAX_LOG,
  type Alert,
  type AlertSpec,
  type LogEntry,
  type Stored,
} from './alert-model.ts';

/** @throws DepthwireError `invalid_request` where there are as many as may be */
export function withAlert(stored: Stored, id: string, spec: AlertSpec): Stored {
  const others = stored.alerts.filter((alert) => alert.id !== id);
  if (others.length >= MAX_ALERTS)
    throw new DepthwireError('invalid_request', m.alert_full({ count: MAX_ALERTS }));
  const instruments = new Set([...others.map(({ instrument }) => instrument), spec.instrument]);
  if (instruments.size > MAX_ALERT_INSTRUMENTS)
    throw new DepthwireError('invalid_request', m.alert_instruments_full({ count: MAX_ALERT_INSTRUMENTS }));
  const alert: Alert = { id, ...spec, state: 'armed', firedAtMs: null };
  const isNew = others.length === stored.alerts.length;
  const alerts = isNew ? [...others, alert] : stored.alerts.map((one) => (one.id === id ? alert : one));
  return { ...stored, alerts };
}

export function withoutAlert(stored: Stored, id: string): Stored {
  return { ...stored, alerts: stored.alerts.filter((alert) => alert.id !== id) };
}

/** Armed anew an alert knows nothing of when it went off. */
export function withState(stored: Stored, id: string, state: Alert['state']): Stored {
  const change = state === 'armed' ? { state, firedAtMs: null } : { state };
  return { ...stored, alerts: stored.alerts.map((one) => (one.id === id ? { ...one, ...change } : one)) };
}

/** An alert went off: what does not repeat waits to be armed again. */
export function withFired(stored: Stored, id: string, entry: LogEntry, nowMs: number): Stored {
  const fired = (alert: Alert): Alert => ({
    ...alert,
    firedAtMs: nowMs,
    state: alert.repeatAfter === null ? 'triggered' : alert.state,
  });
  return {
    ...stored,
    alerts: stored.alerts.map((alert) => (alert.id === id ? fired(alert) : alert)),
    log: [entry, ...stored.log].slice(0, MAX_LOG),
  };
}

export function withAllSeen(stored: Stored): Stored {
  return { ...stored, log: stored.log.map((entry) => (entry.isSeen ? entry : { ...entry, isSeen: true })) };
}
