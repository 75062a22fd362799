import { DepthwireError, type InstrumentId, type Topic } from '@depthwire/shared';

/** What somebody may read, and how much of it. */
export interface Grants {
  /** Ids, or patterns with `*` for any number of letters: `sim:*`. */
  readonly instruments: readonly string[];
  readonly topics: readonly Topic[];
  /** Levels a side; as many as there are where it is left out. */
  readonly maxDepth?: number;
  readonly minCadenceMs: number;
  /** Of all its connections together; the server's own where it is left out. */
  readonly maxConnections?: number;
  readonly maxSubscriptions?: number;
  /** Bytes of data a second and connection. */
  readonly maxBandwidth?: number;
  readonly maxRequestsPerMinute?: number;
  /** Metrics, and what becomes of each feed. */
  readonly operate: boolean;
}

/** Whom a request or a connection belongs to. */
export interface Principal {
  /** `local`, `public`, `key:desk`, `page:shop`, `jwt:alice`. */
  readonly id: string;
  readonly grants: Grants;
  /** Unix milliseconds; null for ever. */
  readonly expiresMs: number | null;
}

/** @throws DepthwireError `forbidden` */
export function assertGranted({ id, grants }: Principal, topic: Topic, instrument: InstrumentId): void {
  if (!grants.topics.includes(topic))
    throw new DepthwireError('forbidden', `${id} may not read ${topic}: it has ${grants.topics.join(', ')}`, {
      topic,
    });
  assertInstrument({ id, grants }, instrument);
}

/** @throws DepthwireError `forbidden` */
export function assertInstrument(
  { id, grants }: Pick<Principal, 'id' | 'grants'>,
  instrument: InstrumentId,
): void {
  if (!mayRead(grants, instrument))
    throw new DepthwireError('forbidden', `${id} may not read ${instrument}`, { instrument });
}

export function mayRead({ instruments }: Grants, instrument: InstrumentId): boolean {
  return instruments.some((pattern) => matches(pattern, instrument));
}

/** Without regular expressions, whose time a pattern could make grow. */
function matches(pattern: string, text: string): boolean {
  const [first, ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  const last = rest.pop()!;
  if (!text.startsWith(first!) || !text.endsWith(last)) return false;
  let at = first!.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
