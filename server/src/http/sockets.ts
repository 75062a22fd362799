import { BlockList, isIPv6, type Server, type Socket } from 'node:net';
import type { Clock } from '@depthwire/shared';
import type { FastifyBaseLogger } from 'fastify';
import ipaddr from 'ipaddr.js';
import { limitedAddress } from '../access/address.ts';

/** Sockets of one address, for each connection that it may have: requests need some too. */
const SOCKETS_PER_CONNECTION = 2;
/** How long nothing more is said of sockets that the server does not take. */
const SILENT_MS = 60_000;

interface SocketLimits {
  readonly maxConnectionsPerAddress: number;
  readonly trustedProxies: readonly string[];
  readonly logger: FastifyBaseLogger;
  readonly steadyClock: Clock;
}

/**
 * Sockets are limited by address before anything is read of them: one peer that opens them and does nothing must
 * not take all that the server has. Trusted proxies, who come for others, have no limit, and neither has this machine.
 */
export function limitSockets(
  server: Server,
  { maxConnectionsPerAddress, trustedProxies, logger, steadyClock }: SocketLimits,
): void {
  const trusted = listOf(trustedProxies);
  const most = SOCKETS_PER_CONNECTION * maxConnectionsPerAddress;
  const counts = new Map<string, number>();
  const told = new Set<string>();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    const address = limitedAddress(remoteAddress);
    if (address === null || trusted.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4')) return;
    const count = (counts.get(address) ?? 0) + 1;
    if (count > most) {
      socket.destroy();
      // Once for as long as it goes on, for there may be many.
      if (!told.has(address)) logger.warn({ address, most }, 'an address has too many sockets');
      told.add(address);
      return;
    }
    counts.set(address, count);
    socket.once('close', () => {
      const left = counts.get(address)! - 1;
      if (left > 0) counts.set(address, left);
      else {
        counts.delete(address);
        told.delete(address);
      }
    });
  });
  server.on('drop', () => {
    if (told.has('all')) return;
    told.add('all');
    logger.warn('there are more sockets than the server takes');
    steadyClock.at(steadyClock.now() + SILENT_MS, () => told.delete('all'));
  });
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address, bits] = network.split('/') as [string, string?];
    const family = ipaddr.parse(address).kind();
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
