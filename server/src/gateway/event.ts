import type { ServerMessage, Topic } from '@depthwire/shared';
import { formatPosition, type Position } from './position.ts';

/** After it the client comes back without a `Last-Event-ID`. */
const NO_ID = 'id:\n';

/** Keeps proxies from taking a quiet stream for a dead one. */
export const pingComment = Buffer.from(': ping\n\n');

/**
 * A message as an event, named by its `op`. One that makes void what the client has of a channel takes its position
 * from it as well.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function messageEvent(message: ServerMessage): Buffer {
  const isVoid = message.op === 'subscribed' && message.seq === undefined;
  return Buffer.from(`${isVoid ? NO_ID : ''}event: ${message.op}\ndata: ${JSON.stringify(message)}\n\n`);
}

/**
 * A data frame as an event, named by its topic.
 * @param json the frame; JSON text has no line breaks of its own
 * @param position of the frame; null where the client has not all frames that were made before it
 */
export function frameEvent(topic: Topic, json: string, position: Position | null): Buffer {
  const id = position === null ? NO_ID : `id: ${formatPosition(position)}\n`;
  return Buffer.from(`${id}event: ${topic}\ndata: ${json}\n\n`);
}

/** Tells the client that it has all frames up to there. It has data, for some libraries drop an `id` without. */
export function positionEvent(position: Position): Buffer {
  return Buffer.from(`id: ${formatPosition(position)}\nevent: position\ndata: {"op":"position"}\n\n`);
}

/** How long the client waits before it comes back, whole milliseconds. */
export function retryEvent(delayMs: number): Buffer {
  return Buffer.from(`retry: ${Math.ceil(delayMs)}\n\n`);
}

/** In place of a WebSocket's close code: the last event of a stream. */
export function closeEvent(code: number, reason: string): Buffer {
  return Buffer.from(`event: close\ndata: ${JSON.stringify({ op: 'close', code, reason })}\n\n`);
}
