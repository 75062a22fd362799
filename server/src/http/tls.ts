import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, type SecureContext, type Server, type TlsOptions } from 'node:tls';
import { every, DepthwireError, type Clock, type Timer } from '@depthwire/shared';
import ipaddr from 'ipaddr.js';
import type { Config } from '../config/config.ts';

/** Where a development certificate is kept, so that a browser has to be told once only. */
const DEVELOPMENT_FOLDER = '.depthwire';
const DEVELOPMENT_DAYS = 90;
const DAY_MS = 86_400_000;
/** How often the files of a certificate are looked at for a newer one, milliseconds. */
const RENEWAL_CHECK_MS = 60_000;

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * @param folder where one for development is kept
 * @throws DepthwireError `invalid_config`
 */
export async function certificateOf(
  { tls, host }: Pick<Config, 'tls' | 'host'>,
  nowMs: number,
  folder = DEVELOPMENT_FOLDER,
): Promise<Certificate | null> {
  if (tls === undefined) return null;
  if (tls.development) return developmentCertificate(host, nowMs, folder);
  const certificate = readFiles(tls);
  secureContextOf(certificate); // or it stops the start
  return certificate;
}

/** @param handshakeMs a peer that has not finished its handshake by then is dropped */
export function tlsOptions({ cert, key }: Certificate, handshakeMs: number): TlsOptions {
  return { cert, key, minVersion: 'TLSv1.2', handshakeTimeout: handshakeMs };
}

/** Takes a renewed certificate while it runs: connections that are open keep the one that they have. */
export function watchCertificate(
  server: Server,
  { tls }: Pick<Config, 'tls'>,
  clock: Clock,
  log: { info(details: object, message: string): void; error(details: object, message: string): void },
): Timer | null {
  if (tls?.cert === undefined) return null;
  const changedMs = () => Math.max(...[tls.cert!, tls.key!].map((file) => statSync(file).mtimeMs));
  let takenMs = changedMs();
  return every(clock, RENEWAL_CHECK_MS, () => {
    try {
      const newestMs = changedMs();
      if (newestMs === takenMs) return;
      const certificate = readFiles(tls);
      secureContextOf(certificate);
      server.setSecureContext(certificate);
      takenMs = newestMs;
      log.info({ expires: new X509Certificate(certificate.cert).validTo }, 'took a renewed certificate');
    } catch (error) {
      // Perhaps half written: it is looked at again.
      log.error(
        { reason: (error as Error).message },
        'a renewed certificate cannot be used; the one before stays',
      );
    }
  });
}

function readFiles(tls: NonNullable<Config['tls']>): Certificate {
  const read = (key: 'cert' | 'key') => {
    try {
      return readFileSync(tls[key]!, 'utf8');
    } catch (error) {
      throw invalid(`tls.${key}`, `${tls[key]} cannot be read: ${(error as Error).message}`);
    }
  };
  return { cert: read('cert'), key: read('key') };
}

function secureContextOf(certificate: Certificate): SecureContext {
  try {
    return createSecureContext(certificate);
  } catch (error) {
    throw invalid(
      'tls',
      `expected cert and key in PEM form that belong together: ${(error as Error).message}`,
    );
  }
}

function invalid(key: string, message: string): DepthwireError {
  return new DepthwireError('invalid_config', `${key}: ${message}`, { key });
}

async function developmentCertificate(host: string, nowMs: number, folder: string): Promise<Certificate> {
  const names = [...new Set(['localhost', '127.0.0.1', '::1', ...(isAnyAddress(host) ? [] : [host])])];
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  try {
    const kept = readFiles(files);
    const { validToDate, checkHost, checkIP } = bound(new X509Certificate(kept.cert));
    const isNamed = names.every((name) => (ipaddr.isValid(name) ? checkIP(name) : checkHost(name)));
    if (isNamed && validToDate.getTime() > nowMs + DAY_MS) return kept;
  } catch {
    // there is none yet, or none that is of use
  }
  const { generate } = await import('selfsigned'); // which only development needs
  const made = await generate([{ name: 'commonName', value: names[0]! }], {
    keyType: 'ec',
    notBeforeDate: new Date(nowMs - DAY_MS),
    notAfterDate: new Date(nowMs + DEVELOPMENT_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map((name) =>
          ipaddr.isValid(name) ? { type: 7, ip: name } : { type: 2, value: name },
        ),
      },
    ],
  });
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(files.cert, made.cert);
    writeFileSync(files.key, made.private, { mode: 0o600 });
  } catch {
    // a read-only folder: it is made anew at the next start
  }
  return { cert: made.cert, key: made.private };
}

function bound(certificate: X509Certificate) {
  return {
    validToDate: new Date(certificate.validTo),
    checkHost: (name: string) => certificate.checkHost(name) !== undefined,
    checkIP: (ip: string) => certificate.checkIP(ip) !== undefined,
  };
}

function isAnyAddress(host: string): boolean {
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'unspecified';
}
