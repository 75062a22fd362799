import { codecs, DepthwireError, type Codec, type Encoding } from '@depthwire/shared';
import { Packr } from 'msgpackr';

// Records and shared structures are extensions of msgpackr: without them any MessagePack library
// reads the messages.
const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  mapsAsObjects: true,
  int64AsType: 'number',
});

/**
 * Maps by msgpackr, which reads whatever a client's library may send; data frames, which are arrays and the bulk
 * of all traffic, by code made for them. What it writes is what `codecs` of a client writes, to the byte.
 */
const msgpack: Codec = {
  ...codecs.msgpack,
  encode: (message) =>
    Array.isArray(message)
      ? codecs.msgpack.encode(message)
      : (packr.pack(message) as Uint8Array<ArrayBuffer>),
  decode(frame) {
    if (typeof frame === 'string') return codecs.msgpack.decode(frame);
    const bytes = frame instanceof Uint8Array ? frame : new Uint8Array(frame);
    if (isArray(bytes[0]!)) return codecs.msgpack.decode(bytes);
    try {
      return packr.unpack(bytes);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new DepthwireError('malformed_message', `not a MessagePack value: ${why}`, {}, error);
    }
  },
};

/** By the first byte. */
function isArray(type: number): boolean {
  return type >>> 4 === 0x9 || type === 0xdc || type === 0xdd;
}

/** What the server reads and writes; see `codecs` for what a client does. */
export const serverCodecs: Readonly<Record<Encoding, Codec>> = { msgpack, json: codecs.json };
