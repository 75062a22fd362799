/** What a page tells the worker together with the port of its reader. */
export interface HandOver {
  /** Name of a lock that the page holds for as long as it lives; null where the browser has no locks. */
  readonly lock: string | null;
  /** Readers with the same key share a connection. */
  readonly key: string | null;
}
