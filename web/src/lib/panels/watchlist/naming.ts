import type { InstrumentId } from '@depthwire/shared';

/** A group that gets a name. */
export interface Naming {
  /** Null for a new one. */
  readonly id: string | null;
  readonly name: string;
  /** What a new one begins with. */
  readonly instruments: readonly InstrumentId[];
}
