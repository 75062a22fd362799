import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import fastifyHelmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import fastifyWebsocket from '@fastify/websocket';
import { DepthwireError, encodingOf, toDepthwireError, type ErrorCode } from '@depthwire/shared';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Gateway } from '../gateway/gateway.ts';
import { registerRoutes, type RoutesOptions } from './routes.ts';

/** HTTP status of the errors that a request can meet; all others are a fault of the server. */
const statusOf: Partial<Record<ErrorCode, number>> = {
  invalid_request: 400,
  origin_not_allowed: 403,
  unknown_instrument: 404,
  not_found: 404,
  unavailable: 503,
};

export interface AppOptions extends RoutesOptions {
  readonly gateway: Gateway;
  readonly logger: FastifyBaseLogger;
  /** Folder of the built dashboard. */
  readonly web?: string;
  readonly allowedOrigins: readonly string[];
  readonly maxMessageBytes: number;
}

/** The HTTP application, apart from the process: tests reach it by `inject` and on a free port. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: 128 },
    forceCloseConnections: true,
    frameworkErrors: (error, _request, reply) => sendError(reply as FastifyReply, error),
  });
  const index = options.web === undefined ? null : join(options.web, 'index.html');

  app.setErrorHandler((error, _request, reply) => sendError(reply, error));
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'self'"],
        'script-src': [
          "'self'",
          ...(options.web !== undefined && existsSync(options.web) ? inlineScriptHashes(options.web) : []),
        ],
        // Svelte sets style attributes for sizes that come from data.
        'style-src': ["'self'", "'unsafe-inline'"],
        'img-src': ["'self'", 'data:'],
        'connect-src': ["'self'"],
        'object-src': ["'none'"],
        'base-uri': ["'none'"],
        'frame-ancestors': ["'none'"],
      },
    },
    // TLS, where there is any, ends before this process.
    strictTransportSecurity: false,
  });
  // The plug-in takes no upgrade on a connection that still owes an answer, and leaves it to nobody.
  app.server.prependListener('upgrade', (_request, socket) => {
    if ((socket as Duplex & { _httpMessage?: unknown })._httpMessage) socket.destroy();
  });
  await app.register(fastifyWebsocket, {
    errorHandler: (error, socket) => options.gateway.onError(socket, error),
    options: {
      maxPayload: options.maxMessageBytes,
      perMessageDeflate: false,
      handleProtocols: (offered: Set<string>) =>
        [...offered].find((name) => encodingOf(name) !== null) ?? false,
    },
  });

  const responses = new WeakMap<IncomingMessage, ServerResponse>();
  app.get(
    '/ws',
    {
      websocket: true,
      preValidation: (request, reply, done) => {
        responses.set(request.raw, reply.raw);
        if (isAllowedOrigin(request, options.allowedOrigins)) done();
        else
          done(
            new DepthwireError(
              'origin_not_allowed',
              `pages of ${request.headers.origin} may not connect: add the origin to allowedOrigins`,
            ),
          );
      },
    },
    (socket, request) => {
      const stream = request.raw.socket;
      const offered = request.headers['sec-websocket-protocol'] !== undefined;
      // What the plug-in and Node leave on the connection would hold request and response for its whole
      // life, a fifth of a client's memory.
      socket.removeAllListeners('error');
      responses.get(request.raw)?.detachSocket(stream);
      socket.on('error', (error) => options.gateway.onError(socket, error));
      options.gateway.accept(socket, stream, offered);
    },
  );
  registerRoutes(app, options);

  if (options.web !== undefined) {
    if (!existsSync(index!)) {
      throw new DepthwireError(
        'invalid_config',
        `web: ${options.web} holds no index.html: build the dashboard first (npm run build)`,
        { key: 'web' },
      );
    }
    await app.register(fastifyStatic, {
      root: options.web,
      extensions: ['html'],
      cacheControl: false,
      setHeaders(reply, path) {
        const isHashed = path.includes('/_app/immutable/');
        reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
        // Pages of other origins import the SDK; whether they may connect, `allowedOrigins` says.
        if (path.startsWith(join(options.web!, 'sdk'))) {
          reply.header('access-control-allow-origin', '*');
          reply.header('cross-origin-resource-policy', 'cross-origin');
        }
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    sendError(
      reply,
      new DepthwireError('not_found', `there is no ${request.method} ${request.url.split('?')[0]}`),
    );
  });
  return app;
}

function sendError(reply: FastifyReply, error: unknown): void {
  const isFastify = error instanceof Error && !(error instanceof DepthwireError) && 'statusCode' in error;
  const status = isFastify ? Number(error.statusCode) : undefined;
  const typed =
    isFastify && status! >= 400 && status! < 500
      ? new DepthwireError(status === 404 ? 'not_found' : 'invalid_request', error.message)
      : toDepthwireError(error);
  const code = status ?? statusOf[typed.code] ?? 500;
  if (code >= 500) reply.log.error({ err: error }, 'request failed');
  const message =
    code >= 500 && typed.code === 'internal' ? 'the server failed; its log says why' : typed.message;
  void reply.code(code).send({ error: { code: typed.code, message, retry: typed.retry } });
}

/** Same-origin pages, listed origins, and clients that are no browser. */
function isAllowedOrigin({ headers }: FastifyRequest, allowed: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  return URL.parse(origin)?.host === host || allowed.includes(origin);
}

/** SvelteKit starts each page by an inline script, which the policy must name by its hash. */
function inlineScriptHashes(folder: string): string[] {
  const pages = readdirSync(folder).filter((name) => name.endsWith('.html'));
  const scripts = pages.flatMap((name) => [
    ...readFileSync(join(folder, name), 'utf8').matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g),
  ]);
  return scripts.map(([, code]) => `'sha256-${createHash('sha256').update(code!).digest('base64')}'`);
}
