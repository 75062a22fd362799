import { DepthwireClient, type ClientOptions } from '@depthwire/shared';
import { RemoteHost, type ClientLease, type PortLike } from '@depthwire/shared/remote';
import type { HandOver } from './core/hand-over.ts';

// A SharedWorker: one connection to a server with a key, for all pages of an origin.

interface Shared {
  readonly client: DepthwireClient;
  users: number;
}

const shared = new Map<string, Shared>();

function lease(options: ClientOptions): ClientLease {
  const id = JSON.stringify([options.url, options.token]);
  let entry = shared.get(id);
  if (!entry) shared.set(id, (entry = { client: new DepthwireClient(options), users: 0 }));
  const { client } = entry;
  entry.users += 1;
  return {
    client,
    release() {
      entry.users -= 1;
      if (entry.users > 0) return;
      shared.delete(id);
      client.close();
    },
  };
}

addEventListener('connect', (event) => {
  const [page] = (event as MessageEvent).ports;
  page!.onmessage = ({ data, ports }: MessageEvent<HandOver>) => {
    const host = new RemoteHost(ports[0] as unknown as PortLike, (options) =>
      lease({ ...options, token: data.key ?? undefined }),
    );
    // It is ours when the page is gone.
    if (data.lock !== null) void navigator.locks.request(data.lock, () => host.end());
    page!.postMessage('there');
  };
});
