import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { codecs, type ClientRequest } from '@depthwire/shared';
import { WebSocket, WebSocketServer } from 'ws';

/** Returns what the page gets in place of a message of the server; null for nothing. */
export type Rewrite = (message: Buffer) => Buffer | null;

export interface Proxy {
  readonly url: string;
  /** What the page asked the server for on its sockets. */
  readonly requests: readonly ClientRequest[];
  close(): Promise<void>;
}

/**
 * Stands between a page and its server, and changes what the server streams: the page's sockets are in a worker,
 * which Playwright's `routeWebSocket` does not reach.
 */
export async function startProxy(target: string, rewrite: Rewrite): Promise<Proxy> {
  const requests: ClientRequest[] = [];
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, answer) => {
    const { url: path, method, headers } = incoming;
    const forwarded = request({ hostname, port, path, method, headers }, (response) => {
      answer.writeHead(response.statusCode!, response.headers);
      response.pipe(answer);
    });
    forwarded.on('error', () => answer.destroy());
    incoming.pipe(forwarded);
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: ([first]) => first ?? false });
  server.on('upgrade', (incoming, socket, head) => {
    sockets.handleUpgrade(incoming, socket, head, (page) => {
      const { host, origin } = incoming.headers;
      const upstream = new WebSocket(`ws://${hostname}:${port}${incoming.url}`, page.protocol, {
        headers: { host, origin },
      });
      const waiting: Buffer[] = [];
      page.on('message', (data: Buffer) => {
        requests.push(codecs.msgpack.decode(data) as ClientRequest);
        if (upstream.readyState === WebSocket.OPEN) upstream.send(data);
        else waiting.push(data);
      });
      upstream.on('open', () => waiting.forEach((data) => upstream.send(data)));
      upstream.on('message', (data: Buffer) => {
        const rewritten = rewrite(data);
        if (rewritten) page.send(rewritten);
      });
      upstream.on('close', () => page.terminate());
      upstream.on('error', () => page.terminate());
      page.on('close', () => upstream.terminate());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
