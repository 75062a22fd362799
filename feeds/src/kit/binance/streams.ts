import type { EmulatedConnection } from '../venue-emulator.ts';

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

/** What the venue keeps for a client: how it wants its events, and how much it has sent lately. */
export class StreamClient {
  /** Streams named in the URL. */
  readonly firstStreams: readonly string[];
  isCombined: boolean;
  #recentMs: number[] = [];

  /** @param url `/stream?streams=a/b` for wrapped events, `/ws/a/b` for bare ones */
  constructor(url: URL) {
    this.isCombined = url.pathname.startsWith('/stream');
    const names = this.isCombined
      ? (url.searchParams.get('streams') ?? '').split('/')
      : decodeURIComponent(url.pathname).split('/').slice(2);
    this.firstStreams = names.filter((name) => name !== '');
  }

  wrap(stream: string, payload: object): object {
    return this.isCombined ? { stream, data: payload } : payload;
  }

  /** Counts an incoming message; cuts off a client that sends more than the venue allows. */
  count({ socket }: EmulatedConnection, nowMs: number): boolean {
    this.#recentMs = this.#recentMs.filter((timeMs) => nowMs - timeMs < 1000);
    this.#recentMs.push(nowMs);
    if (this.#recentMs.length <= MAX_MESSAGES_PER_SECOND) return true;
    socket.close(POLICY_VIOLATION, 'Too many requests');
    return false;
  }
}

/** Does what a client asks for, and answers. */
export function answerRequest(connection: EmulatedConnection<StreamClient>, text: string): void {
  let request: Request;
  try {
    request = JSON.parse(text) as Request;
  } catch {
    connection.send({ code: 3, msg: 'Invalid JSON: expected value at line 1 column 1' });
    return;
  }
  const { method, params, id } = request ?? {};
  if (typeof method !== 'string') {
    connection.send({ code: 2, msg: 'Invalid request: missing field `method` at line 1 column 73' });
  } else if (!METHODS.includes(method)) {
    const names = METHODS.map((name) => `\`${name}\``).join(', ');
    const msg = `Invalid request: unknown variant \`${method}\`, expected one of ${names} at line 1 column 28`;
    connection.send({ code: 2, msg });
  } else if (!isRequestId(id)) {
    connection.send({ code: 2, msg: 'Invalid request: request ID must be an unsigned integer' });
  } else {
    connection.send({ ...obey(connection, method, Array.isArray(params) ? params : []), id });
  }
}

/** A name that no symbol has is taken like any other: nothing will ever come of it. */
function obey(
  { topics, state, socket }: EmulatedConnection<StreamClient>,
  method: string,
  params: readonly unknown[],
): object {
  switch (method) {
    case 'LIST_SUBSCRIPTIONS':
      return { result: [...topics] };
    case 'GET_PROPERTY':
      return params[0] === 'combined' ? { result: state.isCombined } : unknownProperty;
    case 'SET_PROPERTY':
      if (params[0] !== 'combined') return unknownProperty;
      if (typeof params[1] !== 'boolean') return { code: 1, msg: 'Invalid value type: expected Boolean' };
      state.isCombined = params[1];
      return { result: null };
    default:
      if (!params.every((name) => typeof name === 'string'))
        return { code: 2, msg: 'Invalid request: stream name must be a string' };
      for (const name of params) {
        if (method === 'SUBSCRIBE') topics.add(name);
        else topics.delete(name);
      }
      if (topics.size > MAX_STREAMS) socket.close(POLICY_VIOLATION, 'Too many streams');
      return { result: null };
  }
}

function isRequestId(id: unknown): boolean {
  return id === null || Number.isSafeInteger(id) || (typeof id === 'string' && /^[a-z\d]{1,36}$/i.test(id));
}

const unknownProperty = { code: 0, msg: 'Unknown property' };
