import { assets, immutable, prerendered } from '$app/manifest';
import { version } from '$app/env';
import { self } from '$app/service-worker';

// The page itself opens without a network, and says then that the server is away. Nothing of the market is ever kept:
// an old price is worse than none.

const CACHE = `depthwire-${version}`;
/** What a proxy says whose server is away. */
const AWAY = [502, 503, 504];
/** A network that takes longer than this is as good as none, milliseconds. */
const PATIENCE_MS = 4_000;
const absolute = ({ path }: { path: string }) => new URL(path, self.registration.scope).pathname;
const hashed = new Set(immutable.map(absolute));
/** May change under their names: the network goes before the cache. */
const named = new Set([...assets, ...prerendered].map(absolute));

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([...hashed, ...named])));
});

// Waits until pages of the version before are closed: their parts are loaded when they are needed.
self.addEventListener('activate', (event) => {
  event.waitUntil(forgetOthers());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (hashed.has(pathname)) event.respondWith(fromCache(request));
  else if (named.has(pathname)) event.respondWith(fromNetwork(request, pathname));
});

async function forgetOthers(): Promise<void> {
  for (const name of await caches.keys())
    if (name.startsWith('depthwire-') && name !== CACHE) await caches.delete(name);
}

async function fromCache(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

/** Whatever is asked of a page (`?instrument=…`), it is the same file. */
async function fromNetwork(request: Request, pathname: string): Promise<Response> {
  const kept = await caches.match(pathname);
  if (!kept) return fetch(request);
  try {
    const answer = await Promise.race([
      fetch(request),
      new Promise<never>((_, reject) => setTimeout(reject, PATIENCE_MS)),
    ]);
    return AWAY.includes(answer.status) ? kept : answer;
  } catch {
    return kept;
  }
}
