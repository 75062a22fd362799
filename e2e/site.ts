import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A site of somebody else: an unrelated server of plain files, on an origin of its own. */
export interface Site {
  readonly origin: string;
  /** By path: the body of a document, and the policy that it comes with. */
  put(path: string, html: string, policy?: string): string;
  /** By path: a script. */
  script(path: string, code: string): void;
  close(): Promise<void>;
}

interface Page {
  readonly type: string;
  readonly body: string;
  readonly policy?: string | undefined;
}

export async function startSite(): Promise<Site> {
  const pages = new Map<string, Page>();
  const server = createServer((request, response) => {
    const page = pages.get(request.url!.split('?')[0]!);
    if (!page) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', page.type);
    if (page.policy !== undefined) response.setHeader('content-security-policy', page.policy);
    response.end(page.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    put(path, html, policy) {
      const body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>A site</title>\n${html}`;
      pages.set(path, { type: 'text/html; charset=utf-8', body, policy });
      return origin + path;
    },
    script(path, code) {
      pages.set(path, { type: 'text/javascript', body: code });
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
