// A client on one thread and its readers on another: a page and its worker.

export type { PortLike, RemoteOptions } from './messages.ts';
export { RemoteClient } from './remote-client.ts';
export { RemoteHost, type ClientLease } from './remote-host.ts';
