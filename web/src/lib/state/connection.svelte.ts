import type { ConnectionState, DepthwireError, Encoding, Hello } from '@depthwire/shared';
import { formatDelay } from '../format/time.ts';
import { m } from '../paraglide/messages.js';
import { credential } from './credential.ts';
import { endClient, openClient } from './stream.ts';

const SAMPLE_MS = 1000;
const MAX_LOG = 100;
/** A trader waits for the page, not the page for the server: seldom tried is too late. */
const BACKOFF = { baseMs: 400, maxMs: 5000 };
/** How long the page says that it came back. */
const RECOVERED_FOR_MS = 8000;

export interface LogEntry {
  readonly id: number;
  readonly timeMs: number;
  readonly level: 'info' | 'warning';
  readonly text: string;
  /** How often it happened in a row. */
  readonly times: number;
}

/** The client's connection as signals, and a log of what happened to it. */
export class Connection {
  readonly client: ReturnType<typeof openClient>;
  state = $state<ConnectionState>('idle');
  hello = $state.raw<Hello | null>(null);
  /** When the newest greeting came, by this machine's clock. */
  helloAtMs = 0;
  roundTripMs = $state<number | null>(null);
  /** How far the server's clock is ahead of this machine's, and how sure that is, milliseconds. */
  clockOffset = $state.raw<{ readonly ms: number; readonly unsureMs: number } | null>(null);
  /** When the next try begins, by this machine's clock; null while none waits. */
  retryAtMs = $state<number | null>(null);
  /** Since when the connection is away; null while it is there, or was never. */
  lostAtMs = $state<number | null>(null);
  /** How long the last break took, for a while after it ended. */
  recoveredAfterMs = $state<number | null>(null);
  error = $state.raw<DepthwireError | null>(null);
  /** Why the server did not take the last key; null before the first. */
  refusal = $state<string | null>(null);
  everOpen = $state(false);
  framesPerSecond = $state(0);
  bytesPerSecond = $state(0);
  log = $state.raw<readonly LogEntry[]>([]);

  #entryId = 0;
  #recoveredTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, encoding?: Encoding) {
    this.client = openClient({ url, encoding, backoff: BACKOFF, token: () => credential.value }, (reason) =>
      this.note('warning', m.log_worker_failed({ reason })),
    );
    this.client.on('state', (state) => this.#onState(state));
    this.client.on('latency', () => {
      const { roundTripMs, clockOffsetMs, clockUncertaintyMs } = this.client;
      this.roundTripMs = roundTripMs;
      this.clockOffset =
        clockOffsetMs === null ? null : { ms: clockOffsetMs, unsureMs: clockUncertaintyMs ?? 0 };
    });
    this.client.on('error', (error) => {
      this.error = error;
      if (error.code === 'unauthenticated' && credential.value !== null) {
        // It is asked for once more, and not shown to the server again.
        this.refusal = error.message;
        credential.value = null;
      }
      this.note('warning', `${error.code}: ${error.message}`);
    });
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  start(): () => void {
    this.client.connect();
    let { framesIn, bytesIn } = this.client.traffic;
    let sampledAtMs = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const seconds = (now - sampledAtMs) / 1000;
      this.framesPerSecond = (this.client.traffic.framesIn - framesIn) / seconds;
      this.bytesPerSecond = (this.client.traffic.bytesIn - bytesIn) / seconds;
      ({ framesIn, bytesIn } = this.client.traffic);
      sampledAtMs = now;
    }, SAMPLE_MS);
    const retry = () => this.client.reconnectNow();
    const retryWhenSeen = () => {
      if (document.visibilityState === 'visible') retry();
    };
    addEventListener('online', retry);
    document.addEventListener('visibilitychange', retryWhenSeen);
    return () => {
      clearInterval(timer);
      removeEventListener('online', retry);
      document.removeEventListener('visibilitychange', retryWhenSeen);
      endClient(this.client);
    };
  }

  /** The market clock as far as the greeting told it, unix milliseconds; null before the first. */
  timeMs(nowMs: number): number | null {
    return this.hello ? this.hello.time + Math.max(0, nowMs - this.helloAtMs) : null;
  }

  /** Tries again at once, also where the client had given up. */
  tryNow(): void {
    if (this.state === 'closed') this.client.connect();
    else this.client.reconnectNow();
  }

  note(level: LogEntry['level'], text: string): void {
    const [newest, ...older] = this.log;
    if (newest?.text === text) {
      this.log = [{ ...newest, timeMs: Date.now(), times: newest.times + 1 }, ...older];
      return;
    }
    this.#entryId += 1;
    const entry = { id: this.#entryId, timeMs: Date.now(), level, text, times: 1 };
    this.log = [entry, ...this.log.slice(0, MAX_LOG - 1)];
  }

  #onState(state: ConnectionState): void {
    const before = this.state;
    this.state = state;
    this.hello = this.client.hello;
    this.roundTripMs = this.client.roundTripMs;
    this.retryAtMs = this.client.retryAtMs;
    if (state === 'open') this.#onOpen();
    else if (before === 'open') {
      this.lostAtMs = Date.now();
      this.recoveredAfterMs = null;
    }
  }

  #onOpen(): void {
    this.error = null;
    this.refusal = null;
    this.helloAtMs = Date.now();
    const epoch = this.hello?.epoch;
    if (this.lostAtMs === null) {
      this.note('info', epoch === undefined ? m.log_connected() : m.log_connected_epoch({ epoch }));
    } else {
      const afterMs = Date.now() - this.lostAtMs;
      this.recoveredAfterMs = afterMs;
      const delay = formatDelay(afterMs);
      this.note(
        'info',
        epoch === undefined ? m.log_recovered({ delay }) : m.log_recovered_epoch({ delay, epoch }),
      );
      clearTimeout(this.#recoveredTimer);
      this.#recoveredTimer = setTimeout(() => (this.recoveredAfterMs = null), RECOVERED_FOR_MS);
    }
    this.lostAtMs = null;
    this.everOpen = true;
  }
}
