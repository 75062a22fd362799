import { Packr } from 'msgpackr';

/**
 * Records and shared structures are extensions of msgpackr: without them any MessagePack library reads what it
 * writes.
 */
export const packr = new Packr({ useRecords: false, variableMapSize: true, mapsAsObjects: true });
