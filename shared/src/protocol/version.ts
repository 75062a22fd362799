/** The protocol's version: changes when an older client could misread a message. */
export const PROTOCOL_VERSION = 1;

/** WebSocket subprotocols, the preferred one first. */
export const subprotocols = {
  msgpack: 'depthwire.v1.msgpack',
  json: 'depthwire.v1.json',
} as const;
export type Encoding = keyof typeof subprotocols;

export function encodingOf(subprotocol: string): Encoding | null {
  for (const encoding of Object.keys(subprotocols) as Encoding[]) {
    if (subprotocols[encoding] === subprotocol) return encoding;
  }
  return null;
}
