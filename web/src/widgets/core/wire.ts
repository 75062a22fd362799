import type { StreamClient } from '@depthwire/shared';
import type { RemoteClient } from '@depthwire/shared/remote';

/** On this thread without books, which widgets of books bring along; in the worker with all. */
export type WidgetClient = StreamClient | RemoteClient;

export interface LinkOptions {
  /** Of the server, with a slash at its end. */
  readonly server: string;
  /** Publishable; null where the server wants none. */
  readonly key: string | null;
  /** A script of this page's origin for a SharedWorker; null for none. */
  readonly worker: string | null;
}

/** A connection's client, and what holds it up. */
export interface Wire {
  readonly client: WidgetClient;
  /** Begins, or begins again. */
  open(): void;
  /** Ends it for now; what is subscribed is asked for when it opens again. */
  shut(): void;
}
