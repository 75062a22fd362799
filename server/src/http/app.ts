import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import fastifyHelmet from '@fastify/helmet';
import fastifyWebsocket from '@fastify/websocket';
import { DepthwireError, encodingOf, toDepthwireError } from '@depthwire/shared';
import Fastify, {
  type ConnectionError,
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Gateway } from '../gateway/gateway.ts';
import { registerApi } from './api.ts';
import { registerCors } from './cors.ts';
import { limitSockets } from './sockets.ts';
import { callerOf, registerGuard, type GuardOptions } from './guard.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { createRequestObserver, observeRequests, requestIdOf } from './observe.ts';
import type { RoutesOptions } from './routes.ts';
import { statusOf } from './statuses.ts';
import { tlsOptions, type Certificate } from './tls.ts';
import { MISSING_PAGE, WebFolder } from './web.ts';

/** Largest body of a request: none of them needs one. */
const MAX_BODY_BYTES = 16_384;
/** How long a request may take to arrive, in times of its headers. */
const REQUEST_FACTOR = 2;
/** Longest that a connection may do nothing between two requests, above what proxies keep theirs for. */
const KEEP_ALIVE_MS = 75_000;
/** Sockets beyond those of clients: requests, and those that have said nothing yet. */
const SPARE_SOCKETS = 1_000;
/** After so long without a byte either way a socket ends that is no WebSocket and no stream. */
const IDLE_SOCKET_MS = 80_000;
/** For somebody to read why it was refused before anything could be read of it. */
const UNREAD_MS = 1_000;
/** How often it is looked for requests that take too long to arrive. */
const CHECK_MS = 1_000;
/** Of the style element in the logo of lightweight-charts. What browsers say of either of them fails a test. */
const LOGO_STYLE = "'sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY='";
/** Of the style attribute by which SvelteKit hides the line that tells screen readers of a new page. */
const ANNOUNCER_STYLE = "'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='";
/** Of what bits-ui wraps the items of a list in. */
const CONTENTS_STYLE = "'sha256-iaOezIDcQIoxCULa6FBKKuLUu09R7kG+Mlu+JVfU3Rw='";
/** Where the file server says of an address that there is nothing, or that it is none: `//`, `/../`. */
const NOWHERE_STATUSES: readonly unknown[] = [400, 403, 404];
/** What only programs ask for; to be told in JSON that it is not there. */
const PROGRAM_PATHS = /^\/(?:(?:api|ws|metrics|sdk|_app)\b|widgets(?:\.js\b|\/.))/;
/** By what Node calls it. */
const unreadable: Partial<Record<string, readonly [status: string, why: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not arrive in time'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'headers: expected less than 16 kB'],
};

export interface AppOptions extends RoutesOptions, GuardOptions {
  readonly gateway: Gateway;
  /** Null for plain HTTP. */
  readonly certificate: Certificate | null;
  readonly trustedProxies: readonly string[];
  readonly headersTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Whether browsers are to come by TLS only from now on. */
  readonly isStrictTransport: boolean;
  readonly logger: FastifyBaseLogger;
  /** Folder of the built dashboard. */
  readonly web?: string;
  readonly maxMessageBytes: number;
  /** What `/metrics` tells; without it there is none. */
  readonly metrics: Metrics | null;
}

