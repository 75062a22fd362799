import { Packr } from 'msgpackr';
import { DepthwireError } from '../model/errors.ts';
import type { ClientRequest, DataFrame, ServerMessage } from './messages.ts';
import type { Encoding } from './version.ts';

export type Message = ClientRequest | ServerMessage | DataFrame;

/** Turns messages into frames and back; both encodings carry the same values. */
export interface Codec {
  readonly encoding: Encoding;
  encode(message: Message): Uint8Array | string;
  /** @throws DepthwireError `malformed_message` */
  decode(frame: Uint8Array | string): unknown;
}

// Records and shared structures are extensions of msgpackr: without them any MessagePack library
// reads the frames.
const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  mapsAsObjects: true,
  int64AsType: 'number',
});

export const msgpackCodec: Codec = {
  encoding: 'msgpack',
  encode: (message) => packr.pack(message),
  decode(frame) {
    if (typeof frame === 'string') {
      throw new DepthwireError('malformed_message', 'expected a binary MessagePack frame, got a text frame');
    }
    try {
      return packr.unpack(frame);
    } catch (error) {
      throw new DepthwireError('malformed_message', `not a MessagePack value: ${describe(error)}`, {}, error);
    }
  },
};

export const jsonCodec: Codec = {
  encoding: 'json',
  encode: (message) => JSON.stringify(message),
  decode(frame) {
    if (typeof frame !== 'string') {
      throw new DepthwireError('malformed_message', 'expected a JSON text frame, got a binary frame');
    }
    try {
      return JSON.parse(frame);
    } catch (error) {
      throw new DepthwireError('malformed_message', `not a JSON value: ${describe(error)}`, {}, error);
    }
  },
};

export const codecs: Readonly<Record<Encoding, Codec>> = { msgpack: msgpackCodec, json: jsonCodec };

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
