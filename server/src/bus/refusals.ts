import { DepthwireError, type Clock } from '@depthwire/shared';
import type { BusFigures } from './bus-figures.ts';

/** How often the same kind of trouble is logged. */
const LOG_AGAIN_MS = 30_000;
/** What somebody else wrote goes into a line of the log only so far. */
const MAX_REASON_CHARS = 300;

/** Where a message is refused: each is logged by itself. */
type Kind = 'lane' | 'leader' | 'ask' | 'report' | 'lease';

const words: Readonly<Record<Kind, string>> = {
  lane: 'message on a lane of the bus refused',
  leader: 'message of an ingest that does not lead refused',
  ask: 'request on the bus refused',
  report: 'report on the bus refused',
  lease: 'lease in Redis refused',
};

export interface RefusalsOptions {
  readonly figures: BusFigures;
  readonly timers: Clock;
  readonly log: { warn(details: object, message: string): void };
}

/** Whoever can write to the bus can write anything: all of it is counted, and of each kind one line in a while is logged. */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #told = new Map<Kind, { atMs: number; others: number }>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /** @param error says what was expected */
  refuse(kind: Kind, error: unknown): void {
    const { timers, log, figures } = this.#options;
    if (kind !== 'leader') figures.unreadable += 1;
    const now = timers.now();
    const told = this.#told.get(kind);
    if (told && now - told.atMs < LOG_AGAIN_MS) {
      told.others += 1;
      return;
    }
    this.#told.set(kind, { atMs: now, others: 0 });
    const code = error instanceof DepthwireError ? error.code : 'malformed_message';
    const reason = String(error instanceof Error ? error.message : error).slice(0, MAX_REASON_CHARS);
    log.warn({ code, reason, others: told?.others ?? 0 }, words[kind]);
  }
}
