import { RemoteHost, type PortLike } from '@depthwire/shared/remote';

// Sockets, decoding, checksums and replicas, off the page's thread: a host for each port that the page sends.
addEventListener('message', ({ ports }: MessageEvent) => {
  for (const port of ports) new RemoteHost(port as unknown as PortLike);
});
