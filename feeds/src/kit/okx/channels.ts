import type { EmulatedConnection } from '../venue-emulator.ts';

/** Levels a side of the `books` channel. */
export const BOOK_DEPTH = 400;
const CHANNELS = ['books', 'trades', 'tickers'] as const;
export type Channel = (typeof CHANNELS)[number];

/** "The total number of subscribe, unsubscribe and login requests per connection is limited to 480 times per hour." */
const MAX_REQUESTS_PER_HOUR = 480;
const HOUR_MS = 3_600_000;
/** "The total length of multiple channel cannot exceed 64 KB." */
const MAX_REQUEST_BYTES = 64 * 1024;

/** What the venue keeps for a connection. */
export interface PublicClient {
  readonly connId: string;
  requestsAtMs: number[];
  lastTrafficMs: number;
}

export interface Answering {
  readonly nowMs: number;
  has(instId: string): boolean;
  onSubscribed(channel: Channel, instId: string): void;
}

export function topicOf(channel: Channel, instId: string): string {
  return `${channel}:${instId}`;
}

/** Does what a client asks for, and answers. */
export function answerRequest(
  connection: EmulatedConnection<PublicClient>,
  text: string,
  answering: Answering,
): void {
  if (text === 'ping') {
    connection.send('pong');
    return;
  }
  const { state } = connection;
  const { connId } = state;
  const refuse = (code: string, msg: string) => connection.send({ event: 'error', code, msg, connId });
  const request = parse(text);
  if (!request || text.length > MAX_REQUEST_BYTES) {
    refuse('60012', `Invalid request: ${text.slice(0, 100)}`);
    return;
  }
  state.requestsAtMs = state.requestsAtMs.filter((timeMs) => answering.nowMs - timeMs < HOUR_MS);
  state.requestsAtMs.push(answering.nowMs);
  if (state.requestsAtMs.length > MAX_REQUESTS_PER_HOUR) {
    refuse('60014', 'Requests too frequent');
    return;
  }
  for (const arg of request.args) {
    const { channel, instId } = arg;
    const isThere = isChannel(channel) && typeof instId === 'string' && answering.has(instId);
    if (!isThere) {
      const what = `channel:${String(channel)},instId:${String(instId)}`;
      const advice = 'Please use the correct URL, channel and parameters referring to API document.';
      refuse('60018', `Wrong URL or ${what} doesn't exist. ${advice}`);
      continue;
    }
    const topic = topicOf(channel, instId);
    const isNew = !connection.topics.has(topic);
    if (request.op === 'subscribe') connection.topics.add(topic);
    else connection.topics.delete(topic);
    connection.send({ event: request.op, arg, connId });
    if (request.op === 'subscribe' && isNew) answering.onSubscribed(channel, instId);
  }
}

interface Request {
  readonly op: 'subscribe' | 'unsubscribe';
  readonly args: readonly Record<string, unknown>[];
}

function parse(text: string): Request | null {
  try {
    const request = JSON.parse(text) as Partial<Request> | null;
    const isKnown = request?.op === 'subscribe' || request?.op === 'unsubscribe';
    const isListed =
      Array.isArray(request?.args) && request.args.every((arg) => typeof arg === 'object' && arg);
    return isKnown && isListed ? (request as Request) : null;
  } catch {
    return null;
  }
}

function isChannel(name: unknown): name is Channel {
  return (CHANNELS as readonly unknown[]).includes(name);
}
