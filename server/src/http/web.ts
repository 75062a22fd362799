import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import fastifyStatic from '@fastify/static';
import { DepthwireError } from '@depthwire/shared';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Access } from '../access/access.ts';

/** Of the dashboard, for addresses that lead nowhere. */
export const MISSING_PAGE = '404.html';
/** What frames of other sites show: no page of the dashboard, with a policy of its own. */
const EMBED_PAGE = 'embed.html';
const EMBED_KIND = /^[a-z-]{1,40}$/;
const EMBED_POLICY = [
  "default-src 'none'",
  ...['script-src', 'style-src', 'connect-src', 'worker-src'].map((directive) => `${directive} 'self'`),
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  // The one by which widgets start their worker.
  'trusted-types depthwire',
];

const HASHED = 'public, max-age=31536000, immutable';
/** Looked for anew each time, and then mostly not sent. */
const CHANGING = 'no-cache';
/** Named by what is in them. */
const HASHED_FILES = /^(?:_app\/immutable|widgets)\//;
/** In a folder of those, under a name that stays. */
const STABLE_FILES = /^widgets\/(?:manifest\.json|worker\.js|depthwire-widgets\.tgz)$/;
/** Pages of other origins load the SDK and the widgets; whether they may connect, `allowedOrigins` and keys say. */
const SHARED_FILES = /^(?:sdk\/|widgets\/|widgets\.js$)/;
const COMPRESSED = /\.(?:br|gz)$/;

/** The built dashboard. */
export class WebFolder {
  readonly #folder: string;
  readonly #files: readonly string[];

  /** @param folder of which nothing need be there yet */
  constructor(folder: string) {
    this.#folder = folder;
    this.#files = existsSync(folder) ? readdirSync(folder) : [];
  }

  /** Files of the dashboard's own pages. */
  get pages(): string[] {
    return this.#files.filter((name) => name.endsWith('.html') && name !== EMBED_PAGE);
  }

  get hasMissingPage(): boolean {
    return this.#files.includes(MISSING_PAGE);
  }

  /** SvelteKit starts each page by an inline script, which the policy must name by its hash. */
  inlineScriptHashes(): string[] {
    const scripts = this.pages.flatMap((name) => [
      ...readFileSync(join(this.#folder, name), 'utf8').matchAll(
        /<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g,
      ),
    ]);
    const hashes = scripts.map(
      ([, code]) => `'sha256-${createHash('sha256').update(code!).digest('base64')}'`,
    );
    return [...new Set(hashes)];
  }

  /** @throws DepthwireError `invalid_config` where nothing is built */
  async register(app: FastifyInstance, access: Access): Promise<void> {
    const folder = this.#folder;
    if (!this.#files.includes('index.html')) {
      throw new DepthwireError(
        'invalid_config',
        `web: ${folder} holds no index.html: build the dashboard first (npm run build)`,
        { key: 'web' },
      );
    }
    await app.register(fastifyStatic, {
      root: folder,
      preCompressed: true,
      cacheControl: false,
      setHeaders: (reply, path) => {
        const name = relative(folder, path).replaceAll('\\', '/').replace(COMPRESSED, '');
        const isPage = name.endsWith('.html');
        const isHashed = HASHED_FILES.test(name) && !STABLE_FILES.test(name) && !isPage;
        reply.header('cache-control', isHashed ? HASHED : CHANGING);
        if (!SHARED_FILES.test(name) || isPage) return;
        reply.header('access-control-allow-origin', '*');
        reply.header('cross-origin-resource-policy', 'cross-origin');
        reply.header('timing-allow-origin', '*');
        // Or they could be no workers of the page in frames, which has it.
        reply.header('cross-origin-embedder-policy', 'require-corp');
      },
    });
    // By the file server's own `extensions` a page would be found, but not the compressed file beside it.
    for (const page of this.pages)
      if (page !== MISSING_PAGE)
        app.get(`/${page.slice(0, -'.html'.length)}`, (_request, reply) => reply.sendFile(page));
    if (this.#files.includes(EMBED_PAGE)) registerEmbed(app, access);
  }
}

/** One page for all kinds of widgets: it reads which one from its address. */
function registerEmbed(app: FastifyInstance, access: Access): void {
  app.get<{ Params: { kind: string } }>('/embed/:kind', (request, reply) => {
    if (!EMBED_KIND.test(request.params.kind)) return reply.callNotFound();
    letFrame(reply, access.framersOf(keyIn(request.url)));
    // Without validators: a browser keeps the policy of before with a page that was not modified.
    return reply.sendFile(EMBED_PAGE, { etag: false, lastModified: false });
  });
}

/**
 * Read as the page reads it.
 * @throws DepthwireError `invalid_request` for several, of which the page could take another one
 */
function keyIn(url: string): string | null {
  const keys = new URLSearchParams(/\?(.*)$/s.exec(url)?.[1]).getAll('key');
  if (keys.length > 1) throw new DepthwireError('invalid_request', 'key: expected one');
  return keys[0] ?? null;
}

function letFrame(reply: FastifyReply, framers: readonly string[]): void {
  const policy = [...EMBED_POLICY, `frame-ancestors ${framers.join(' ')}`];
  reply.header('content-security-policy', policy.join(';'));
  // It knows no list of origins; `frame-ancestors` stands in its place.
  reply.raw.removeHeader('x-frame-options');
  // Pages that are isolated frame only what may be loaded elsewhere, and is isolated too.
  reply.header('cross-origin-resource-policy', 'cross-origin');
  reply.header('cross-origin-embedder-policy', 'require-corp');
}
