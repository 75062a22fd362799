/**
 * MessagePack of what the protocol sends: mostly arrays of numbers, with a text here and there, in a fraction
 * of the time that a general library takes; and the few maps, so that a client needs no library beside it.
 * It is plain MessagePack, which any library reads and writes.
 */

/** Frames are written one behind the other into pieces of memory of this size. */
const CHUNK_BYTES = 16_384;
/** Most bytes of a number, and of the head of an array, map or text. */
export const NUMBER_BYTES = 9;
export const HEAD_BYTES = 5;
/** Arrays and maps within each other that are read. */
const MAX_NESTING = 16;
/** Instead of where a value ends: there is no room for it. */
const FULL = -1;

/** In browsers and Node alike; declared here because this package has the types of neither. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new (
  encoding: string,
  options: { fatal: boolean; ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const scratch = new Uint8Array(8);
const scratchView = new DataView(scratch.buffer);

/** An array that puts itself into the bytes of a message. */
export abstract class Packable {
  /** A bound of the bytes it takes. */
  abstract get mostBytes(): number;
  /** @returns where it ends */
  abstract pack(bytes: Uint8Array, start: number): number;
}

/** An array as it lies in a message: behind the first element all are, or should be, one-byte integers. */
export class PackedArray {
  readonly first: number;
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;

  constructor(first: number, bytes: Uint8Array, from: number, to: number) {
    this.first = first;
    this.bytes = bytes;
    this.from = from;
    this.to = to;
  }

  /** Its elements. */
  toJSON(): number[] {
    return [this.first, ...Array.from(this.bytes.subarray(this.from, this.to), (byte) => (byte << 24) >> 24)];
  }
}

// ── writing ─────────────────────────────────────────────────────────────────────────────────────

let chunk = new Uint8Array(CHUNK_BYTES);
/** Where the next frame begins in `chunk`. */
let free = 0;

/**
 * As `JSON.stringify` has it: what is undefined is left out of a map, and null in an array.
 * @throws TypeError where there is anything but null, booleans, numbers, texts, arrays and plain objects
 */
export function pack(message: unknown): Uint8Array<ArrayBuffer> {
  let end = writeValue(chunk, free, message, 0);
  if (end === FULL) {
    chunk = new Uint8Array(CHUNK_BYTES);
    free = 0;
    end = writeValue(chunk, 0, message, 0);
  }
  for (let size = 2 * CHUNK_BYTES; end === FULL; size *= 2) {
    const bytes = new Uint8Array(size);
    end = writeValue(bytes, 0, message, 0);
    if (end !== FULL) return bytes.slice(0, end);
  }
  const start = free;
  free = end;
  return chunk.subarray(start, end);
}

/**
 * Of a value that is no number: there is always room for those.
 * @param behind bytes that have to be left for what comes behind it
 * @returns where it ends, or `FULL`
 */
function writeValue(bytes: Uint8Array, start: number, value: unknown, behind: number): number {
  if (Array.isArray(value)) return writeArray(bytes, start, value, behind);
  if (value instanceof Packable) {
    return start + value.mostBytes + behind > bytes.length ? FULL : value.pack(bytes, start);
  }
  if (typeof value === 'string') return writeText(bytes, start, value, behind);
  if (start + NUMBER_BYTES + behind > bytes.length) return FULL;
  if (typeof value === 'number') return writeNumber(bytes, start, value);
  if (typeof value === 'object' && value !== null) return writeMap(bytes, start, value, behind);
  if (value != null && typeof value !== 'boolean') throw new TypeError(`MessagePack of a ${typeof value}`);
  bytes[start] = value == null ? 0xc0 : value ? 0xc3 : 0xc2;
  return start + 1;
}

function writeMap(bytes: Uint8Array, start: number, map: object, behind: number): number {
  const entries = Object.entries(map).filter(([, value]) => value !== undefined);
  const { length } = entries;
  if (start + HEAD_BYTES + NUMBER_BYTES * length + behind > bytes.length) return FULL;
  let at = start;
  if (length < 16) {
    bytes[at++] = 0x80 | length;
  } else {
    const isShort = length < 0x10000;
    bytes[at++] = isShort ? 0xde : 0xdf;
    at = writeInteger(bytes, at, length, isShort ? 2 : 4);
  }
  for (let i = 0; i < length; i++) {
    const [key, value] = entries[i]!;
    const rest = behind + NUMBER_BYTES * (length - i - 1);
    at = writeText(bytes, at, key, rest + NUMBER_BYTES);
    if (at !== FULL) at = writeValue(bytes, at, value, rest);
    if (at === FULL) return FULL;
  }
  return at;
}

