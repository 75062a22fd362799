import { codecs, type Encoding, type Message } from '@depthwire/shared';

/** A message that is encoded at most once for each encoding, however many sessions send it. */
export class SharedFrame {
  readonly message: Message;
  readonly #encoded: Partial<Record<Encoding, Uint8Array | string>> = {};

  constructor(message: Message) {
    this.message = message;
  }

  encode(encoding: Encoding): Uint8Array | string {
    return (this.#encoded[encoding] ??= codecs[encoding].encode(this.message));
  }
}
