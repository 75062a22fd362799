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
  checkRoom(others, spec);
  const alert: Alert = { id, ...spec, state: 'armed', firedAtMs: null };
  const isNew = others.length === stored.alerts.length;
  const alerts = isNew ? [...others, alert] : stored.alerts.map((one) => (one.id === id ? alert : one));
  return { ...stored, alerts };
}

/** @throws DepthwireError `invalid_request` */
function checkRoom(others: readonly Alert[], spec: AlertSpec): void {
  if (others.length >= MAX_ALERTS)
    throw new DepthwireError('invalid_request', m.alert_full({ count: MAX_ALERTS }));
  const instruments = new Set([...others.map(({ instrument }) => instrument), spec.instrument]);
  if (instruments.size > MAX_ALERT_INSTRUMENTS)
    throw new DepthwireError('invalid_request', m.alert_instruments_full({ count: MAX_ALERT_INSTRUMENTS }));
}

export function withoutAlert(stored: Stored, id: string): Stored {
  return { ...stored, alerts: stored.alerts.filter((alert) => alert.id !== id) };
}

/**
 * A deleted alert again, as it was and where it was.
 * @throws DepthwireError `invalid_request` where there are as many as may be by now
 */
export function withAlertBack(stored: Stored, alert: Alert, index: number): Stored {
  if (stored.alerts.some(({ id }) => id === alert.id)) return stored;
  checkRoom(stored.alerts, alert);
  return { ...stored, alerts: stored.alerts.toSpliced(index, 0, alert) };
}

/** An alert that was deleted a moment ago: its row stays, so that no other comes under the pointer. */
export interface DeletedAlert {
  readonly alert: Alert;
  /** Among all rows, those of deleted alerts too. */
  readonly row: number;
}

/** The rows of a list, from the first to the last. */
export function alertRows(
  alerts: readonly Alert[],
  deleted: readonly DeletedAlert[],
): { alert: Alert; isDeleted: boolean }[] {
  const known = new Set(alerts.map(({ id }) => id));
  const rows = alerts.map((alert) => ({ alert, isDeleted: false }));
  for (const { alert, row } of deleted.toSorted((a, b) => a.row - b.row))
    if (!known.has(alert.id)) rows.splice(row, 0, { alert, isDeleted: true });
  return rows;
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
