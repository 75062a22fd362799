import type { Clock } from '@depthwire/shared';
import type { WebSocket } from 'ws';

/** "WebSocket connections have a limit of 5 incoming messages per second." */
const MAX_MESSAGES_PER_SECOND = 5;
/** "A single connection can listen to a maximum of 1024 streams." */
const MAX_STREAMS = 1024;
const METHODS = ['SUBSCRIBE', 'UNSUBSCRIBE', 'LIST_SUBSCRIPTIONS', 'SET_PROPERTY', 'GET_PROPERTY'];
/** RFC 6455, 7.4.1: the endpoint received a message that violates its policy. */
const POLICY_VIOLATION = 1008;

interface Request {
  readonly method?: unknown;
  readonly params?: unknown;
  readonly id?: unknown;
}

/** One client's socket: which streams it listens to, and what it asks. */
export class StreamSession {
  readonly streams = new Set<string>();
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  #isCombined: boolean;
  #recentMs: number[] = [];

  /** @param url `/stream?streams=a/b` for wrapped events, `/ws/a/b` for bare ones */
  constructor(socket: WebSocket, url: URL, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.#isCombined = url.pathname.startsWith('/stream');
    const names = this.#isCombined
      ? (url.searchParams.get('streams') ?? '').split('/')
      : decodeURIComponent(url.pathname).split('/').slice(2);
    for (const name of names) if (name !== '') this.streams.add(name);
    socket.on('message', (data) => this.#onMessage(String(data)));
    socket.on('ping', () => this.#count());
    socket.on('pong', () => this.#count());
  }

  /** Sends an event of a stream, if the client listens to it. */
  send(stream: string, payload: object, damage: (text: string) => string = (text) => text): void {
    if (!this.streams.has(stream)) return;
    this.#socket.send(damage(JSON.stringify(this.#isCombined ? { stream, data: payload } : payload)));
  }

  #onMessage(text: string): void {
    if (!this.#count()) return;
    let request: Request;
    try {
      request = JSON.parse(text) as Request;
    } catch {
      this.#answer({ code: 3, msg: 'Invalid JSON: expected value at line 1 column 1' });
      return;
    }
    const { method, params, id } = request ?? {};
    if (typeof method !== 'string') {
      this.#answer({ code: 2, msg: 'Invalid request: missing field `method` at line 1 column 73' });
    } else if (!METHODS.includes(method)) {
      const names = METHODS.map((name) => `\`${name}\``).join(', ');
      this.#answer({
        code: 2,
        msg: `Invalid request: unknown variant \`${method}\`, expected one of ${names} at line 1 column 28`,
      });
    } else if (!isRequestId(id)) {
      this.#answer({ code: 2, msg: 'Invalid request: request ID must be an unsigned integer' });
    } else {
      this.#answer({ ...this.#do(method, Array.isArray(params) ? params : []), id });
    }
  }

  /** A name that no symbol has is taken like any other: nothing will ever come of it. */
  #do(method: string, params: readonly unknown[]): object {
    switch (method) {
      case 'LIST_SUBSCRIPTIONS':
        return { result: [...this.streams] };
      case 'GET_PROPERTY':
        return params[0] === 'combined' ? { result: this.#isCombined } : unknownProperty;
      case 'SET_PROPERTY':
        if (params[0] !== 'combined') return unknownProperty;
        if (typeof params[1] !== 'boolean') return { code: 1, msg: 'Invalid value type: expected Boolean' };
        this.#isCombined = params[1];
        return { result: null };
      default:
        if (!params.every((name) => typeof name === 'string')) {
          return { code: 2, msg: 'Invalid request: stream name must be a string' };
        }
        for (const name of params) {
          if (method === 'SUBSCRIBE') this.streams.add(name);
          else this.streams.delete(name);
        }
        if (this.streams.size > MAX_STREAMS) this.#socket.close(POLICY_VIOLATION, 'Too many streams');
        return { result: null };
    }
  }

  #answer(answer: object): void {
    this.#socket.send(JSON.stringify(answer));
  }

  /** Counts an incoming message; cuts off a client that sends more than the venue allows. */
  #count(): boolean {
    const now = this.#clock.now();
    this.#recentMs = this.#recentMs.filter((timeMs) => now - timeMs < 1000);
    this.#recentMs.push(now);
    if (this.#recentMs.length <= MAX_MESSAGES_PER_SECOND) return true;
    this.#socket.close(POLICY_VIOLATION, 'Too many requests');
    return false;
  }
}

function isRequestId(id: unknown): boolean {
  return id === null || Number.isSafeInteger(id) || (typeof id === 'string' && /^[a-z\d]{1,36}$/i.test(id));
}

const unknownProperty = { code: 0, msg: 'Unknown property' };
