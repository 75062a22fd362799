import {
  RECORDING_ENDED,
  type BookView,
  type Instrument,
  type StatusView,
  type TickerView,
  type TradesView,
} from '@depthwire/shared';
import { m } from '../paraglide/messages.js';
import type { Alert } from './alert-model.ts';
import {
  isEvent,
  mismatch,
  ruleOf,
  topicsOf,
  Trigger,
  type MarketView,
  type Rule,
  type Sighting,
  type Topic,
} from './alert-rules.ts';
import { NewTradesReader } from './new-trades.ts';

/** A market, as far as alerts look at it. */
export interface AlertSource {
  readonly instrument: Instrument;
  readonly book: BookView | null;
  readonly trades: TradesView | null;
  readonly tickerSubscription: TickerView | null;
  readonly statusSubscription: StatusView | null;
  follow(topic: Topic, onChange: () => void): () => void;
  /** Asks for more levels. */
  deepen(): void;
}

export interface AlertHost {
  /** This machine's clock, unix milliseconds. */
  nowMs(): number;
  /** The market's clock. */
  timeMs(): number;
  readonly isOpen: boolean;
  after(ms: number, task: () => void): () => void;
  onFire(alert: Alert, sighting: Sighting): void;
  /** Why the alert cannot go off now; null where it can. */
  onProblem(alert: Alert, problem: string | null): void;
}

const LONGEST_MS = 2 ** 31 - 1;

/** An armed alert: follows what it needs, and looks with each change. */
export class AlertRun {
  readonly #alert: Alert;
  readonly #source: AlertSource;
  readonly #host: AlertHost;
  readonly #topics: readonly Topic[];
  readonly #trades = new NewTradesReader();
  readonly #trigger: Trigger;
  readonly #offs: (() => void)[];
  #rule: Rule | null = null;
  #instrument: Instrument | null = null;
  #notLiveSinceMs: number | null = null;
  #cancel: () => void = () => {};
  #isStopped = false;

  constructor(alert: Alert, source: AlertSource, host: AlertHost) {
    this.#alert = alert;
    this.#source = source;
    this.#host = host;
    this.#topics = topicsOf(alert.condition);
    this.#trigger = new Trigger(isEvent(alert.condition), (alert.repeatAfter ?? 0) * 1000, alert.firedAtMs);
    const look = () => this.look();
    this.#offs = this.#topics.map((topic) => source.follow(topic, look));
    look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
    for (const off of this.#offs) off();
  }

  look(): void {
    if (this.#isStopped) return;
    this.#cancel();
    const rule = this.#ruleNow();
    if (!rule) return;
    const view = this.#view();
    const sighting = rule.look(view);
    if (rule.wantsDeeper) this.#source.deepen();
    const now = this.#host.nowMs();
    if (sighting !== undefined && this.#trigger.take(sighting !== null, now)) {
      this.#host.onFire(this.#alert, sighting!);
      if (this.#isStopped) return;
    }
    const rest = sighting && !isEvent(this.#alert.condition) ? this.#trigger.restMs(now) : 0;
    const due = rest > 0 ? rest : rule.dueMs(view);
    if (due !== null) this.#cancel = this.#host.after(Math.min(due, LONGEST_MS), () => this.look());
  }

  /** Anew where the venue has changed the tick or the lot. */
  #ruleNow(): Rule | null {
    const subscription = this.#first();
    const instrument = subscription?.instrument ?? this.#source.instrument;
    const refusal = subscription?.refusal ?? null;
    if (refusal) this.#host.onProblem(this.#alert, m.alert_refused({ problem: refusal.message }));
    else if (instrument !== this.#instrument || !this.#rule) {
      const isRescaled = !this.#instrument || scalesOf(instrument) !== scalesOf(this.#instrument);
      this.#instrument = instrument;
      const problem = mismatch(this.#alert.condition, instrument);
      if (isRescaled) this.#rule = problem === null ? ruleOf(this.#alert.condition, instrument) : null;
      this.#host.onProblem(this.#alert, problem);
    } else this.#host.onProblem(this.#alert, null);
    return this.#rule;
  }

  #first() {
    const { book, trades, tickerSubscription, statusSubscription } = this.#source;
    return { book, trades, ticker: tickerSubscription, status: statusSubscription }[this.#topics[0]!];
  }

  #view(): MarketView {
    const { book, trades, tickerSubscription: ticker, statusSubscription: status } = this.#source;
    const has = (topic: Topic) => this.#topics.includes(topic);
    const judge = { book, trades: null, ticker, status }[this.#topics.at(-1)!];
    const isLive = this.#host.isOpen && judge?.state === 'live';
    return {
      timeMs: this.#host.timeMs(),
      isLive,
      ticker: has('ticker') ? (ticker?.ticker ?? null) : null,
      book: has('book') ? (book?.book ?? null) : null,
      heldLevels: book?.granted?.depth ?? 0,
      trades: has('trades') && trades ? this.#trades.read(trades) : null,
      notLiveMs: has('status') ? this.#notLive(isLive, status) : null,
      reason: this.#host.isOpen ? (status?.reason ?? null) : m.reason_connection_lost(),
    };
  }

  /** The end of a recording is no silence. */
  #notLive(isLive: boolean, status: StatusView | null): number | null {
    const { isOpen } = this.#host;
    if (isLive || (isOpen && status?.reason === RECORDING_ENDED)) {
      this.#notLiveSinceMs = null;
      return null;
    }
    const now = this.#host.nowMs();
    // What the server told last is of a time when it was live, where the connection has gone just now.
    const sinceMs = isOpen && status?.granted ? status.sinceMs : null;
    const told = sinceMs === null ? 0 : Math.max(0, this.#host.timeMs() - sinceMs);
    this.#notLiveSinceMs = Math.min(this.#notLiveSinceMs ?? Infinity, now - told);
    return now - this.#notLiveSinceMs;
  }
}

function scalesOf({ tick, lot }: Instrument): string {
  return [tick.units, tick.decimals, lot.units, lot.decimals].join();
}
