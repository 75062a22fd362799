import type { LinkOptions } from './wire.ts';

/** Where a server has its stream. */
export function streamUrlOf({ server }: Pick<LinkOptions, 'server'>): string {
  const url = new URL('ws', server);
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href;
}
