import type { FeedLog } from '@depthwire/feeds';
import type { Clock } from '@depthwire/shared';

/** Lines of each level within the window; those beyond are left out. */
const MAX_LINES = 1_000;
const WINDOW_MS = 10_000;
const MAX_MESSAGE_CHARS = 1_000;
/** Of the details of one line: values, their text, and objects within objects. */
const MAX_VALUES = 100;
const MAX_CHARS = 4_000;
const MAX_DEPTH = 3;
/** The logger's own keys. */
const RESERVED = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'feed', '__proto__']);

/**
 * The log as a feed gets it, which may be anybody's code: bound to the feed's name, frozen, and bounded.
 * What the feed hands in is copied first, so that nothing of it runs within the logger.
 */
export function createFeedLog(log: FeedLog, feed: string, clock: Clock): FeedLog {
  const level = (name: keyof FeedLog) => {
    let windowStartMs = -Infinity;
    let lines = 0;
    let leftOut = 0;
    return (details: unknown, message: unknown): void => {
      const now = clock.now();
      if (!(Math.abs(now - windowStartMs) < WINDOW_MS)) {
        if (leftOut > 0) log.warn({ feed, of: name, leftOut }, 'lines of a feed were left out of the log');
        windowStartMs = now;
        lines = leftOut = 0;
      }
      lines += 1;
      if (lines > MAX_LINES) {
        leftOut += 1;
        if (leftOut === 1)
          log.warn(
            { feed, lines: MAX_LINES, seconds: WINDOW_MS / 1000 },
            'a feed logs too much: its lines are left out for a while',
          );
        return;
      }
      log[name]({ ...plainDetails(details), feed }, plainMessage(message));
    };
  };
  return Object.freeze({
    debug: level('debug'),
    info: level('info'),
    warn: level('warn'),
    error: level('error'),
  });
}

interface Budget {
  values: number;
  chars: number;
}

function plainDetails(details: unknown): object {
  try {
    const plain = plainValue(details, { values: MAX_VALUES, chars: MAX_CHARS }, 0);
    return typeof plain === 'object' && plain !== null && !Array.isArray(plain) ? plain : { details: plain };
  } catch {
    return { details: 'they cannot be read' };
  }
}

function plainMessage(message: unknown): string {
  try {
    return String(message).slice(0, MAX_MESSAGE_CHARS);
  } catch {
    return 'the message cannot be read';
  }
}

/** A copy of plain data within the budget. */
function plainValue(value: unknown, budget: Budget, depth: number): unknown {
  budget.values -= 1;
  switch (typeof value) {
    case 'string': {
      const text = value.slice(0, Math.max(0, budget.chars));
      budget.chars -= text.length;
      return text;
    }
    case 'number':
    case 'boolean':
    case 'undefined':
      return value;
    case 'bigint':
    case 'symbol':
      return String(value).slice(0, MAX_MESSAGE_CHARS);
    case 'function':
      return 'a function';
    case 'object':
      break;
  }
  if (value === null) return null;
  if (depth >= MAX_DEPTH) return 'an object';
  if (value instanceof Error) {
    const { name, message, stack } = value;
    return plainValue({ type: name, message, stack }, budget, depth + 1);
  }
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    const { length } = value;
    for (let i = 0; i < length && budget.values > 0; i++) copy.push(plainValue(value[i], budget, depth + 1));
    return copy;
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (budget.values <= 0) break;
    if (depth === 0 && RESERVED.has(key)) continue;
    budget.chars -= key.length;
    copy[key.slice(0, MAX_MESSAGE_CHARS)] = plainValue(
      (value as Record<string, unknown>)[key],
      budget,
      depth + 1,
    );
  }
  return copy;
}
