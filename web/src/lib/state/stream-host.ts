import { RemoteHost, type PortLike } from '@depthwire/shared/remote';

/** Sockets, decoding, checksums and replicas, for whoever has the other end of the port. */
export function hostAt(port: MessagePort): void {
  new RemoteHost(port as unknown as PortLike);
}
