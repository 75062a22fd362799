import { RemoteClient, type PortLike } from '@depthwire/shared/remote';

type Options = ConstructorParameters<typeof RemoteClient>[0];

/** One for the page, whatever it connects to; null until somebody does, and where the browser gives none. */
let worker: Worker | null = null;
let hasFailed = false;
/** Clients that have to be taken over where the worker fails, and whom to tell why. */
const clients = new Map<RemoteClient, (reason: string) => void>();

/**
 * A client whose work is done in a worker; where that cannot be had, on the page's own thread.
 * @param onFallback called with why the page does the work
 */
export function openClient(options: Options, onFallback: (reason: string) => void): RemoteClient {
  const client = new RemoteClient(options);
  clients.set(client, onFallback);
  attach(client);
  return client;
}

/** Ends a client, and its part of the worker. */
export function endClient(client: RemoteClient): void {
  clients.delete(client);
  client.end();
}

function attach(client: RemoteClient): void {
  const { port1, port2 } = new MessageChannel();
  client.attach(port1 as unknown as PortLike);
  const host = theWorker();
  if (host) host.postMessage(null, [port2]);
  else void hostHere(port2);
}

/** Null where there is none, and no longer one. */
function theWorker(): Worker | null {
  if (hasFailed) return null;
  if (worker) return worker;
  try {
    worker = new Worker(new URL('./stream.worker.ts', import.meta.url), {
      type: 'module',
      name: 'depthwire',
    });
  } catch {
    hasFailed = true;
    return null;
  }
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    hasFailed = true;
    for (const [client, onFallback] of clients) {
      attach(client);
      onFallback(event.message || 'it was not loaded');
    }
    worker?.terminate();
    worker = null;
  });
  return worker;
}

async function hostHere(port: MessagePort): Promise<void> {
  const { hostAt } = await import('./stream-host.ts');
  hostAt(port);
}
