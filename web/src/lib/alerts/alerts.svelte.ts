import type { InstrumentId } from '@depthwire/shared';
import { SvelteMap } from 'svelte/reactivity';
import { m } from '../paraglide/messages.js';
import type { Catalogue } from '../state/catalogue.svelte.ts';
import type { Connection } from '../state/connection.svelte.ts';
import type { Markets } from '../state/markets.svelte.ts';
import { storage } from '../state/storage.svelte.ts';
import { withAlert, withAlertBack, withAllSeen, withFired, withoutAlert, withState } from './alert-book.ts';
import {
  readStored,
  writeStored,
  type Alert,
  type AlertSpec,
  type LogEntry,
  type Stored,
} from './alert-model.ts';
import { AlertRun, type AlertHost } from './alert-run.ts';
import type { Sighting } from './alert-rules.ts';
import { conditionText, pairOf } from './alert-text.ts';
import { DesktopNotifications } from './desktop.svelte.ts';
import { AlertSound } from './sound.svelte.ts';
import { newId } from '../state/new-id.ts';

const KEY = 'depthwire.alerts';
const MAX_NOTICES = 3;

/** What the form begins with. */
export interface Draft {
  readonly instrument: InstrumentId | null;
  /** The alert that is changed; null for a new one. */
  readonly alert: Alert | null;
}

interface Deps {
  readonly connection: Connection;
  readonly catalogue: Catalogue;
  readonly markets: Markets;
  /** The market's clock, once it is known. */
  timeMs(): number | null;
}

/**
 * All alerts of this browser. Of several tabs one looks at the market, whichever of them is in front; the others
 * show what it found.
 */
export class Alerts {
  #stored = $state.raw<Stored>(readStored(null).stored);
  /** Of the alerts that cannot go off now: why. */
  readonly problems = new SvelteMap<string, string>();
  /** What was saved and cannot be read; null where there is nothing to say. */
  storageProblem = $state<string | null>(null);
  /** What went off lately and nobody has dismissed, newest first. */
  notices = $state.raw<readonly LogEntry[]>([]);
  /** What the form is open with; null where it is closed. */
  draft = $state.raw<Draft | null>(null);
  /** Whether another tab looks at the market. */
  isElsewhere = $state(false);
  readonly sound = new AlertSound();
  readonly desktop = new DesktopNotifications();

  readonly #deps: Deps;
  readonly #runs = new Map<string, { readonly key: string; readonly run: AlertRun }>();
  readonly #host: AlertHost;
  #isLooking = false;

