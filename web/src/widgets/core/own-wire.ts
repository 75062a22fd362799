import { StreamClient } from '@depthwire/shared';
import type { LinkOptions, Wire } from './wire.ts';
import { streamUrlOf } from './stream-url.ts';

/** A connection of this page's own. */
export function ownWire(options: LinkOptions): Wire {
  const client = new StreamClient({ url: streamUrlOf(options), token: options.key ?? undefined });
  return { client, open: () => client.connect(), shut: () => client.close() };
}
