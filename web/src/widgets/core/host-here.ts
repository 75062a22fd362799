import { DepthwireClient } from '@depthwire/shared';
import { RemoteHost, type PortLike } from '@depthwire/shared/remote';

/** Decodes on the page's own thread, where there is no worker; returns the reader's end. */
export function hostHere(key: string | null): MessagePort {
  const { port1, port2 } = new MessageChannel();
  new RemoteHost(port2 as unknown as PortLike, (options) => {
    const client = new DepthwireClient({ ...options, token: key ?? undefined });
    return { client, release: () => client.close() };
  });
  return port1;
}
