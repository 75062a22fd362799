const FIN_TEXT = 0x81;
const FIN_BINARY = 0x82;
/** In place of a length of one byte: the length follows in 2 or 8 bytes. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * A whole message as a server sends it: one frame, not masked. Built here and not by `ws`, so that it is
 * built once for all who get it, and written together with others.
 * @param payload bytes become a binary message, a string a text message
 * @see RFC 6455, section 5.2
 */
export function webSocketFrame(payload: Uint8Array | string): Buffer {
  const isText = typeof payload === 'string';
  const length = isText ? Buffer.byteLength(payload) : payload.length;
  const headBytes = length < LENGTH_16 ? 2 : length < 2 ** 16 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headBytes + length);
  frame[0] = isText ? FIN_TEXT : FIN_BINARY;
  if (headBytes === 2) frame[1] = length;
  else if (headBytes === 4) {
    frame[1] = LENGTH_16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_64;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  if (isText) frame.write(payload, headBytes);
  else frame.set(payload, headBytes);
  return frame;
}
