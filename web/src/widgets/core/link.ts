import { DepthwireError } from '@depthwire/shared';
import type { LinkOptions, WidgetClient, Wire } from './wire.ts';

/** A connection that nobody looks through any more goes on for so long. */
const IDLE_MS = 10_000;
/** The server said that coming back is of no use; a key may be mended meanwhile. */
const REFUSED_RETRY_MS = 30_000;
const CODE_RETRY_MS = 5_000;

/** The one connection to a server with a key, for all widgets of the page that want it. */
export class Link {
  client: WidgetClient | null = null;
  /** Why there is no connection; null while there is, or none was tried. */
  trouble: DepthwireError | null = null;
  readonly #options: LinkOptions;
  readonly #onEnd: () => void;
  readonly #listeners = new Set<() => void>();
  #wire: Wire | null = null;
  #users = 0;
  #isShut = true;
  #hasEnded = false;
  #idle: ReturnType<typeof setTimeout> | null = null;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #hasOpened = false;

  constructor(options: LinkOptions, onEnd: () => void) {
    this.#options = options;
    this.#onEnd = onEnd;
    void this.#make();
  }

  readonly #onHide = () => this.#wire?.shut();
  readonly #onShow = ({ persisted }: PageTransitionEvent) => {
    if (persisted && !this.#isShut) this.#wire?.open();
  };

  /** Keeps the connection until it is let go; the listener hears when the client is there, and of its state. */
  use(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#users += 1;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    this.#open();
    return () => {
      if (!this.#listeners.delete(listener)) return;
      this.#users -= 1;
      if (this.#users === 0) this.#idle = setTimeout(() => this.#end(), IDLE_MS);
    };
  }

  get isOpen(): boolean {
    return this.client?.state === 'open';
  }

  async #make(): Promise<void> {
    try {
      this.#wire = await openWire(this.#options);
    } catch (error) {
      this.#fail(
        new DepthwireError('unavailable', 'the code of the connection could not be loaded', {}, error),
      );
      this.#again(() => void this.#make(), CODE_RETRY_MS);
      return;
    }
    if (this.#hasEnded) return;
    const { client } = this.#wire;
    this.client = client;
    client.on('state', (state) => {
      if (state === 'open') {
        this.trouble = null;
        this.#hasOpened = true;
      }
      if (state === 'closed' && !this.#isShut) this.#again(() => client.connect(), REFUSED_RETRY_MS);
      this.#tell();
    });
    client.on('error', (error) => {
      if (client.state === 'open') return; // of a subscription, which tells it itself
      this.#fail(error);
      // A browser does not say why a handshake was refused.
      if (error.code === 'connection_lost' && !this.#hasOpened) void this.#askWhy();
    });
    // A connection would keep the page from being shown again as it is when somebody comes back to it.
    addEventListener('pagehide', this.#onHide);
    addEventListener('pageshow', this.#onShow);
    this.#open();
    this.#tell();
  }

  /** Asks the server whether it takes this page and its key. */
  async #askWhy(): Promise<void> {
    const { server, key } = this.#options;
    const url = new URL('api/v1/access', server);
    if (key !== null) url.searchParams.set('key', key);
    try {
      const response = await fetch(url, { credentials: 'omit' });
      const { error } = (await response.json()) as {
        error?: { code: DepthwireError['code']; message: string };
      };
      if (!error || this.isOpen) return;
      this.#fail(new DepthwireError(error.code, error.message));
      // Knocking does not help: it is closed now, and tried again when that may.
      this.client?.close();
    } catch {
      // It does not answer at all: that is the trouble.
    }
  }

  #fail(error: DepthwireError): void {
    this.trouble = error;
    this.#tell();
  }

  #open(): void {
    if (this.#users === 0 || !this.#isShut || !this.#wire) return;
    this.#isShut = false;
    this.#wire.open();
  }

  /** Nobody looks through it any more: who comes next gets another one. */
  #end(): void {
    this.#isShut = this.#hasEnded = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#wire?.shut();
    removeEventListener('pagehide', this.#onHide);
    removeEventListener('pageshow', this.#onShow);
    this.#onEnd();
  }

  #again(task: () => void, delayMs: number): void {
    if (this.#hasEnded) return;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = setTimeout(task, delayMs);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Of this page, by all that makes one differ from another. */
const links = new Map<string, Link>();

export function linkTo(options: LinkOptions): Link {
  const id = JSON.stringify([options.server, options.key, options.worker]);
  let link = links.get(id);
  if (!link) links.set(id, (link = new Link(options, () => links.delete(id))));
  return link;
}

async function openWire(options: LinkOptions): Promise<Wire> {
  if (options.worker !== null && typeof SharedWorker === 'function') {
    const { sharedWire } = await import('./shared-wire.ts');
    return sharedWire(options, options.worker);
  }
  const { ownWire } = await import('./own-wire.ts');
  return ownWire(options);
}
