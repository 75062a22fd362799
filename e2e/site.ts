import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A site of somebody else: an unrelated server of plain files, on an origin of its own. */
export interface Site {
  readonly origin: string;
  /** By path: the body of a document, and the policy that it comes with. */
  put(path: string, html: string, policy?: string): string;
  close(): Promise<void>;
}

export async function startSite(): Promise<Site> {
  const pages = new Map<string, { readonly html: string; readonly policy: string | undefined }>();
  const server = createServer((request, response) => {
    const page = pages.get(request.url!.split('?')[0]!);
    if (!page) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', 'text/html; charset=utf-8');
    if (page.policy !== undefined) response.setHeader('content-security-policy', page.policy);
    response.end(page.html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    put(path, html, policy) {
      pages.set(path, {
        html: `<!doctype html><html lang="en"><meta charset="utf-8"><title>A site</title>\n${html}`,
        policy,
      });
      return origin + path;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
