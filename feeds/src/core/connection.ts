import { backoffMs, type BackoffPolicy, type Clock, type EpochMs, type Timer } from '@depthwire/shared';
import { WebSocket } from 'ws';
import type { FeedLog } from './feed.ts';
import { penaltyMs, retryAfterMs } from './http.ts';
import type { SocketTap, WireTap } from './wire-tap.ts';

/** Venue snapshots can be tens of megabytes. */
export const MAX_FRAME_BYTES = 100 * 2 ** 20;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Times the silence limit that a socket may go on with pings and no frames. */
const PINGS_ALONE = 5;
/** A connection that lived this long starts the back-off anew. */
const STABLE_AFTER_MS = 60_000;
const BACKOFF: BackoffPolicy = { baseMs: 1_000, maxMs: 60_000 };

export interface ConnectionOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly log: FeedLog;
  /** A number in [0, 1), for the jitter. */
  readonly random: () => number;
  /** Silence after which the socket is taken for dead, milliseconds. */
  readonly silenceMs: number;
  readonly tap?: WireTap;
  onOpen(): void;
  onText(text: string, receiveTimeMs: EpochMs): void;
  onClose(reason: string): void;
}

/** A WebSocket to a venue that is opened again, with back-off, whenever it ends. */
export class VenueConnection {
  readonly #options: ConnectionOptions;
  #socket: WebSocket | null = null;
  #tap: SocketTap | undefined;
  #timer: Timer | null = null;
  #attempt = 0;
  /** How long the venue asked to wait when it last refused a handshake, milliseconds. */
  #waitMs = 0;
  #openedAtMs: number | null = null;
  #lastFrameAtMs = 0;
  /** When the venue last gave any sign of life, pings among them. */
  #lastSeenAtMs = 0;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  open(): void {
    const { clock, url } = this.#options;
    const socket = new WebSocket(url, {
      maxPayload: MAX_FRAME_BYTES,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    let reason = '';
    let tap: SocketTap | undefined;
    this.#waitMs = 0;
    socket.on('unexpected-response', (_request, { statusCode: status = 0, headers }) => {
      reason = `the handshake was answered with HTTP ${status}`;
      const askedMs = retryAfterMs(headers['retry-after'], clock.now());
      this.#waitMs = Math.max(askedMs ?? 0, penaltyMs({ status, retryAfterMs: askedMs }));
      socket.terminate();
    });
    socket.on('open', () => {
      tap = this.#tap = this.#options.tap?.opened(url, clock.now());
      this.#openedAtMs = clock.now();
      this.#lastFrameAtMs = this.#lastSeenAtMs = clock.now();
      this.#options.log.info({ url }, 'connected to the venue');
      this.#watchSilence();
      this.#options.onOpen();
    });
    socket.on('message', (data, isBinary) => {
      if (this.#socket !== socket) return; // what a socket given up still had
      const now = clock.now();
      this.#lastFrameAtMs = this.#lastSeenAtMs = now;
      if (isBinary) return;
      const text = (data as Buffer).toString('utf8');
      tap?.received(text, now);
      this.#options.onText(text, now);
    });
    socket.on('ping', () => {
      this.#lastSeenAtMs = clock.now();
    });
    socket.on('error', (error) => {
      reason ||= error.message;
    });
    socket.on('close', (code, text) => {
      tap?.closed();
      if (this.#socket === socket)
        this.#onClose(reason || `closed with code ${code} ${text.toString()}`.trim());
    });
  }

  send(text: string): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#tap?.sent(text, this.#options.clock.now());
    this.#socket.send(text);
  }

  /** Gives the socket up, for a reason that only its reader could see, and opens another with back-off. */
  reset(reason: string): void {
    const socket = this.#socket;
    if (!socket || this.#openedAtMs === null) return;
    this.#onClose(reason);
    socket.terminate();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    const socket = this.#socket;
    this.#socket = null;
    socket?.terminate();
  }

  #onClose(reason: string): void {
    this.#socket = null;
    this.#timer?.cancel();
    if (this.#closed) return;
    const { clock, log, url, random } = this.#options;
    const now = clock.now();
    if (this.#openedAtMs !== null && now - this.#openedAtMs >= STABLE_AFTER_MS) this.#attempt = 0;
    if (this.#openedAtMs !== null) this.#options.onClose(`connection lost: ${reason}`);
    this.#openedAtMs = null;
    if (this.#closed) return; // by whom it was told
    const delayMs = Math.max(this.#waitMs, backoffMs(BACKOFF, this.#attempt, random()));
    this.#attempt += 1;
    log.warn({ url, reason, retryInMs: Math.round(delayMs) }, 'venue connection lost');
    this.#timer = clock.at(now + delayMs, () => this.open());
  }

  /** Quiet markets send pings alone for a while; a socket that does so for long is frozen. */
  #watchSilence(): void {
    const { clock, silenceMs } = this.#options;
    const dueMs = Math.min(this.#lastSeenAtMs + silenceMs, this.#lastFrameAtMs + PINGS_ALONE * silenceMs);
    this.#timer?.cancel();
    this.#timer = clock.at(dueMs, () => {
      const now = clock.now();
      const silentMs = now - this.#lastFrameAtMs;
      if (now - this.#lastSeenAtMs < silenceMs && silentMs < PINGS_ALONE * silenceMs) {
        this.#watchSilence();
        return;
      }
      const socket = this.#socket;
      this.#onClose(`silent for ${Math.round(silentMs)} ms`);
      socket?.terminate();
    });
  }
}
