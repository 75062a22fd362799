import {
  DEPTH_BUCKETS,
  DEPTH_PERIOD_MS,
  DepthDecoder,
  DepthEncoder,
  type DepthColumn,
  type DepthRecord,
} from '@depthwire/shared/depth';
import { packr } from '../msgpack.ts';

/** Columns of one stretch: what it begins with is told in full, each after that by how it differs. */
const MAX_COLUMNS = 240;
const FIRST_BYTES = 1_024;

/** Columns of one step that follow each other without a hole, packed. */
export class DepthStretch {
  readonly step: number;
  /** Start of its first period, unix milliseconds. */
  readonly time: number;
  count = 0;
  /** Null once it is sealed. */
  #encoder: DepthEncoder | null;
  #packed = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** @param column the first one */
  constructor(column: DepthColumn) {
    this.step = column.step;
    this.time = column.time;
    this.#encoder = new DepthEncoder(this.#run);
    this.add(column);
  }

  get bytes(): number {
    return this.#packed.length;
  }

  /** Start of the period after its last one. */
  get end(): number {
    return this.time + this.count * DEPTH_PERIOD_MS;
  }

  /** Whether the column goes on where this stretch ends. */
  takes({ time, step }: DepthColumn): boolean {
    return this.count < MAX_COLUMNS && time === this.end && step === this.step;
  }

  add(column: DepthColumn): void {
    const bytes = packr.pack(this.#encoder!.encode(column));
    if (this.#length + bytes.length > this.#packed.length)
      this.#packed = copyOf(this.#packed, 2 * (this.#length + bytes.length));
    this.#packed.set(bytes, this.#length);
    this.#length += bytes.length;
    this.count += 1;
  }

  /** No more columns come: gives up the room for them. */
  seal(): void {
    this.#encoder = null;
    this.#packed = copyOf(this.#packed.subarray(0, this.#length), this.#length);
  }

  /** Those from one index up to and without another, oldest first; sizes as they are kept, within 0.1 %. */
  *columns(from: number, to: number): Generator<DepthColumn> {
    const records = packr.unpackMultiple(this.#packed.subarray(0, this.#length)) as DepthRecord[];
    const decoder = new DepthDecoder(this.#run);
    for (let index = 0; index < to; index++) {
      const column = decoder.decode(records[index]!);
      if (index >= from) yield column;
    }
  }

  get #run() {
    return { time: this.time, step: this.step, buckets: DEPTH_BUCKETS };
  }
}

function copyOf(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length);
  copy.set(bytes);
  return copy;
}
