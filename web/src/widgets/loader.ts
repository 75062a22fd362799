import { defineWidgets, type FaceModule } from './element.ts';
import { kinds } from './kinds.ts';

// Written by the build. Short: all pages load it.

/** Where the other files are, seen from this one. */
declare const DEPTHWIRE_BASE: string;
/** From there to the server. */
declare const DEPTHWIRE_ROOT: string;
/** Names of the files beside those of the kinds, which follow them. */
declare const DEPTHWIRE_SHARED: readonly string[];
/** SHA-256 of all of them, by place; none for a loader that is not held against its own. */
declare const DEPTHWIRE_HASHES: readonly string[];
/** By the place of a kind, the places of what it needs beside its own file. */
declare const DEPTHWIRE_NEEDS: readonly (readonly number[])[];
/** Of what connects: a page of its own, and one through the worker. */
declare const DEPTHWIRE_WIRES: Readonly<Record<'own' | 'shared', readonly number[]>>;

const own = new URL(import.meta.url);
const base = new URL(DEPTHWIRE_BASE, own);
const names = [...kinds, ...DEPTHWIRE_SHARED];
const hashes = DEPTHWIRE_HASHES;
const urlOf = (place: number) => new URL(`${names[place]}.js`, base).href;
const isOwnOrigin = base.origin === location.origin;
const asked = new Map<string, Promise<unknown>>();

/** Has the browser fetch a module and hold it against its hash; a rejection where it is another. */
function preload(place: number): Promise<unknown> {
  const href = urlOf(place);
  let fetched = asked.get(href);
  if (!fetched) {
    const link = document.createElement('link');
    Object.assign(link, { rel: 'modulepreload', crossOrigin: '', href });
    if (hashes[place]) link.integrity = `sha256-${hashes[place]}`;
    fetched = new Promise((resolve, reject) => {
      link.onload = resolve;
      link.onerror = reject;
      // Older browsers say nothing, and check nothing.
      if (!link.relList.supports('modulepreload')) resolve(null);
    }).finally(() => link.remove());
    asked.set(href, fetched);
    fetched.catch(() => asked.delete(href));
    document.head.append(link);
  }
  return fetched;
}

defineWidgets(
  async (kind) => {
    const own = kinds.indexOf(kind);
    const places = [...DEPTHWIRE_WIRES[isOwnOrigin ? 'shared' : 'own'], ...DEPTHWIRE_NEEDS[own]!, own];
    // All of them, before any is run: what was not as it should be the browser would fetch once more, and not check.
    await Promise.all(places.map(preload));
    return import(/* @vite-ignore */ urlOf(own)) as Promise<FaceModule>;
  },
  {
    prefix: own.searchParams.get('prefix') ?? undefined,
    server: new URL(DEPTHWIRE_ROOT, base).href,
    // A browser runs a worker of the page's own origin only.
    worker: isOwnOrigin ? new URL('worker.js', base).href : null,
  },
);
