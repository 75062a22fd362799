import { topics } from '@depthwire/shared';
import type { Principal } from '../src/access/grants.ts';
import { Quotas } from '../src/access/quotas.ts';
import type { SessionOwner } from '../src/gateway/session.ts';

export const anybody: Principal = {
  id: 'anybody',
  grants: { instruments: ['*'], topics, minCadenceMs: 0, operate: false },
  expiresMs: null,
};

/** Of a session that may do all, and need not say who it is. */
export function localOwner(): SessionOwner {
  const quotas = new Quotas({
    maxConnections: 1e6,
    maxConnectionsPerAddress: 1e6,
    maxSubscriptionsPerAddress: 1e6,
    maxConnectionsPerKey: 1e6,
    maxSubscriptionsPerKey: 1e6,
  });
  return {
    principal: anybody,
    lease: quotas.open('127.0.0.1', anybody),
    authenticate: () => Promise.resolve(anybody),
    current: (principal) => principal,
    poll: () => undefined,
    onRefused: () => undefined,
  };
}
