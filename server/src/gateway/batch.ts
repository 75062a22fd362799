import type { SharedFrame } from './channel.ts';
import type { WireFormat } from './wire-format.ts';

/** Frames that go out together, shared by all who get the very same; at least one. */
export class Batch {
  readonly frames: readonly SharedFrame[];
  /** How many have taken it as it is. */
  sentTo = 0;
  /** All of them, one after the other, as they go out; good until the next batches are made. */
  readonly wire: Uint8Array;
  readonly #room: BatchRoom;
  #copy: Uint8Array | null = null;

  constructor(frames: readonly SharedFrame[], wire: Uint8Array, room: BatchRoom) {
    this.frames = frames;
    this.wire = wire;
    this.#room = room;
  }

  /** The same in memory that stays, one for all who have to wait. */
  get copy(): Uint8Array {
    return (this.#copy ??= this.frames.length === 1 ? this.wire : Buffer.from(this.wire));
  }

  /** Somebody has not taken all bytes yet: they stay as they are. */
  keep(): void {
    this.#room.keep(this);
  }
}

/** Where batches are put together: the same memory again and again, for it stays in the processor's cache. */
export class BatchRoom {
  readonly #size: number;
  #bytes: Buffer;
  #used = 0;

  /** @param size bytes; a batch that is larger gets memory of its own */
  constructor(size: number) {
    this.#size = size;
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  /** What was put together has gone out. */
  clear(): void {
    this.#used = 0;
  }

  /** The batch stays as it is: whatever comes is put together elsewhere. */
  keep({ wire }: Batch): void {
    if (wire.buffer !== this.#bytes.buffer) return;
    this.#bytes = Buffer.allocUnsafeSlow(this.#size);
    this.#used = 0;
  }

  /** @returns null where there is no room left before the next `clear` */
  join(frames: readonly SharedFrame[], encoding: WireFormat): Batch | null {
    if (frames.length === 1) return new Batch(frames, frames[0]!.wire(encoding), this);
    let length = 0;
    for (const frame of frames) length += frame.wire(encoding).length;
    const isLarge = length > this.#size;
    if (!isLarge && this.#used + length > this.#size) return null;
    const bytes = isLarge ? Buffer.allocUnsafeSlow(length) : this.#bytes;
    const start = isLarge ? 0 : this.#used;
    let at = start;
    for (const frame of frames) {
      const wire = frame.wire(encoding);
      bytes.set(wire, at);
      at += wire.length;
    }
    if (!isLarge) this.#used = at;
    return new Batch(frames, bytes.subarray(start, at), this);
  }
}
