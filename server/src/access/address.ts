import ipaddr from 'ipaddr.js';

/** Bits of an IPv6 address that one customer has: the rest is theirs to choose. */
const IPV6_PREFIX = 64;

/** Who counts as one: an IPv4 address, or a network of IPv6; null for this machine, which is not limited. */
export function limitedAddress(address: string): string | null {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.range() === 'loopback') return null;
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${IPV6_PREFIX}`).toString()}/${IPV6_PREFIX}`;
}

export function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

/**
 * Whether a `Host` header names this machine. A page of a name that was made to point here (DNS rebinding)
 * sends its own.
 * @param host with or without a port
 */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = URL.parse(`http://${host ?? ''}`)?.hostname ?? '';
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    isLoopback(name.startsWith('[') ? name.slice(1, -1) : name)
  );
}
