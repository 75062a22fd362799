import { DepthwireError } from '@depthwire/shared';
import type { CaptureSupport, VenueAdapter } from './venue.ts';

/** What only captures ask of an adapter; one that is plugged in may leave it out. */
type ForCaptures = 'capture' | 'guessInstrument';

export type VenueDefinition = Omit<VenueAdapter, ForCaptures> & Partial<Pick<VenueAdapter, ForCaptures>>;

const noCaptures: CaptureSupport = {
  marketOf: () => null,
  snapshotSymbol: () => null,
  isMetadata: () => false,
  look() {},
};

/** An adapter of a venue's live protocol; what is left out says that its captures cannot be read. */
export function defineVenue(definition: VenueDefinition): VenueAdapter {
  const { venue, markets, limits, metadata } = definition;
  return {
    venue,
    markets,
    limits,
    metadata,
    parseMetadata: (...args) => definition.parseMetadata(...args),
    socketUrl: (...args) => definition.socketUrl(...args),
    createSession: (options) => definition.createSession(options),
    past: definition.past,
    guessInstrument(...args) {
      if (definition.guessInstrument) return definition.guessInstrument(...args);
      throw new DepthwireError('unknown_symbol', `${venue} does not tell instruments without metadata`);
    },
    capture: definition.capture ?? noCaptures,
  };
}
