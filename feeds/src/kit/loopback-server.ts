import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

export interface LoopbackOptions {
  /** Default: a free one. */
  readonly port?: number;
  onRequest(url: URL, response: ServerResponse, request: IncomingMessage): void;
  onSocket(socket: WebSocket, url: URL): void;
  /** Whether one who connects is let in; the others are refused with 503. Default: everybody is. */
  accepts?(): boolean;
}

/** An HTTP and WebSocket server on the loopback interface. */
export interface LoopbackServer {
  /** `http://127.0.0.1:PORT` */
  readonly rest: string;
  /** `ws://127.0.0.1:PORT` */
  readonly ws: string;
  /** Sockets open now. */
  readonly sockets: ReadonlySet<WebSocket>;
  /** Cuts every socket off without a close frame. */
  disconnectAll(): void;
  close(): Promise<void>;
}

export async function startLoopbackServer(options: LoopbackOptions): Promise<LoopbackServer> {
  const sockets = new Set<WebSocket>();
  const http = createServer((request, response) => options.onRequest(urlOf(request), response, request));
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: false,
    verifyClient: (_info, done) => done(options.accepts?.() ?? true, 503),
  });
  server.on('connection', (socket, request) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.terminate());
    options.onSocket(socket, urlOf(request));
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const host = `127.0.0.1:${(http.address() as AddressInfo).port}`;
  const disconnectAll = () => {
    for (const socket of sockets) socket.terminate();
  };
  return {
    rest: `http://${host}`,
    ws: `ws://${host}`,
    sockets,
    disconnectAll,
    async close() {
      disconnectAll();
      server.close();
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'http://127.0.0.1');
}

export function respondJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json;charset=UTF-8', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
