import ipaddr from 'ipaddr.js';

/** Bits of an IPv6 address that one customer has: the rest is theirs to choose. */
const IPV6_PREFIX = 64;

/** Who counts as one: an IPv4 address, or a network of IPv6; null for this machine, which is not limited. */
export function limitedAddress(address: string): string | null {
  const plain = withoutPort(address);
  // What a proxy writes instead of an address is one for all whom it says it of.
  if (!ipaddr.isValid(plain)) return 'unknown';
  const parsed = ipaddr.process(plain);
  if (parsed.range() === 'loopback') return null;
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${IPV6_PREFIX}`).toString()}/${IPV6_PREFIX}`;
}

/** Some proxies add the port: `203.0.113.9:4711`, `[2001:db8::1]:4711`. */
function withoutPort(address: string): string {
  return /^\[(.+)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
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

/** Whether a page came from this machine: whoever serves it there is a process of it. */
export function isLoopbackOrigin(origin: string): boolean {
  const url = URL.parse(origin);
  return url !== null && ['http:', 'https:'].includes(url.protocol) && isLoopbackHost(url.host);
}
