import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A site of somebody else: an unrelated server of plain files, on an origin of its own. */
export interface Site {
  readonly origin: string;
  /** By path: the body of a document, and the policy that it comes with. */
  put(path: string, html: string, policy?: string): string;
  /** A file as it is. */
  putFile(path: string, body: string | Buffer, type?: string): string;
  close(): Promise<void>;
}

export async function startSite(): Promise<Site> {
  const files = new Map<
    string,
    { readonly body: string | Buffer; readonly type: string; readonly policy?: string }
  >();
  const server = createServer((request, response) => {
    const file = files.get(request.url!.split('?')[0]!);
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', `${file.type}; charset=utf-8`);
    if (file.policy !== undefined) response.setHeader('content-security-policy', file.policy);
    response.end(file.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    put(path, html, policy) {
      files.set(path, {
        body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>A site</title>\n${html}`,
        ...{ type: 'text/html', policy },
      });
      return origin + path;
    },
    putFile(path, body, type = 'text/html') {
      files.set(path, { body, type });
      return origin + path;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // A browser keeps some open, and asked nothing on others yet.
        server.closeAllConnections();
      }),
  };
}
