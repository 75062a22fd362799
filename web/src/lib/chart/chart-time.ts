import { monthName } from '../format/locale.ts';
import type { TimeZone } from '../format/time.ts';
import { m } from '../paraglide/messages.js';

const two = (value: number) => (value < 10 ? `0${value}` : String(value));

/** How coarse a mark of the time axis is; the same order as in lightweight-charts. */
const tickMarks = { year: 0, month: 1, day: 2, time: 3, timeWithSeconds: 4 } as const;

function fields(seconds: number, zone: TimeZone) {
  const date = new Date(seconds * 1000);
  return zone === 'utc'
    ? {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth(),
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        second: date.getUTCSeconds(),
      }
    : {
        year: date.getFullYear(),
        month: date.getMonth(),
        day: date.getDate(),
        hour: date.getHours(),
        minute: date.getMinutes(),
        second: date.getSeconds(),
      };
}

/** A label of the time axis. */
export function formatTickMark(seconds: number, mark: number, zone: TimeZone): string {
  const { year, month, day, hour, minute, second } = fields(seconds, zone);
  if (mark === tickMarks.year) return String(year);
  if (mark === tickMarks.month) return monthName(month);
  if (mark === tickMarks.day) return m.date_day({ day, month: monthName(month) });
  const time = `${two(hour)}:${two(minute)}`;
  return mark === tickMarks.timeWithSeconds ? `${time}:${two(second)}` : time;
}

/** The label of the crosshair: as fine as the interval asks. */
export function formatChartTime(seconds: number, intervalSeconds: number, zone: TimeZone): string {
  const { year, month, day, hour, minute, second } = fields(seconds, zone);
  const date = m.date_full({ day, month: monthName(month), year });
  if (intervalSeconds >= 86_400) return date;
  const time = `${two(hour)}:${two(minute)}`;
  return m.date_and_time({ date, time: intervalSeconds < 60 ? `${time}:${two(second)}` : time });
}

/** A time as `<input type="datetime-local">` has it, to the minute. */
export function toDateTimeInput(seconds: number, zone: TimeZone): string {
  const { year, month, day, hour, minute } = fields(seconds, zone);
  return `${String(year).padStart(4, '0')}-${two(month + 1)}-${two(day)}T${two(hour)}:${two(minute)}`;
}

/** What somebody wrote into such a field, as unix seconds; null where it is no time. */
export function fromDateTimeInput(text: string, zone: TimeZone): number | null {
  if (!/^\d{4,}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text)) return null;
  const ms = Date.parse(zone === 'utc' ? `${text}Z` : text);
  return Number.isNaN(ms) ? null : ms / 1000;
}