function writeArray(bytes: Uint8Array, start: number, array: readonly unknown[], behind: number): number {
  const { length } = array;
  if (start + HEAD_BYTES + NUMBER_BYTES * length + behind > bytes.length) return FULL;
  let at = writeHead(bytes, start, length);
  for (let i = 0; i < length; i++) {
    const value = array[i];
    if (typeof value === 'number') {
      if ((value + 32) >>> 0 < 160 && (value | 0) === value) bytes[at++] = value;
      else at = writeNumber(bytes, at, value);
    } else if (value === null) {
      bytes[at++] = 0xc0;
    } else {
      at = writeValue(bytes, at, value, behind + NUMBER_BYTES * (length - i - 1));
      if (at === FULL) return FULL;
    }
  }
  return at;
}

function writeText(bytes: Uint8Array, start: number, text: string, behind: number): number {
  const encoded = textEncoder.encode(text);
  const { length } = encoded;
  if (start + HEAD_BYTES + length + behind > bytes.length) return FULL;
  let at = start;
  if (length < 32) {
    bytes[at++] = 0xa0 | length;
  } else {
    const width = length < 0x100 ? 1 : length < 0x10000 ? 2 : 4;
    bytes[at++] = width === 1 ? 0xd9 : width === 2 ? 0xda : 0xdb;
    at = writeInteger(bytes, at, length, width);
  }
  bytes.set(encoded, at);
  return at + length;
}

/** Bytes of the head of an array. */
export function headLength(length: number): 1 | 3 | 5 {
  return length < 16 ? 1 : length < 0x10000 ? 3 : 5;
}

export function writeHead(bytes: Uint8Array, start: number, length: number): number {
  if (length < 16) {
    bytes[start] = 0x90 | length;
    return start + 1;
  }
  const isShort = length < 0x10000;
  bytes[start] = isShort ? 0xdc : 0xdd;
  return writeInteger(bytes, start + 1, length, isShort ? 2 : 4);
}

/** A number in the shortest form: past 32 bits as float 64. */
export function writeNumber(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  if (value === value >>> 0) {
    const width = value < 0x100 ? 1 : value < 0x10000 ? 2 : 4;
    if (value >= 0x80) bytes[at++] = width === 1 ? 0xcc : width === 2 ? 0xcd : 0xce;
    return writeInteger(bytes, at, value, width);
  }
  if (value === (value | 0)) {
    const width = value >= -0x80 ? 1 : value >= -0x8000 ? 2 : 4;
    if (value < -0x20) bytes[at++] = width === 1 ? 0xd0 : width === 2 ? 0xd1 : 0xd2;
    return writeInteger(bytes, at, value, width);
  }
  bytes[at++] = 0xcb;
  scratchView.setFloat64(0, value);
  bytes.set(scratch, at);
  return at + 8;
}

function writeInteger(bytes: Uint8Array, start: number, value: number, width: 1 | 2 | 4): number {
  let at = start;
  for (let shift = 8 * (width - 1); shift >= 0; shift -= 8) bytes[at++] = value >>> shift;
  return at;
}

// ── reading ─────────────────────────────────────────────────────────────────────────────────────

/** Up to where the message at hand has been read; past its end where it was cut short. */
let position = 0;

/**
 * @param packedAt this element of the outermost array and the next one may come as `PackedArray`
 * @throws RangeError where the bytes are no MessagePack, or have a type that the protocol does not send
 * @throws TypeError where a text is no UTF-8
 */
export function unpack(bytes: Uint8Array, packedAt = Infinity): unknown {
  position = 0;
  const value = readValue(bytes, 0, packedAt);
  if (position !== bytes.length) throw new RangeError('the bytes do not end with the value');
  return value;
}

function readValue(bytes: Uint8Array, nesting: number, packedAt: number): unknown {
  if (nesting > MAX_NESTING) throw new RangeError('values too deep within each other');
  const type = bytes[position++];
  if (type === undefined) throw new RangeError('the bytes end within the value');
  const signed = (type << 24) >> 24;
  if (signed >= -32) return signed;
  const length = readLength(bytes, type);
  if (length >= 0) return readArray(bytes, length, nesting, packedAt);
  if (type >>> 5 === 0x5) return readText(bytes, type & 0x1f);
  if (type >>> 4 === 0x8) return readMap(bytes, type & 0x0f, nesting);
  switch (type) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xd9:
      return readText(bytes, bytes[position++]!);
    case 0xda:
      return readText(bytes, read16(bytes));
    case 0xdb:
      return readText(bytes, read32(bytes) >>> 0);
    case 0xde:
      return readMap(bytes, read16(bytes), nesting);
    case 0xdf:
      return readMap(bytes, read32(bytes) >>> 0, nesting);
  }
  const number = readNumber(bytes, type);
  if (number === null) throw new RangeError(`type 0x${type.toString(16)}, which the protocol does not send`);
  return number;
}

