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
/** For addresses that lead nowhere: of no route, so the manifest does not know it. */
const MISSING_PAGE = '/404.html';
/** What the server answers programs by: these are no pages, with or without a network. */
const PROGRAM_PATHS = /^\/(?:(?:api|ws|metrics|sdk|_app|embed)\b|widgets(?:\.js\b|\/.))/;
const absolute = ({ path }: { path: string }) => new URL(path, self.registration.scope).pathname;
const hashed = new Set(immutable.map(absolute));
/** May change under their names: the network goes before the cache. */
const named = new Set([...assets, ...prerendered].map(absolute));

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([...hashed, ...named, MISSING_PAGE])));
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
  else if (named.has(pathname)) event.respondWith(fromNetwork(request, () => caches.match(pathname)));
  else if (request.mode === 'navigate' && !PROGRAM_PATHS.test(pathname))
    event.respondWith(fromNetwork(request, missingPage));
});

async function forgetOthers(): Promise<void> {
  for (const name of await caches.keys())
    if (name.startsWith('depthwire-') && name !== CACHE) await caches.delete(name);
}

async function fromCache(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

/** Said as the server would say it. */
async function missingPage(): Promise<Response | undefined> {
  const kept = await caches.match(MISSING_PAGE);
  return kept && new Response(kept.body, { status: 404, headers: kept.headers });
}

/** Whatever is asked of a page (`?instrument=…`), what is kept of it is the same file. */
async function fromNetwork(
  request: Request,
  readKept: () => Promise<Response | undefined>,
): Promise<Response> {
  const kept = await readKept();
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
