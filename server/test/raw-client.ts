import { once } from 'node:events';
import { codecs, subprotocols, type Encoding } from '@depthwire/shared';
import { WebSocket, type ClientOptions } from 'ws';

/** A client without the SDK, to send what the SDK never would. */
export class RawClient {
  readonly messages: unknown[] = [];
  readonly frames: (Buffer | string)[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | null = null;
  readonly #encoding: Encoding;
  #waiting: (() => void)[] = [];

  constructor(
    url: string,
    encoding: Encoding = 'json',
    { protocols, ...options }: ClientOptions & { protocols?: string[] } = {},
  ) {
    this.#encoding = encoding;
    this.socket = new WebSocket(url, protocols ?? [subprotocols[encoding]], options);
    this.socket.on('message', (data: Buffer, isBinary) => {
      const frame = isBinary ? data : data.toString('utf8');
      this.frames.push(frame);
      this.messages.push(codecs[this.#encoding].decode(frame));
      this.#wake();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    this.socket.on('error', () => undefined);
  }

  async open(): Promise<this> {
    await once(this.socket, 'open');
    return this;
  }

  send(message: unknown): void {
    this.socket.send(codecs[this.#encoding].encode(message as never));
  }

  /** Waits for a message that fits, and takes it and all before it off the list. */
  async next(
    fits: (message: Record<number | string, unknown>) => boolean = () => true,
  ): Promise<Record<number | string, unknown>> {
    for (;;) {
      const index = this.messages.findIndex((message) => fits(message as Record<string, unknown>));
      if (index >= 0) return this.messages.splice(0, index + 1).at(-1) as Record<string, unknown>;
      if (this.closed) throw new Error(`closed with ${this.closed.code} ${this.closed.reason}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async end(): Promise<{ code: number; reason: string }> {
    while (!this.closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.closed;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
