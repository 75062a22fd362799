// Clients of the SDK that follow books, and count what comes.
import type { DepthwireClient } from '@depthwire/shared';
import { sdkClient } from '../harness/sdk-client.ts';
import { answerParent } from '../harness/worker.ts';

/** Clients that connect at the same time. */
const HANDSHAKES = 25;
const POLL_MS = 20;

export interface ReadersOptions {
  readonly url: string;
  /** Instruments of each client. */
  readonly clients: readonly (readonly string[])[];
  readonly depth: number;
  readonly cadenceMs: number;
}

const all: DepthwireClient[] = [];

const methods = {
  /** More of them; resolves once all have live books. */
  async connect({ url, clients, ...options }: ReadersOptions): Promise<void> {
    const waiting = clients.values();
    const connectNext = async () => {
      for (const instruments of waiting) {
        const client = sdkClient(url);
        all.push(client);
        const books = instruments.map((instrument) => client.book(instrument, options));
        client.connect();
        while (!books.every(({ state }) => state === 'live'))
          await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    };
    await Promise.all(Array.from({ length: HANDSHAKES }, connectNext));
  },
  frames: (): number => all.reduce((sum, { traffic }) => sum + traffic.framesIn, 0),
};

export type Readers = typeof methods;

answerParent(methods);
