import { codecs, type Encoding, type Message } from '@depthwire/shared';
import type { Channel } from './channel.ts';
import { webSocketFrame } from './websocket-frame.ts';

/** A message of a channel that is encoded at most once for each encoding, however many sessions send it. */
export class SharedFrame {
  readonly channel: Channel;
  readonly message: Message;
  readonly #encoded: Partial<Record<Encoding, Uint8Array | string>> = {};
  readonly #wire: Partial<Record<Encoding, Buffer>> = {};

  constructor(channel: Channel, message: Message) {
    this.channel = channel;
    this.message = message;
  }

  encode(encoding: Encoding): Uint8Array | string {
    return (this.#encoded[encoding] ??= codecs[encoding].encode(this.message));
  }

  /** As it goes over a WebSocket. */
  wire(encoding: Encoding): Buffer {
    return (this.#wire[encoding] ??= webSocketFrame(this.encode(encoding)));
  }
}

/** Frames that go out together, shared by all who get the very same; at least one. */
export class Batch {
  readonly frames: readonly SharedFrame[];
  readonly #wire: Partial<Record<Encoding, Buffer>> = {};

  constructor(frames: readonly SharedFrame[]) {
    this.frames = frames;
  }

  /** All of them, one after the other, to be written at once. */
  wire(encoding: Encoding): Buffer {
    return (this.#wire[encoding] ??= this.#join(encoding));
  }

  #join(encoding: Encoding): Buffer {
    const { frames } = this;
    if (frames.length === 1) return frames[0]!.wire(encoding);
    let length = 0;
    for (const frame of frames) length += frame.wire(encoding).length;
    const joined = Buffer.allocUnsafe(length);
    let at = 0;
    for (const frame of frames) {
      const bytes = frame.wire(encoding);
      joined.set(bytes, at);
      at += bytes.length;
    }
    return joined;
  }
}