  constructor(deps: Deps) {
    this.#deps = deps;
    const { stored, problem } = readStored(storage.read(KEY));
    this.#stored = stored;
    this.storageProblem = problem;
    this.#host = {
      nowMs: () => Date.now(),
      timeMs: () => deps.timeMs() ?? Date.now(),
      get isOpen() {
        return deps.connection.isOpen;
      },
      after: (ms, task) => {
        const timer = setTimeout(task, ms);
        return () => clearTimeout(timer);
      },
      onFire: (alert, sighting) => this.#onFire(alert, sighting),
      onProblem: ({ id }, text) => this.#tellProblem(id, text),
    };
  }

  get all(): readonly Alert[] {
    return this.#stored.alerts;
  }

  /** Newest first. */
  get log(): readonly LogEntry[] {
    return this.#stored.log;
  }

  get unseen(): number {
    return this.#stored.log.filter(({ isSeen }) => !isSeen).length;
  }

  get isMuted(): boolean {
    return this.#stored.isMuted;
  }

  set isMuted(isMuted: boolean) {
    this.#keep({ ...this.#stored, isMuted });
  }

  get notifies(): boolean {
    return this.#stored.notifies;
  }

  /** Asks for the browser's leave where it has to be asked for. */
  async setNotifies(wanted: boolean): Promise<void> {
    const notifies = wanted && (await this.desktop.ask());
    this.#keep({ ...this.#stored, notifies });
  }

  /** Returns how to stop. */
  start(): () => void {
    const stopSound = this.sound.start();
    const onStorage = ({ key, newValue }: StorageEvent) => {
      if (key === KEY || key === null) this.#takeFromElsewhere(newValue);
    };
    addEventListener('storage', onStorage);
    // A client tells a lost connection to each subscription, and then that it is lost.
    const offState = this.#deps.connection.client.on('state', () => {
      for (const { run } of [...this.#runs.values()]) run.look();
    });
    const giveUp = this.#beTheOne();
    return () => {
      giveUp();
      this.#isLooking = false;
      this.sync();
      offState();
      stopSound();
      removeEventListener('storage', onStorage);
    };
  }

  /** @throws DepthwireError `invalid_request` */
  save(spec: AlertSpec, alert: Alert | null): void {
    if (!this.isMuted) void this.sound.prepare();
    this.#keep(withAlert(this.#stored, alert?.id ?? newId(), spec));
  }

  remove({ id }: Alert): void {
    this.#keep(withoutAlert(this.#stored, id));
  }

  /**
   * Takes a deletion back.
   * @throws DepthwireError `invalid_request` where there is no room any more
   */
  restore(alert: Alert, index: number): void {
    this.#keep(withAlertBack(this.#stored, alert, index));
  }

  arm({ id }: Alert): void {
    this.#keep(withState(this.#stored, id, 'armed'));
  }

  pause({ id }: Alert): void {
    this.#keep(withState(this.#stored, id, 'paused'));
  }

  markSeen(): void {
    this.notices = [];
    if (this.unseen > 0) this.#keep(withAllSeen(this.#stored));
  }

  clearLog(): void {
    this.notices = [];
    this.#keep({ ...this.#stored, log: [] });
  }

  dismiss(notice: LogEntry): void {
    this.notices = this.notices.filter((one) => one !== notice);
  }

  /** A run for each armed alert of an instrument that there is; call when instruments or alerts have changed. */
  sync(): void {
    const armed = this.#isLooking ? this.#stored.alerts.filter(({ state }) => state === 'armed') : [];
    const wanted = new Map(armed.map((alert) => [alert.id, { alert, key: keyOf(alert) }]));
    for (const [id, { key, run }] of this.#runs) {
      const alert = wanted.get(id)?.alert;
      if (alert && wanted.get(id)?.key === key && this.#deps.catalogue.get(alert.instrument)) continue;
      run.stop();
      this.#runs.delete(id);
      this.#tellProblem(id, null);
    }
    for (const [id, { alert, key }] of wanted) if (!this.#runs.has(id)) this.#run(id, alert, key);
  }

  #run(id: string, alert: Alert, key: string): void {
    const market = this.#deps.markets.get(alert.instrument);
    if (!market) {
      const isGone = this.#deps.catalogue.isLoaded;
      this.#tellProblem(id, isGone ? m.alert_no_such_instrument() : null);
      return;
    }
    this.#runs.set(id, { key, run: new AlertRun(alert, market, this.#host) });
  }

  #onFire({ id, instrument, condition }: Alert, { value, afterGap }: Sighting): void {
    const known = this.#deps.catalogue.get(instrument);
    const entry: LogEntry = {
      id: newId(),
      timeMs: this.#host.timeMs(),
      instrument,
      condition: conditionText(condition, known?.base ?? '', known?.quote ?? ''),
      value: value.slice(0, 200),
      afterGap,
      isSeen: false,
    };
    this.#keep(withFired(this.#stored, id, entry, this.#host.nowMs()));
    this.#notice([entry]);
    if (!this.isMuted) void this.sound.play(condition);
    if (this.notifies) this.desktop.show(`${pairOf(instrument)}: ${entry.condition}`, noticeValue(entry), id);
  }

  #notice(entries: readonly LogEntry[]): void {
    this.notices = [...entries, ...this.notices].slice(0, MAX_NOTICES);
  }

  #tellProblem(id: string, text: string | null): void {
    if ((this.problems.get(id) ?? null) === text) return;
    if (text === null) this.problems.delete(id);
    else this.problems.set(id, text);
  }

  #keep(stored: Stored): void {
    this.#stored = stored;
    storage.write(KEY, writeStored(stored));
    this.sync();
  }

  #takeFromElsewhere(text: string | null): void {
    const { stored } = readStored(text);
    const known = new Set(this.#stored.log.map(({ id }) => id));
    const news = stored.log.filter(({ id, isSeen }) => !isSeen && !known.has(id));
    this.#stored = stored;
    this.#notice(news.slice(0, MAX_NOTICES));
    this.sync();
  }

  /** Looks at the market as soon as no other tab does; where browsers have no locks, each tab does. */
  #beTheOne(): () => void {
    const given = new AbortController();
    let release: () => void = () => {};
    const look = () => {
      this.#isLooking = true;
      this.isElsewhere = false;
      this.sync();
      return new Promise<void>((resolve) => (release = resolve));
    };
    const { locks } = navigator;
    const wait = async () => {
      const isFirst = await locks.request(
        KEY,
        { ifAvailable: true },
        (lock) => lock && look().then(() => true),
      );
      if (isFirst || given.signal.aborted) return;
      this.isElsewhere = true;
      await locks.request(KEY, { signal: given.signal }, look);
    };
    // A lock also keeps a browser from putting a tab to sleep that nobody looks at.
    if (locks)
      void wait().catch(() => {
        if (!given.signal.aborted) void look();
      });
    else void look();
    return () => {
      given.abort();
      release();
    };
  }
}

/** The value that was seen, and how. */
export function noticeValue({ value, afterGap }: LogEntry): string {
  return afterGap ? m.seen_after_gap({ value }) : value;
}

/** What makes an alert another one, that knows nothing of what the first had seen. */
function keyOf({ instrument, condition, repeatAfter }: Alert): string {
  return JSON.stringify([instrument, condition, repeatAfter]);
}
