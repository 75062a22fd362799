import { defineWidgets, type FaceModule } from './element.ts';
import type { Kind } from './kinds.ts';

/** Written by the build: where the other files are, seen from this one, and of each kind what it is made of. */
declare const DEPTHWIRE_BASE: string;
declare const DEPTHWIRE_FILES: readonly (readonly [name: string, sha256?: string])[];
/** Places in the list above, what is to be run last. */
declare const DEPTHWIRE_KINDS: Readonly<Record<Kind, readonly number[]>>;
declare const DEPTHWIRE_WORKER: string;
/** Places in the list of what connects: a page of its own, and through the worker. */
declare const DEPTHWIRE_WIRES: Readonly<Record<'own' | 'shared', readonly number[]>>;
/** From the folder of the files to the server. */
declare const DEPTHWIRE_ROOT: string;

const own = new URL(import.meta.url);
const base = new URL(DEPTHWIRE_BASE, own);
const isOwnOrigin = base.origin === location.origin;
const asked = new Set<string>();

/** Has the browser fetch a module and hold it against its hash, before somebody imports it. */
function preload([name, sha256]: readonly [name: string, sha256?: string]): string {
  const { href } = new URL(`${name}.js`, base);
  if (!asked.has(href)) {
    asked.add(href);
    const link = document.createElement('link');
    Object.assign(link, { rel: 'modulepreload', crossOrigin: 'anonymous', href });
    if (sha256) link.integrity = `sha256-${sha256}`;
    link.onload = link.onerror = () => {
      link.remove();
    };
    document.head.append(link);
  }
  return href;
}

defineWidgets(
  (kind) => {
    const files = [...DEPTHWIRE_WIRES[isOwnOrigin ? 'shared' : 'own'], ...DEPTHWIRE_KINDS[kind]].map(
      (index) => preload(DEPTHWIRE_FILES[index]!),
    );
    return import(/* @vite-ignore */ files.at(-1)!) as Promise<FaceModule>;
  },
  {
    prefix: own.searchParams.get('prefix') ?? undefined,
    server: new URL(DEPTHWIRE_ROOT, base).href,
    // A browser runs a worker of the page's own origin only.
    worker: isOwnOrigin ? new URL(DEPTHWIRE_WORKER, base).href : null,
  },
);
