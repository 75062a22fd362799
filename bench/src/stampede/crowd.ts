// Clients of the SDK that lose their server, and what becomes of them.
import { codecs, type BookSubscription, type ClientOptions, type DepthwireClient } from '@depthwire/shared';
import type { WebSocket } from 'ws';
import { BookNotes, type Checksums, type Comparison } from '../harness/book-notes.ts';
import { unixMs } from '../harness/clock.ts';
import { sdkClient } from '../harness/sdk-client.ts';
import { answerParent } from '../harness/worker.ts';

/** Clients that connect at the same time at first. */
const HANDSHAKES = 50;
const POLL_MS = 20;
/** Of a message that is a map, in its first byte: answers and notices are, data are not. */
const MAP_MASK = 0xf0;
const MAP = 0x80;

export interface CrowdOptions {
  readonly url: string;
  /** Instruments of each client. */
  readonly clients: readonly (readonly string[])[];
  readonly depth: number;
  readonly cadenceMs: number;
  /** Default: that of the SDK. */
  readonly backoff?: ClientOptions['backoff'];
}

/** What became of one client since `watch`. */
export interface Fate {
  /** Unix milliseconds; null where it has not happened. */
  lostMs: number | null;
  /** When its socket was open again. */
  openMs: number | null;
  /** When all its books were live again. */
  liveMs: number | null;
  /** Connections that ended or failed. */
  losses: number;
  /** Of the connection that was lost. */
  closeCode: number | null;
  gotGoodbye: boolean;
  /** Whether the last message before could be read whole; true where there was none. */
  isLastWhole: boolean;
}

interface Member {
  readonly client: DepthwireClient;
  readonly books: readonly BookSubscription[];
  fate: Fate;
  /** Why the connection was lost last, or did not come about. */
  lastError: string | null;
}

const notes = new BookNotes();
const members: Member[] = [];
let isWatching = false;

const methods = {
  /** Resolves once all have live books. */
  async connect({ url, clients, ...options }: CrowdOptions): Promise<void> {
    const waiting = clients.values();
    const connectNext = async () => {
      for (const instruments of waiting) {
        const member = join(url, instruments, options);
        members.push(member);
        while (!isLive(member)) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    };
    await Promise.all(Array.from({ length: HANDSHAKES }, connectNext));
  },

  /** Begins to note what becomes of each client. */
  watch(): void {
    isWatching = true;
    for (const member of members) member.fate = noFate();
  },

  /** States of clients that have not all their books again, and what went wrong last. */
  notLiveAgain: (): string[] =>
    members
      .filter(({ fate }) => fate.liveMs === null)
      .map(({ client, lastError }) => (lastError === null ? client.state : `${client.state} (${lastError})`)),

  fates: (): Fate[] => members.map(({ fate }) => fate),

  note: (): void => notes.followAll(members.flatMap(({ books }) => books)),
  compare: (served: ReadonlyMap<string, Checksums>): Comparison => notes.compare(served),
  forget: (): void => notes.forget(),
};

export type Crowd = typeof methods;

function join(
  url: string,
  instruments: readonly string[],
  { backoff, ...options }: Omit<CrowdOptions, 'url' | 'clients'>,
): Member {
  const onSocket = (socket: WebSocket) => {
    let last: Buffer | null = null;
    // The first socket is opened while the member is still made.
    socket.on('open', () => (member.fate.openMs = unixMs()));
    socket.on('close', () => (member.fate.losses += isWatching ? 1 : 0));
    socket.on('message', (data: ArrayBuffer | Buffer) => {
      if (!isWatching) return;
      last = Buffer.isBuffer(data) ? data : Buffer.from(data);
      if ((last[0]! & MAP_MASK) !== MAP) return;
      const { op } = codecs.msgpack.decode(last) as { op: string };
      if (op === 'goodbye') member.fate.gotGoodbye = true;
    });
    socket.on('close', (code) => {
      // Of the first connection that is lost; the next may be tries in vain.
      if (!isWatching || member.fate.lostMs !== null) return;
      member.fate.lostMs = unixMs();
      member.fate.closeCode = code;
      member.fate.isLastWhole = last === null || isWhole(last);
    });
  };
  const client = sdkClient(url, onSocket, backoff && { backoff });
  const books = instruments.map((instrument) => client.book(instrument, options));
  const member: Member = { client, books, fate: noFate(), lastError: null };
  client.on('error', ({ message }) => (member.lastError = message));
  for (const book of books)
    book.on('state', () => {
      const { fate } = member;
      if (fate.lostMs !== null && fate.liveMs === null && isLive(member)) fate.liveMs = unixMs();
    });
  client.connect();
  return member;
}

function isLive({ client, books }: Member): boolean {
  return client.state === 'open' && books.every(({ state }) => state === 'live');
}

function isWhole(message: Buffer): boolean {
  try {
    codecs.msgpack.decode(message);
    return true;
  } catch {
    return false;
  }
}

function noFate(): Fate {
  return {
    lostMs: null,
    openMs: null,
    liveMs: null,
    losses: 0,
    closeCode: null,
    gotGoodbye: false,
    isLastWhole: true,
  };
}

answerParent(methods);
