import { DepthwireError } from '../model/errors.ts';
import { frameCodes, type ClientRequest, type DataFrame, type ServerMessage } from './messages.ts';
import { pack, unpack } from './msgpack.ts';
import type { Encoding } from './version.ts';

export type Message = ClientRequest | ServerMessage | DataFrame;

/** A message as it went over the wire, for whoever looks at the traffic. */
export interface RawFrame {
  /** `in` is from the server. */
  readonly direction: 'in' | 'out';
  readonly encoding: Encoding;
  /** MessagePack, or JSON text. Not to be changed. */
  readonly data: Uint8Array | string;
  /** When it came or went, by this machine's clock, unix milliseconds. */
  readonly timeMs: number;
}

export type WireFrame = Uint8Array | ArrayBuffer | string;

/** Turns messages into frames and back; both encodings carry the same values. */
export interface Codec {
  readonly encoding: Encoding;
  encode(message: Message): Uint8Array<ArrayBuffer> | string;
  /**
   * @param frame as a WebSocket hands it over: bytes where the encoding is MessagePack, text where it is JSON
   * @throws DepthwireError `malformed_message`
   */
  decode(frame: WireFrame): unknown;
  /** As `decode`, but for levels: they may be left as they lie in the frame, for `decodeLevels` to read. */
  decodeLazily(frame: WireFrame): unknown;
}

export const msgpackCodec: Codec = {
  encoding: 'msgpack',
  encode: pack,
  decode: (frame) => read(bytesOf(frame), Infinity),
  decodeLazily(frame) {
    const bytes = bytesOf(frame);
    // Behind the head of a book frame's array, of one byte, is its code.
    const code = bytes[1];
    return read(bytes, code === frameCodes.bookDelta ? 7 : code === frameCodes.bookSnapshot ? 8 : Infinity);
  },
};

function bytesOf(frame: WireFrame): Uint8Array {
  if (typeof frame === 'string') {
    throw new DepthwireError('malformed_message', 'expected a binary MessagePack frame, got a text frame');
  }
  return frame instanceof Uint8Array ? frame : new Uint8Array(frame);
}

function read(bytes: Uint8Array, packedAt: number): unknown {
  try {
    return unpack(bytes, packedAt);
  } catch (error) {
    throw new DepthwireError('malformed_message', `not a MessagePack value: ${describe(error)}`, {}, error);
  }
}

export const jsonCodec: Codec = {
  encoding: 'json',
  encode: (message) => JSON.stringify(message),
  decode: parse,
  decodeLazily: parse,
};

function parse(frame: WireFrame): unknown {
  if (typeof frame !== 'string') {
    throw new DepthwireError('malformed_message', 'expected a JSON text frame, got a binary frame');
  }
  try {
    return JSON.parse(frame);
  } catch (error) {
    throw new DepthwireError('malformed_message', `not a JSON value: ${describe(error)}`, {}, error);
  }
}

export const codecs: Readonly<Record<Encoding, Codec>> = { msgpack: msgpackCodec, json: jsonCodec };

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