/** The HTTP application, apart from the process: tests reach it by `inject` and on a free port. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const web = options.web === undefined ? null : new WebFolder(options.web);
  const hasMissingPage = web?.hasMissingPage ?? false;
  const observer = createRequestObserver(options.metrics, options.steadyClock);
  const app = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    routerOptions: { maxParamLength: 128 },
    forceCloseConnections: true,
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_FACTOR * options.headersTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionTimeout: IDLE_SOCKET_MS,
    clientErrorHandler: refuseUnread,
    ...serverOptions(options),
    // A path that cannot be read: Fastify runs no hooks for it.
    frameworkErrors: (error, request, reply) => {
      observer.begin(request as FastifyRequest, reply as FastifyReply);
      if (hasMissingPage && asksForPage(request as FastifyRequest)) reply.redirect(readable(request.url));
      else sendError(reply as FastifyReply, error);
      observer.end(request as FastifyRequest, reply as FastifyReply);
    },
  });
  app.server.maxConnections = options.maxConnections + SPARE_SOCKETS;
  limitSockets(app.server, options);

  app.setErrorHandler((error, request, reply) =>
    hasMissingPage && isNowhere(error) && asksForPage(request)
      ? reply.code(404).sendFile(MISSING_PAGE)
      : sendError(reply, error),
  );
  observeRequests(app, observer);
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'self'"],
        'script-src': ["'self'", ...(web?.inlineScriptHashes() ?? [])],
        'style-src': ["'self'", LOGO_STYLE],
        'style-src-attr': ["'unsafe-hashes'", ANNOUNCER_STYLE, CONTENTS_STYLE],
        'img-src': ["'self'", 'data:'],
        'connect-src': ["'self'"],
        'object-src': ["'none'"],
        'base-uri': ["'none'"],
        'frame-ancestors': ["'none'"],
        'form-action': ["'self'"],
      },
    },
    frameguard: { action: 'deny' },
    // Elsewhere TLS ends before this process, or browsers shall forget that it was there.
    strictTransportSecurity: options.isStrictTransport,
  });
  await registerCors(app, options.access);
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
  registerGuard(app, options);

  if (!options.servesOperatorsOnly) registerSocket(app, options);
  await registerApi(app, options);
  const { metrics } = options;
  if (metrics !== null)
    app.get('/metrics', { config: { access: 'operate' } }, async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.scrape()),
    );

  if (!options.servesOperatorsOnly) await web?.register(app, options.access);
  app.setNotFoundHandler((request, reply) => {
    if (hasMissingPage && asksForPage(request)) return reply.code(404).sendFile(MISSING_PAGE);
    return sendError(
      reply,
      new DepthwireError('not_found', `there is no ${request.method} ${request.url.split('?')[0]}`),
    );
  });
  return app;
}

/** Where clients connect by WebSocket. */
function registerSocket(app: FastifyInstance, { gateway }: AppOptions): void {
  const responses = new WeakMap<IncomingMessage, ServerResponse>();
  app.get(
    '/ws',
    {
      websocket: true,
      config: { access: 'later' },
      preValidation: (request, reply, done) => {
        responses.set(request.raw, reply.raw);
        done();
      },
    },
    (socket, request) => {
      const stream = request.raw.socket;
      const offered = request.headers['sec-websocket-protocol'] !== undefined;
      // What the plug-in and Node leave on the connection would hold request and response for its whole
      // life, a fifth of a client's memory.
      socket.removeAllListeners('error');
      responses.get(request.raw)?.detachSocket(stream);
      socket.on('error', (error) => gateway.onError(socket, error));
      const peer = { requestId: request.id, ...callerOf(request) };
      gateway.accept(socket, stream, offered, peer, request.principal);
    },
  );
}

/** Whether somebody in a browser went to an address, and is to be told in words, not a program. */
function asksForPage({ method, url, headers }: FastifyRequest): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  return Boolean(headers.accept?.includes('text/html')) && !PROGRAM_PATHS.test(url);
}

/** Whether it is the address that is wrong, and it is not our own that says so. */
function isNowhere(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof DepthwireError || !('statusCode' in error)) return false;
  return NOWHERE_STATUSES.includes(error.statusCode);
}

/**
 * An address that cannot be read, so that it can: the page that it leads to has to read it too. Of this server alone, whatever
 * it begins with.
 */
function readable(url: string): string {
  return url
    .split('?')[0]!
    .replaceAll('%', '%25')
    .replace(/^[\\/]+/, '/');
}

function sendError(reply: FastifyReply, error: unknown): void {
  const isFastify = error instanceof Error && !(error instanceof DepthwireError) && 'statusCode' in error;
  const status = isFastify ? Number(error.statusCode) : undefined;
  const typed =
    isFastify && status! >= 400 && status! < 500
      ? new DepthwireError(status === 404 ? 'not_found' : 'invalid_request', error.message)
      : toDepthwireError(error);
  const code = status ?? statusOf[typed.code] ?? 500;
  if (code === 401) void reply.header('www-authenticate', 'Bearer');
  // What is refused for want of room is no failure.
  if (code >= 500 && typed.code !== 'unavailable') reply.log.error({ err: error }, 'request failed');
  const message =
    code >= 500 && typed.code === 'internal' ? 'the server failed; its log says why' : typed.message;
  void reply.code(code).send(errorBody(typed, message));
}

function errorBody({ code, retry, message: own }: DepthwireError, message = own) {
  return { error: { code, message, retry } };
}

/** What is no request that could be read. */
function refuseUnread(error: ConnectionError, socket: Socket): void {
  // On a connection that never came to speak TLS nothing can be written.
  if (error.code === 'ECONNRESET' || /^ERR_(TLS|SSL)_/.test(error.code)) socket.destroy();
  if (socket.destroyed) return;
  const [status, why] = unreadable[error.code] ?? ['400 Bad Request', 'the request is not HTTP'];
  const body = JSON.stringify(errorBody(new DepthwireError('invalid_request', why)));
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  if (socket.writable) socket.write(`${head}\r\n\r\n${body}`);
  socket.destroySoon();
  socket.setTimeout(UNREAD_MS, () => socket.destroy());
}

/** With limits for whoever opens sockets and says little on them, or nothing. */
function serverOptions({ certificate, headersTimeoutMs }: AppOptions): { http: ServerOptions } {
  const limits = { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: CHECK_MS };
  if (certificate === null) return { http: limits };
  // For what is done with it here, a server that speaks TLS is one like any other.
  return { https: { ...limits, ...tlsOptions(certificate, headersTimeoutMs) } } as unknown as {
    http: ServerOptions;
  };
}
