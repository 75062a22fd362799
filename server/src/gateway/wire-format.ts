import type { Encoding, ServerMessage } from '@depthwire/shared';
import { serverCodecs } from './codec.ts';
import { messageEvent } from './event.ts';
import { webSocketFrame } from './websocket-frame.ts';

/** What a client reads: WebSocket messages in an encoding, or an event stream, which is JSON. */
export type WireFormat = Encoding | 'events';

/** The encoding of the messages within. */
export function encodingWithin(format: WireFormat): Encoding {
  return format === 'events' ? 'json' : format;
}

/** A message as it goes out. */
export function wireMessage(message: ServerMessage, format: WireFormat): Buffer {
  return format === 'events' ? messageEvent(message) : webSocketFrame(serverCodecs[format].encode(message));
}
