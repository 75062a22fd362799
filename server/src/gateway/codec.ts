import { codecs, type Codec, type Encoding } from '@depthwire/shared';
import { packr } from '../msgpack.ts';

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
