import { crc32, type InstrumentId } from '@depthwire/shared';

/** Channels that instruments are spread over, each of which is in one shard of a Redis cluster. All processes agree on it. */
export const LANES = 16;

/** Channels and keys in Redis, of one group of processes. */
export class BusNames {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** What is in braces says which shard it is in. */
  lane(lane: number): string {
    return `${this.#prefix}:lane:{${lane}}`;
  }

  /** What gateways want of ingests. */
  get asks(): string {
    return `${this.#prefix}:asks`;
  }

  /** What ingests tell of their feeds. */
  get reports(): string {
    return `${this.#prefix}:reports`;
  }

  lease(feed: string): string {
    return `${this.#prefix}:lease:${feed}`;
  }
}

export function laneOf(id: InstrumentId): number {
  const bytes = Buffer.from(id);
  return crc32(bytes, bytes.length) % LANES;
}
