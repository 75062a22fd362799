import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { closeCodes } from '@depthwire/shared';
import { closeEvent } from './event.ts';
import type { SessionSocket } from './session.ts';

export type HttpHeaders = Readonly<Record<string, string | number | string[] | undefined>>;

const LOST = 1006;
const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // nginx would collect events before it passes them on
  'x-accel-buffering': 'no',
} as const;

/**
 * An HTTP response that goes on and on. Its body ends with the connection, so that events need no framing of their
 * own and go to the socket as they are, the same bytes for everybody.
 */
export class EventStream implements SessionSocket {
  /** What is written before the stream begins. */
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #response: ServerResponse | null = null;
  #socket: Socket | null = null;
  #isClosed = false;
  /** What it ended with; as for a WebSocket, 1006 where the connection was lost. */
  closeCode = LOST;
  readonly #onDrained: (() => void)[] = [];

  /**
   * Answers with the head, and with what was written by now.
   * @param response which has its socket, and has sent nothing
   * @param headers besides those of an event stream
   */
  begin(response: ServerResponse, headers: HttpHeaders): void {
    const socket = response.socket!;
    socket.setTimeout(0); // of requests: a stream may be quiet
    this.#response = response;
    this.#socket = socket;
    writeHead(response, { ...headers, connection: 'close' });
    response.flushHeaders();
    socket.write(Buffer.concat(this.#early));
    this.#early = [];
    this.#earlyBytes = 0;
    for (const task of this.#onDrained.splice(0)) {
      if (socket.writableNeedDrain) this.onceDrained(task);
      else task();
    }
  }

  write(events: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.#socket !== null) this.#socket.write(events);
    else {
      this.#early.push(events);
      this.#earlyBytes += events.length;
    }
  }

  /** The client is told why, once it has read all; but of one that does not read the connection is cut. */
  close(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.closeCode = code;
    if (code === closeCodes.stalled.code) this.terminate();
    this.write(closeEvent(code, reason));
    this.#isClosed = true;
    this.#response?.end();
  }

  terminate(): void {
    this.#socket?.destroy();
  }

  get bufferedBytes(): number {
    return this.#socket?.writableLength ?? this.#earlyBytes;
  }

  /** The client sends nothing that could wait. */
  pause(): void {}
  resume(): void {}

  onceDrained(task: () => void): void {
    if (this.#socket === null) this.#onDrained.push(task);
    else this.#socket.once('drain', task);
  }
}

/** The head of an event stream, as HEAD answers with it too. */
export function writeHead(response: ServerResponse, headers: HttpHeaders): void {
  response.removeHeader('transfer-encoding'); // the body is not chunked
  response.writeHead(200, { ...headers, ...HEADERS } as OutgoingHttpHeaders);
}
