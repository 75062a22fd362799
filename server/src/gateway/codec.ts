import { codecs, type Codec, type Encoding } from '@depthwire/shared';
import { Packr } from 'msgpackr';

// Records and shared structures are extensions of msgpackr: without them any MessagePack library
// reads the messages.
const packr = new Packr({ useRecords: false, variableMapSize: true, mapsAsObjects: true });

/**
 * Maps by msgpackr; data frames, which are arrays and the bulk of all traffic, by code made for them. What it writes
 * is what `codecs` of a client writes, to the byte. What strangers send is read by code that knows the types of the
 * protocol alone, and sets aside no more memory than they sent.
 */
const msgpack: Codec = {
  ...codecs.msgpack,
  encode: (message) =>
    Array.isArray(message)
      ? codecs.msgpack.encode(message)
      : (packr.pack(message) as Uint8Array<ArrayBuffer>),
};

/** What the server reads and writes; see `codecs` for what a client does. */
export const serverCodecs: Readonly<Record<Encoding, Codec>> = { msgpack, json: codecs.json };
