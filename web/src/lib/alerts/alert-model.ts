import * as v from 'valibot';
import { m } from '../paraglide/messages.js';
import { getLocale } from '../paraglide/runtime.js';

export const MAX_ALERTS = 100;
export const MAX_LOG = 500;
/** Each of them costs subscriptions, whether a panel shows it or not. */
export const MAX_ALERT_INSTRUMENTS = 50;
/** Levels a side, and basis points from the mid, within which resting size is looked at. */
export const MAX_REACH = { levels: 200, bps: 5_000 } as const;
const MAX_SECONDS = 86_400;
const MAX_MINUTES = 1_440;

/** Numbers that are compared exactly are kept as they were typed. */
const decimal = v.pipe(
  v.string(),
  v.regex(/^-?\d{1,15}(\.\d{1,18})?$/, () => m.alert_want_decimal()),
);
const positive = v.pipe(
  decimal,
  v.check(
    (text) => Number(text) > 0,
    () => m.alert_want_positive(),
  ),
);
const percent = v.pipe(
  v.string(),
  v.regex(/^\d{1,5}(\.\d{1,2})?$/, () => m.alert_want_percent()),
  v.check(
    (text) => Number(text) > 0,
    () => m.alert_want_percent_positive(),
  ),
);
const share = v.pipe(
  percent,
  v.check(
    (text) => Number(text) < 100,
    () => m.alert_want_percent_below(),
  ),
);
const bps = v.pipe(
  v.string(),
  v.regex(/^\d{1,5}(\.\d{1,2})?$/, () => m.alert_want_bps()),
);
const whole = (from: number, to: number) => {
  const message = () => m.alert_want_whole({ from, to });
  return v.pipe(v.number(message), v.integer(message), v.minValue(from, message), v.maxValue(to, message));
};

/** Of the bids, in percent of what rests on both sides. */
const ofBids = { way: v.picklist(['above', 'below']), share };

const condition = v.variant('kind', [
  v.object({
    kind: v.literal('price'),
    of: v.picklist(['last', 'bid', 'ask', 'mid']),
    way: v.picklist(['above', 'below', 'either']),
    level: decimal,
  }),
  v.object({ kind: v.literal('spread'), unit: v.literal('ticks'), above: whole(0, 1_000_000) }),
  v.object({ kind: v.literal('spread'), unit: v.literal('bps'), above: bps }),
  v.object({
    kind: v.literal('imbalance'),
    ...ofBids,
    unit: v.literal('levels'),
    reach: whole(1, MAX_REACH.levels),
  }),
  v.object({
    kind: v.literal('imbalance'),
    ...ofBids,
    unit: v.literal('bps'),
    reach: whole(1, MAX_REACH.bps),
  }),
  v.object({ kind: v.literal('trade'), unit: v.picklist(['base', 'quote']), atLeast: positive }),
  v.object({ kind: v.literal('stale'), seconds: whole(1, MAX_SECONDS) }),
  v.object({
    kind: v.literal('move'),
    way: v.picklist(['up', 'down', 'either']),
    percent,
    minutes: whole(1, MAX_MINUTES),
  }),
]);

export type Condition = v.InferOutput<typeof condition>;
export type ConditionKind = Condition['kind'];
export type ConditionOf<Kind extends ConditionKind> = Extract<Condition, { kind: Kind }>;

const instrumentId = v.pipe(v.string(), v.nonEmpty(), v.maxLength(128));
const id = v.pipe(v.string(), v.regex(/^[\w-]{1,40}$/));
const epochMs = v.pipe(v.number(), v.finite());

const spec = v.object({
  instrument: instrumentId,
  condition,
  /** Shortest time between two, seconds; null for once. */
  repeatAfter: v.nullable(whole(1, MAX_SECONDS)),
});

const alert = v.object({
  id,
  ...spec.entries,
  /** `triggered` has gone off and waits to be armed again; one that repeats stays `armed`. */
  state: v.picklist(['armed', 'triggered', 'paused']),
  /** When it last went off, by this machine's clock. */
  firedAtMs: v.nullable(epochMs),
});

const logEntry = v.object({
  id,
  /** By the market's clock. */
  timeMs: epochMs,
  instrument: instrumentId,
  /** As they are read by people. */
  condition: v.pipe(v.string(), v.maxLength(200)),
  value: v.pipe(v.string(), v.maxLength(200)),
  /** Seen as the first value after a time without live data. */
  afterGap: v.boolean(),
  isSeen: v.boolean(),
});

const settings = v.object({
  isMuted: v.fallback(v.boolean(), false),
  notifies: v.fallback(v.boolean(), false),
});

/** What somebody asks for. */
export type AlertSpec = v.InferOutput<typeof spec>;
export type Alert = Readonly<v.InferOutput<typeof alert>>;
export type LogEntry = Readonly<v.InferOutput<typeof logEntry>>;

export interface Stored {
  readonly alerts: readonly Alert[];
  /** Newest first. */
  readonly log: readonly LogEntry[];
  readonly isMuted: boolean;
  readonly notifies: boolean;
}

const NOTHING: Stored = { alerts: [], log: [], isMuted: false, notifies: false };
const file = v.object({ version: v.literal(1), alerts: v.array(v.unknown()), log: v.array(v.unknown()) });

export function writeStored(stored: Stored): string {
  return JSON.stringify({ version: 1, ...stored });
}

/** @returns what can be read, and what to say of the rest; null where all of it was */
export function readStored(text: string | null): { stored: Stored; problem: string | null } {
  if (text === null) return { stored: NOTHING, problem: null };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { stored: NOTHING, problem: m.alerts_unreadable() };
  }
  const whole = v.safeParse(file, value);
  if (!whole.success) return { stored: NOTHING, problem: m.alerts_other_version() };
  const alerts = readable(alert, whole.output.alerts, MAX_ALERTS);
  const log = readable(logEntry, whole.output.log, MAX_LOG);
  const lost = [
    alerts.lost === 0 ? null : m.saved_alerts({ count: alerts.lost }),
    log.lost === 0 ? null : m.saved_log_entries({ count: log.lost }),
  ].filter((text) => text !== null);
  return {
    stored: { alerts: alerts.kept, log: log.kept, ...v.parse(settings, value) },
    problem:
      lost.length === 0
        ? null
        : m.saved_lost({
            count: alerts.lost + log.lost,
            what: new Intl.ListFormat(getLocale()).format(lost),
          }),
  };
}

/** @throws v.ValiError, whose message says what was expected */
export function readSpec(value: unknown): AlertSpec {
  return v.parse(spec, value);
}

/** What somebody would put right, and the entry that it is about; null where nothing is wrong. */
export function problemOf(value: unknown): { message: string; entry: string } | null {
  const result = v.safeParse(spec, value);
  if (result.success) return null;
  const [issue] = result.issues;
  return { message: issue.message, entry: String(issue.path?.at(-1)?.key ?? '') };
}

function readable<Schema extends v.GenericSchema<unknown, { readonly id: string }>>(
  schema: Schema,
  values: readonly unknown[],
  most: number,
): { kept: v.InferOutput<Schema>[]; lost: number } {
  const byId = new Map<string, v.InferOutput<Schema>>();
  for (const value of values.slice(0, most)) {
    const result = v.safeParse(schema, value);
    if (result.success && !byId.has(result.output.id)) byId.set(result.output.id, result.output);
  }
  return { kept: [...byId.values()], lost: values.length - byId.size };
}
