// Clients before a cluster in front of a known market, and what one fault does to them.
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { unixMs } from '../harness/clock.ts';
import { Worker } from '../harness/worker.ts';
import { Cluster } from './cluster.ts';
import type { Crowd, Now, Wish } from './crowd-process.ts';
import type { Fault } from './faults.ts';
import { storedFaults, type StoredFaults } from './stored.ts';
import { candlesOf, DEPTHS } from './truth.ts';
import type { Venue } from './venue-process.ts';
import { verdictOf, type Verdict } from './verdict.ts';

const CADENCES_MS = [0, 100, 250];
const POLL_MS = 100;
/** After so long without trouble it is over. */
const CALM_MS = 2_000;
/** Then it is told how it stands, right or not. */
const CALM_LIMIT_MS = 45_000;
const SETTLE_LIMIT_MS = 20_000;
const STORED_LIMIT_MS = 30_000;
const LISTEN_LIMIT_MS = 30_000;
/** Between two faults: a connection that lived so long starts its back-off anew. */
const BETWEEN_MS = 11_000;

export interface TrialOptions {
  readonly ingests: number;
  readonly gateways: number;
  readonly clients: number;
  readonly crowds: number;
  readonly bases: readonly string[];
  readonly tickMs: number;
  readonly faketime: string | null;
  readonly isStored: boolean;
  readonly isShort: boolean;
  progress(text: string): void;
}

export interface Finding extends Verdict {
  readonly name: string;
  readonly title: string;
  readonly limitMs: number;
  /** From the beginning of the fault until the last client had a live book that went on. */
  readonly rightAfterMs: number;
  /** From the market's standing still until all books were the market's. */
  readonly settleMs: number;
  /** Clients whose book was not the market's when that was given up. */
  readonly unsettled: number;
  readonly examples: readonly string[];
  readonly stored: StoredFaults;
}

export class Trial {
  readonly cluster: Cluster;
  readonly #venue: Worker<Venue>;
  readonly #crowds: readonly Worker<Crowd>[];
  readonly #options: TrialOptions;

  /** Resolves once all clients have live books of a market that moves. */
  static async start(options: TrialOptions): Promise<Trial> {
    const { progress } = options;
    progress('starting the market and the cluster');
    const module = (name: string) => [fileURLToPath(new URL(name, import.meta.url))];
    const venue = new Worker<Venue>('the market', module('venue-process.ts'));
    const crowds: Worker<Crowd>[] = [];
    let cluster: Cluster | null = null;
    try {
      const { bases, tickMs, ingests, gateways, faketime } = options;
      const { instruments, ...endpoints } = await venue.ask('start', { bases, tickMs });
      const symbols = bases.map((base) => `${base}-USD`);
      cluster = await Cluster.start({
        ...{ ingests, gateways, faketime, isStored: options.isStored },
        feeds: [{ feed: 'kraken', market: 'spot', symbols, endpoints }],
      });
      await until(LISTEN_LIMIT_MS, 'all feeds listen to the market', async () => {
        return (await venue.ask('listeners')) === (ingests || gateways);
      });
      await venue.ask('move', true);
      progress(`connecting ${options.clients} clients`);
      for (let i = 0; i < options.crowds; i++)
        crowds.push(new Worker<Crowd>(`crowd ${i}`, module('crowd-process.ts')));
      const { url } = cluster;
      await Promise.all(
        crowds.map((crowd, place) =>
          crowd.ask('connect', { url, wishes: wishesOf(options, instruments, place) }),
        ),
      );
      return new Trial(options, cluster, venue, crowds);
    } catch (error) {
      for (const each of [...crowds, venue]) await each.stop();
      await cluster?.stop(true);
      throw error;
    }
  }

  private constructor(
    options: TrialOptions,
    cluster: Cluster,
    venue: Worker<Venue>,
    crowds: readonly Worker<Crowd>[],
  ) {
    this.#options = options;
    this.cluster = cluster;
    this.#venue = venue;
    this.#crowds = crowds;
  }

