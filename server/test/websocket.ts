import type { Socket } from 'node:net';
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

/**
 * Reads what a server sends on a socket, as a client would.
 * @param take gets each message, and the code of the frame that closes the connection
 */
export function messageFrames(socket: Socket, take: (message: Uint8Array | string | number) => void): void {
  const receiver = new Receiver({ isServer: false });
  receiver.on('message', (data: Buffer, isBinary: boolean) => take(isBinary ? data : data.toString()));
  receiver.on('conclude', (code: number) => {
    take(code);
    socket.destroy();
  });
  receiver.on('error', () => socket.destroy());
  socket.pipe(receiver);
}
