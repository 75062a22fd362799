import type { Hop, Latency } from '@depthwire/shared';
import { localDecimal, numberStyle } from '../format/locale.ts';
import { m } from '../paraglide/messages.js';
import { MINUS } from './number.ts';

export type TimeZone = 'local' | 'utc';

const two = (value: number) => (value < 10 ? `0${value}` : String(value));

/** `13:04:59`. */
export function formatTime(epochMs: number, zone: TimeZone): string {
  const date = new Date(epochMs);
  return zone === 'utc'
    ? `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
    : `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** What follows the seconds: `.027`. */
export function milliseconds(epochMs: number): string {
  return numberStyle().decimal + String(Math.floor(epochMs) % 1000).padStart(3, '0');
}

/** Which zone a time is of: `UTC`, `UTC+2`, `UTC−3:30`. */
export function formatZone(epochMs: number, zone: TimeZone): string {
  const minutes = zone === 'utc' ? 0 : -new Date(epochMs).getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const size = Math.abs(minutes);
  const rest = size % 60 === 0 ? '' : `:${two(size % 60)}`;
  return `UTC${minutes < 0 ? MINUS : '+'}${Math.floor(size / 60)}${rest}`;
}

/** `2026-11-21`. */
export function formatDate(epochMs: number, zone: TimeZone): string {
  const date = new Date(epochMs);
  return zone === 'utc'
    ? `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`
    : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** How long ago, coarse: `3 s`, `2 min 05 s`, `4 h 12 min`, `3 d`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return m.age_seconds({ seconds });
  if (seconds < 3600) return m.age_minutes({ minutes: Math.floor(seconds / 60), seconds: two(seconds % 60) });
  if (seconds < 86_400)
    return m.age_hours({
      hours: Math.floor(seconds / 3600),
      minutes: two(Math.floor((seconds % 3600) / 60)),
    });
  return m.age_days({ days: Math.floor(seconds / 86_400) });
}

/** A delay: `<1 ms`, `42 ms`, `1.2 s`; `−1.3 s` where the later clock is behind the earlier one. */
export function formatDelay(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1) return '<1 ms';
  const sign = ms < 0 ? MINUS : '';
  // 999.5 and more would round to 1000 ms
  return sign + (size < 999.5 ? `${Math.round(size)} ms` : `${localDecimal((size / 1000).toFixed(1))} s`);
}

/** What a venue's lag means, where the number alone would puzzle; null where it is plain. */
export function explainLag(lagMs: number): string | null {
  if (lagMs > -1) return null;
  return m.lag_ahead({ delay: formatDelay(-lagMs) });
}

/** The parts of the way of a book's updates, as far as they are known: the usual one, and how sure that is. */
export function explainLatency({ venue, server, network }: Latency): string {
  const part = (name: string, hop: Hop | null) => {
    if (hop === null) return m.hop_unknown({ hop: name });
    const { p50, p99, uncertaintyMs } = hop;
    const known = { hop: name, delay: formatDelay(p50), p99: formatDelay(p99) };
    return uncertaintyMs === null
      ? m.hop_known(known)
      : m.hop_unsure({ ...known, unsure: formatDelay(uncertaintyMs) });
  };
  return [part(m.hop_venue(), venue), part(m.hop_server(), server), part(m.hop_network(), network)].join(
    '; ',
  );
}

/** A countdown: `04:59`, `23:59:59`. */
export function formatCountdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return hours > 0 ? `${two(hours)}:${rest}` : rest;
}
