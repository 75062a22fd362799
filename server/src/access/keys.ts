import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

/** Tells the kinds of keys apart at sight: also for tools that look for secrets in code. */
export const secretPrefix = 'dw_sk_';
export const publishablePrefix = 'dw_pk_';

/** 256 random bits: no slower hash than SHA-256 is needed to keep it. */
export function createKey(prefix: string): string {
  return prefix + randomBytes(SECRET_BYTES).toString('base64url');
}

/** What the configuration holds in place of a secret key. */
export function hashOf(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}
