// Receives for clients of one server; see receivers.ts.
import { Receiver } from './receiver.ts';
import type { FromReceivers, ToReceivers } from './receivers.ts';

/** Handshakes at the same time: a listening socket queues no more than some hundred. */
const HANDSHAKES = 100;

let receivers: Receiver[] = [];
/** Data frames of all clients since `watch`, and the numbers of them to tell of. */
let frames = 0;
let marks: readonly number[] = [];
let nextMark = 0;
let isFailed = false;

process.on('message', (message: ToReceivers) => {
  handle(message).catch((error: unknown) => fail(error instanceof Error ? error.stack! : String(error)));
});
process.on('disconnect', () => process.exit());

async function handle(message: ToReceivers): Promise<void> {
  switch (message.type) {
    case 'connect': {
      const { kind, port, clients } = message;
      const waiting = clients.entries();
      const connectNext = async () => {
        for (const [, { client, subscriptions, isSample }] of waiting) {
          const receiver = new Receiver({
            kind,
            port,
            client,
            subscriptions,
            isSample,
            onData,
            onFailure: fail,
          });
          receivers.push(receiver);
          await receiver.ready.promise;
        }
      };
      await Promise.all(Array.from({ length: HANDSHAKES }, connectNext));
      answer({ type: 'done' });
      return;
    }
    case 'watch':
      frames = nextMark = 0;
      marks = message.marks;
      for (const receiver of receivers) receiver.reset();
      answer({ type: 'done' });
      tell();
      return;
    case 'counts':
      answer({
        type: 'counts',
        counts: receivers.map(({ frames, bytes }) => [frames, bytes]),
        books: receivers.flatMap((receiver) => receiver.books()),
      });
      return;
    case 'drop':
      for (const receiver of receivers) receiver.close();
      receivers = [];
      answer({ type: 'done' });
  }
}

function onData(): void {
  frames += 1;
  tell();
}

function tell(): void {
  while (frames === marks[nextMark]) {
    nextMark += 1;
    answer({ type: 'reached' });
  }
}

function fail(reason: string): void {
  if (isFailed) return;
  isFailed = true;
  answer({ type: 'failed', reason });
}

/** Whoever measures may have ended, which also closes all sockets. */
function answer(message: FromReceivers): void {
  if (process.connected) process.send!(message, undefined, {}, () => undefined);
}
