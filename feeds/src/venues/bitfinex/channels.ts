import type { Subscribed } from './messages.ts';
import { PRECISION } from './subscribe.ts';

/** What an open channel brings. */
export interface Channel extends Subscribed {
  /** Of books: whether the snapshot has come. */
  hasSnapshot: boolean;
  /** Of books: whether checksums follow close upon the changes they cover. */
  isPrompt: boolean;
}

/** The account's own channel, which nobody subscribes. */
const ACCOUNT_ID = 0;

/** The channels of one connection; their ids are of no use on another. */
export class Channels {
  readonly #byId = new Map<number, Channel>();
  /** Ids that were opened once: frames may still come after the request to close one. */
  readonly #told = new Set([ACCOUNT_ID]);
  /** The channel that each symbol's book comes by: the first one opened, until it is closed. */
  readonly #books = new Map<string, number>();

  get ids(): readonly number[] {
    return [...this.#byId.keys()];
  }

  clear(): void {
    this.#byId.clear();
    this.#books.clear();
  }

  /** A new connection: no id of the one before counts any more. */
  reset(): void {
    this.clear();
    this.#told.clear();
    this.#told.add(ACCOUNT_ID);
  }

  /** Whether the venue has told of this id on this connection. */
  isTold(chanId: number): boolean {
    return this.#told.has(chanId);
  }

  open(subscribed: Subscribed): void {
    const { chanId, symbol, channel } = subscribed;
    const known = this.#byId.get(chanId);
    if (known?.symbol === symbol && known.channel === channel) return; // the same event once more
    this.close(chanId);
    this.#told.add(chanId);
    this.#byId.set(chanId, { ...subscribed, hasSnapshot: false, isPrompt: true });
    if (isBook(subscribed) && !this.#books.has(symbol)) this.#books.set(symbol, chanId);
  }

  close(chanId: number): void {
    const symbol = this.#byId.get(chanId)?.symbol;
    this.#byId.delete(chanId);
    if (symbol !== undefined && this.#books.get(symbol) === chanId) this.#books.delete(symbol);
  }

  get(chanId: number): Channel | undefined {
    return this.#byId.get(chanId);
  }

  /** The channel, if it is the one that its symbol's book comes by. */
  book(chanId: number): Channel | undefined {
    const channel = this.#byId.get(chanId);
    return channel && this.#books.get(channel.symbol) === chanId ? channel : undefined;
  }

  bookIdOf(symbol: string): number | undefined {
    return this.#books.get(symbol);
  }

  /** Symbols whose book a frame of this channel may have changed; null where it is not known. */
  concerned(chanId: number | null): readonly string[] | null {
    const channel = chanId === null ? undefined : this.#byId.get(chanId);
    if (!channel) return null;
    return this.book(channel.chanId) ? [channel.symbol] : [];
  }
}

/** Whether it is a book of prices in the finest precision; books of funding have symbols that begin with f. */
export function isBook({ channel, symbol, prec }: Subscribed): boolean {
  return channel === 'book' && symbol.startsWith('t') && (prec === null || prec === PRECISION);
}
