import type { ErrorCode } from '@depthwire/shared';
import type { Principal } from './grants.ts';

/** How somebody came, and with which of the configured keys: empty where it is none of them. */
export interface Refused {
  readonly kind: 'publishable' | 'secret' | 'token' | 'ticket' | 'none';
  readonly key: string;
}

export interface RefusalCount extends Refused {
  readonly code: ErrorCode;
  count: number;
}

/** Errors that tell somebody that it may not; all others are about what was asked. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  'origin_not_allowed',
  'unauthenticated',
  'forbidden',
  'rate_limited',
  'too_many_connections',
  'too_many_subscriptions',
]);
/** By what the ids of principals begin with. */
const kindOf: Readonly<Record<string, Refused['kind']>> = {
  key: 'secret',
  page: 'publishable',
  jwt: 'token',
};

export const refusedNobody: Refused = { kind: 'none', key: '' };

/** Subjects of tokens are without number, so none of them is told. */
export function refusedOf({ id }: Pick<Principal, 'id'>): Refused {
  const [prefix, name = ''] = id.split(':', 2);
  const kind = kindOf[prefix!] ?? 'none';
  return { kind, key: kind === 'token' ? '' : name };
}

/**
 * What was refused since the start, however it came. The ids of keys are those of the configuration, so that there are no
 * more counts than it has keys, whatever clients make up; and an operator sees which of the published keys is misused.
 */
export class Refusals {
  readonly #counts = new Map<string, RefusalCount>();

  add(code: ErrorCode, { kind, key }: Refused): void {
    if (!refusals.has(code)) return;
    const name = `${code} ${kind} ${key}`;
    const known = this.#counts.get(name);
    if (known) known.count += 1;
    else this.#counts.set(name, { code, kind, key, count: 1 });
  }

  get counts(): Iterable<Readonly<RefusalCount>> {
    return this.#counts.values();
  }
}
