import type { Instrument } from '@depthwire/shared';
import { marketProfiles } from './profiles.ts';

export { createSimulatorFeed } from './simulator-feed.ts';
export type { SimulatorOptions } from './options.ts';

/** All that can be simulated, in the order of the feed's events. */
export const simulatorInstruments: readonly Instrument[] = marketProfiles.map(({ instrument }) => instrument);
