import type { Writable } from 'node:stream';
import * as ws from 'ws';

// which its types leave out
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

/** The messages in the bytes that a server sends, read as a client reads them. */
export function messagesIn(frames: Uint8Array): (Uint8Array | string)[] {
  const messages: (Uint8Array | string)[] = [];
  const receiver = new Receiver({ isServer: false });
  receiver.on('message', (data: Buffer, isBinary: boolean) =>
    messages.push(isBinary ? data : data.toString()),
  );
  receiver.on('error', (error: Error) => {
    throw error;
  });
  receiver.write(frames);
  return messages;
}
