/** RFC 6455 as far as the receivers and the plain server need it. */

export const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Bytes of a server's frame before its payload. */
export function headerBytes(payloadBytes: number): number {
  return payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10;
}

const NOTHING = Buffer.alloc(0);
/** Of the answer to an upgrade, as of any request. */
export const END_OF_HEAD = '\r\n\r\n';

/** @param protocol the subprotocol that is asked for; null for none */
export function upgradeRequest({ pathname, search, host }: URL, protocol: string | null): string {
  const lines = [
    `GET ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ];
  if (protocol !== null) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  return `${lines.join('\r\n')}${END_OF_HEAD}`;
}

/** A client's frame. Its mask is zero, which is as good as any for the receiver and costs nothing. */
export function clientFrame(opcode: number, payload: Uint8Array): Buffer {
  const isShort = payload.length < 126;
  const frame = Buffer.alloc((isShort ? 6 : 8) + payload.length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (isShort ? payload.length : 126);
  if (!isShort) frame.writeUInt16BE(payload.length, 2);
  frame.set(payload, isShort ? 6 : 8);
  return frame;
}

/** One binary frame of a server that is so long with its header. */
export function serverFrameOf(totalBytes: number): Buffer {
  if (totalBytes < 4 || totalBytes > 65_539) throw new RangeError(`no frame has ${totalBytes} bytes`);
  const frame = Buffer.alloc(totalBytes);
  frame[0] = 0x80 | opcodes.binary;
  frame[1] = 126;
  frame.writeUInt16BE(totalBytes - 4, 2);
  return frame;
}

export interface FrameHandler {
  /** @param bytes header and payload together */
  onFrame(opcode: number, bytes: number, payload: Buffer): void;
}

/**
 * Finds the frames in a stream, however it is cut. Keeps the payload of those only that somebody
 * reads: the others are counted.
 */
export class FrameParser {
  /** Whether binary payloads are kept. */
  keepsData: boolean;
  readonly #handler: FrameHandler;
  readonly #header = Buffer.alloc(10);
  #headerLength = 0;
  #frameBytes = 0;
  #opcode = 0;
  #left = 0;
  #parts: Buffer[] = [];

  constructor(handler: FrameHandler, keepsData: boolean) {
    this.#handler = handler;
    this.keepsData = keepsData;
  }

  /** @param data may be reused after the call */
  push(data: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (this.#left > 0) {
        const end = Math.min(to, at + this.#left);
        if (this.#isKept) this.#parts.push(Buffer.from(data.subarray(at, end)));
        this.#left -= end - at;
        at = end;
      } else {
        this.#header[this.#headerLength++] = data[at++]!;
        if (!this.#readHeader()) continue;
      }
      if (this.#left === 0) this.#end();
    }
  }

  get #isKept(): boolean {
    return this.keepsData || this.#opcode !== opcodes.binary;
  }

  /** @returns whether the header is whole */
  #readHeader(): boolean {
    const header = this.#header;
    if (this.#headerLength < 2) return false;
    const short = header[1]! & 0x7f;
    const length = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.#headerLength < length) return false;
    const payload =
      length === 2 ? short : length === 4 ? header.readUInt16BE(2) : Number(header.readBigUInt64BE(2));
    this.#opcode = header[0]! & 0x0f;
    this.#left = payload;
    this.#frameBytes = length + payload;
    this.#headerLength = 0;
    return true;
  }

  #end(): void {
    const parts = this.#parts;
    const payload = parts.length === 0 ? NOTHING : Buffer.concat(parts);
    if (parts.length > 0) this.#parts = [];
    this.#handler.onFrame(this.#opcode, this.#frameBytes, payload);
  }
}