function readMap(bytes: Uint8Array, length: number, nesting: number): Record<string, unknown> {
  // As in arrays: a key and a value take a byte each at least.
  if (!(2 * length <= bytes.length - position)) throw new RangeError('a map longer than the bytes');
  const map: Record<string, unknown> = {};
  for (let i = 0; i < length; i++) {
    const type = bytes[position]!;
    if (type >>> 5 !== 0x5 && !(type >= 0xd9 && type <= 0xdb)) throw new RangeError('a key that is no text');
    const key = readValue(bytes, nesting, Infinity) as string;
    const value = readValue(bytes, nesting + 1, Infinity);
    // That key would set what the object inherits from; no message has it.
    if (key !== '__proto__') map[key] = value;
  }
  return map;
}

function readArray(bytes: Uint8Array, length: number, nesting: number, packedAt: number): unknown[] {
  const end = bytes.length;
  let at = position;
  // An element takes a byte at least: no more is set aside than was sent.
  if (length > end - at) throw new RangeError('an array longer than the bytes');
  const array = new Array<unknown>(length);
  for (let i = 0; i < length; i++) {
    const signed = (bytes[at]! << 24) >> 24;
    if (signed >= -32 && at < end) {
      array[i] = signed;
      at++;
      continue;
    }
    if (bytes[at] === 0xcd) {
      array[i] = (bytes[at + 1]! << 8) | bytes[at + 2]!;
      at += 3;
      continue;
    }
    position = at;
    array[i] =
      (i === packedAt || i === packedAt + 1 ? readPacked(bytes) : null) ??
      readValue(bytes, nesting + 1, Infinity);
    at = position;
  }
  position = at;
  return array;
}

function readText(bytes: Uint8Array, length: number): string {
  const start = position;
  position += length;
  if (!(position <= bytes.length)) throw new RangeError('a text longer than the bytes');
  return textDecoder.decode(bytes.subarray(start, position));
}

/** Null, and nothing is read, where it is no array of that kind. */
function readPacked(bytes: Uint8Array): PackedArray | null {
  const start = position;
  const length = readLength(bytes, bytes[position++]!);
  if (length > 0) {
    const head = bytes[position++]!;
    const signed = (head << 24) >> 24;
    const first = signed >= -32 ? signed : readNumber(bytes, head);
    const from = position;
    const to = from + length - 1;
    if (first !== null && to <= bytes.length) {
      // Where the message ends with it there is no room for others: whoever reads it will see.
      let at = to === bytes.length ? to : from;
      while (at < to && (bytes[at]! << 24) >> 24 >= -32) at++;
      if (at === to) {
        position = to;
        return new PackedArray(first, bytes, from, to);
      }
    }
  }
  position = start;
  return null;
}

/** Below zero where the type is no array. */
function readLength(bytes: Uint8Array, type: number): number {
  if (type >>> 4 === 0x9) return type & 0x0f;
  if (type === 0xdc) return read16(bytes);
  return type === 0xdd ? read32(bytes) >>> 0 : -1;
}

/** A number of more than a byte; null where the type is no such number. */
function readNumber(bytes: Uint8Array, type: number): number | null {
  switch (type) {
    case 0xcb:
      scratchView.setInt32(0, read32(bytes));
      scratchView.setInt32(4, read32(bytes));
      return scratchView.getFloat64(0);
    case 0xca:
      scratchView.setInt32(0, read32(bytes));
      return scratchView.getFloat32(0);
    case 0xcc:
      return bytes[position++]! | 0;
    case 0xcd:
      return read16(bytes);
    case 0xce:
      return read32(bytes) >>> 0;
    case 0xd0:
      return (bytes[position++]! << 24) >> 24;
    case 0xd1:
      return (read16(bytes) << 16) >> 16;
    case 0xd2:
      return read32(bytes);
    case 0xcf:
      return (read32(bytes) >>> 0) * 2 ** 32 + (read32(bytes) >>> 0);
    case 0xd3:
      return read32(bytes) * 2 ** 32 + (read32(bytes) >>> 0);
    default:
      return null;
  }
}

function read16(bytes: Uint8Array): number {
  const at = position;
  position = at + 2;
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** As of a signed integer. */
function read32(bytes: Uint8Array): number {
  return (read16(bytes) << 16) | read16(bytes);
}