  async suffer(name: string, fault: Fault): Promise<Finding> {
    const { progress, isShort } = this.#options;
    progress(fault.title);
    await Promise.all(this.#crowds.map((crowd) => crowd.ask('begin')));
    const fromMs = unixMs();
    const repair = await fault.strike(this.cluster);
    const troubleMs = await this.#calm();
    progress(`${fault.title}: comparing`);
    await this.#move(false);
    const now = await this.#now();
    const { settleMs, unsettled, examples } = await this.#settle(now);
    const accounts = await Promise.all(this.#crowds.map((crowd) => crowd.ask('account', now)));
    const shown = await Promise.all(this.#crowds.map((crowd) => crowd.ask('shown')));
    const verdict = verdictOf(accounts, shown, await this.#venue.ask('states'));
    const stored = await this.#stored();
    await repair();
    await this.#move(true);
    await delay(isShort ? CALM_MS : BETWEEN_MS);
    return {
      ...verdict,
      ...{ name, settleMs, unsettled, examples, stored },
      ...{ title: fault.title, limitMs: fault.limitMs },
      rightAfterMs: troubleMs === null ? 0 : Math.max(0, troubleMs - fromMs),
    };
  }

  async stop(keepsLogs: boolean): Promise<void> {
    for (const each of [...this.#crowds, this.#venue]) await each.stop();
    await this.cluster.stop(keepsLogs);
  }

  /** @returns when the last client was in trouble; null where nobody was */
  async #calm(): Promise<number | null> {
    const endMs = unixMs() + CALM_LIMIT_MS;
    const sinceMs = unixMs();
    for (;;) {
      const answers = await Promise.all(this.#crowds.map((crowd) => crowd.ask('troubleMs')));
      const times = answers.filter((time) => time !== null);
      const lastMs = times.length > 0 ? Math.max(...times) : null;
      const nowMs = unixMs();
      if (nowMs - Math.max(sinceMs, lastMs ?? 0) > CALM_MS || nowMs > endMs) return lastMs;
      await delay(POLL_MS);
    }
  }

  async #move(isMoving: boolean): Promise<void> {
    if (isMoving) await this.#venue.ask('move', true);
    await Promise.all(this.#crowds.map((crowd) => crowd.ask('move', isMoving)));
    if (!isMoving) await this.#venue.ask('move', false);
  }

  async #now(): Promise<Now> {
    const states = await this.#venue.ask('states');
    const log = await this.#venue.ask('trades');
    return {
      states: new Map([...states].map(([key, { current }]) => [key, { current }])),
      lastTradeIds: new Map([...log].map(([instrument, trades]) => [instrument, trades.at(-1)!.id])),
      candles: new Map([...log].map(([instrument, trades]) => [instrument, candlesOf(trades, 60)])),
    };
  }

  async #settle(now: Now) {
    const fromMs = unixMs();
    for (;;) {
      const answers = await Promise.all(this.#crowds.map((crowd) => crowd.ask('unsettled', now)));
      const unsettled = answers.reduce((sum, { count }) => sum + count, 0);
      const settleMs = unixMs() - fromMs;
      const examples = answers.flatMap((answer) => answer.examples);
      if (unsettled === 0 || settleMs > SETTLE_LIMIT_MS) return { settleMs, unsettled, examples };
      await delay(POLL_MS);
    }
  }

  async #stored(): Promise<StoredFaults> {
    const { postgres } = this.cluster;
    if (!postgres) return { trades: 0, missed: 0, doubled: 0, wrongCandles: 0 };
    const log = await this.#venue.ask('trades');
    const endMs = unixMs() + STORED_LIMIT_MS;
    for (;;) {
      const found = await storedFaults(postgres.url, log);
      if (found.missed + found.doubled + found.wrongCandles === 0 || unixMs() > endMs) return found;
      await delay(10 * POLL_MS);
    }
  }
}

function wishesOf(
  { clients, crowds }: TrialOptions,
  instruments: readonly string[],
  place: number,
): readonly Wish[] {
  const wishes: Wish[] = [];
  for (let i = place; i < clients; i += crowds) {
    // The numbers of each have no common divisor with those of the others for long: all combinations occur.
    const n = Math.floor(i / instruments.length);
    wishes.push({
      instrument: instruments[i % instruments.length]!,
      depth: DEPTHS[n % DEPTHS.length]!,
      cadenceMs: CADENCES_MS[Math.floor(n / DEPTHS.length) % CADENCES_MS.length]!,
    });
  }
  return wishes;
}

async function until(limitMs: number, what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const endMs = unixMs() + limitMs; !(await isSo()); await delay(POLL_MS))
    if (unixMs() > endMs) throw new Error(`${limitMs / 1000} s were not enough until ${what}`);
}
