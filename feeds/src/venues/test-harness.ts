import { DepthwireError, type Instrument } from '@depthwire/shared';
import { scriptSession } from '../kit/index.ts';
import type { VenueAdapter } from '../core/venue.ts';

export { START_MS } from '../kit/index.ts';

/** A scripted session of a venue whose frames are all JSON. */
export function startBareSession(adapter: VenueAdapter, market: string, instruments: readonly Instrument[]) {
  const run = scriptSession(adapter, market, instruments);
  return {
    ...run,
    /** Frames sent since the last look, parsed. */
    sent: () => run.takeSent().map((text) => JSON.parse(text) as Record<string, unknown>),
    hear(...frames: readonly (object | string)[]) {
      for (const frame of frames) run.hear(frame);
    },
    pass: run.wait,
  };
}

/** JSON values that choke who reads them as a number or a text. */
export const hostileValues: readonly unknown[] = [
  { toString: 1, valueOf: 1 },
  { toJSON: 1, length: -1 },
  { length: 1e9 },
  [[[[[[]]]]]],
  '9'.repeat(40),
  `0.${'0'.repeat(40)}1`,
  '1e999',
  8.7e15,
];

/** The typed error that something throws, null where it throws none; any other passes through. */
export function errorOf(run: () => unknown): DepthwireError | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof DepthwireError) return error;
    throw error;
  }
}
