import { RemoteClient, type PortLike } from '@depthwire/shared/remote';
import type { HandOver } from './hand-over.ts';
import type { LinkOptions, Wire } from './wire.ts';
import { streamUrlOf } from './stream-url.ts';
import { scriptUrl } from './trusted.ts';

/** A worker that has not said by then that it is there is none. */
const ANSWER_WITHIN_MS = 5_000;

/** A connection that the pages of an origin share; the page's own where the browser does not let them. */
export function sharedWire(options: LinkOptions, script: string): Wire {
  const client = new RemoteClient({ url: streamUrlOf(options) });
  let release: (() => void) | null = null;
  let isWanted = false;
  let hasFailed = false;

  const attachHere = async () => {
    const { hostHere } = await import('./host-here.ts');
    if (isWanted) {
      client.attach(hostHere(options.key) as unknown as PortLike);
      client.connect();
    }
  };

  const attach = () => {
    if (hasFailed) {
      void attachHere();
      return;
    }
    let worker: SharedWorker;
    const fail = () => {
      if (hasFailed) return;
      hasFailed = true;
      clearTimeout(timer);
      if (isWanted) void attachHere();
    };
    const timer = setTimeout(fail, ANSWER_WITHIN_MS);
    try {
      worker = new SharedWorker(scriptUrl(script), { type: 'module', name: 'depthwire' });
    } catch {
      fail();
      return;
    }
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      fail();
    });
    worker.port.onmessage = () => clearTimeout(timer);
    // A worker is not told that a page has gone: it waits for what the page holds as long as it lives.
    holdLock((lock, letGo) => {
      if (!isWanted || hasFailed) {
        letGo();
        return;
      }
      release = letGo;
      const { port1, port2 } = new MessageChannel();
      client.attach(port1 as unknown as PortLike);
      client.connect();
      worker.port.postMessage({ lock, key: options.key } satisfies HandOver, [port2]);
    });
  };

  return {
    client,
    open() {
      if (isWanted) return;
      isWanted = true;
      attach();
    },
    shut() {
      isWanted = false;
      client.end();
      release?.();
      release = null;
    },
  };
}

function holdLock(then: (lock: string | null, letGo: () => void) => void): void {
  const { locks } = navigator as { locks?: LockManager }; // pages without TLS have none
  if (!locks) {
    then(null, () => undefined);
    return;
  }
  const lock = `depthwire ${crypto.randomUUID()}`;
  void locks.request(lock, () => new Promise<void>((letGo) => then(lock, letGo)));
}
