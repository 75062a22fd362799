import { DepthwireError } from '@depthwire/shared';
import { m } from '../paraglide/messages.js';
import { readFile, writeFile, type WorkspaceData } from './model.ts';

/** In the fragment of a link, which no server sees. */
const KEY = 'workspace';
/** Longest text that a link may unpack to. */
const MAX_CHARS = 200_000;

/**
 * A link that opens the workspace on this very server.
 * @throws DepthwireError `invalid_request` where it is too much for a link
 */
export async function linkTo(data: WorkspaceData, base: string): Promise<string> {
  const text = writeFile(data);
  if (text.length > MAX_CHARS)
    throw new DepthwireError('invalid_request', m.workspace_too_much({ most: MAX_CHARS }));
  const url = new URL(base);
  url.search = '';
  url.hash = `${KEY}=${toBase64Url(await through(new CompressionStream('deflate-raw'), text))}`;
  return url.href;
}

/**
 * The workspace in the fragment of this page's address; null where there is none.
 * @throws DepthwireError `invalid_request`
 */
export async function workspaceIn(hash: string): Promise<WorkspaceData | null> {
  const packed = new URLSearchParams(hash.replace(/^#/, '')).get(KEY);
  if (packed === null) return null;
  return readFile(await unpack(packed));
}

async function unpack(packed: string): Promise<string> {
  const stream = new Blob([fromBase64Url(packed)])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'));
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const part of stream as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(part, { stream: true });
      // A few letters may stand for a great many.
      if (text.length > MAX_CHARS) throw new Error(m.workspace_link_long({ most: MAX_CHARS }));
    }
  } catch (error) {
    const problem = (error as Error).message;
    throw new DepthwireError('invalid_request', m.workspace_link_bad({ problem }));
  }
  return text;
}

async function through(stream: CompressionStream, text: string): Promise<Uint8Array> {
  const out = new Blob([text]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(out).arrayBuffer());
}

function toBase64Url(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
  } catch {
    throw new DepthwireError('invalid_request', m.workspace_link_cut());
  }
}
