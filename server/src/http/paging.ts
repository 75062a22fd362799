import { DepthwireError } from '@depthwire/shared';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CREDENTIALS } from './guard.ts';

// Lists come in pages. `next` is where the following one is, for the client to ask as it stands; what a cursor
// holds is nobody's business but ours.

/** `next` of every list. */
export const nextLink = z
  .string()
  .nullable()
  .describe('Path and query of the next page, as the header `Link` has it; null where there is none.');

export const cursorParameter = z
  .string({ error: 'expected one cursor, from the `next` of an answer' })
  .optional()
  .describe('Where to go on; from the `next` of an answer.');

export type Cursor = readonly (string | number)[];

export function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/**
 * @param shape what the cursors of this list hold
 * @throws DepthwireError `invalid_request`
 */
export function readCursor<Shape extends z.ZodType<Cursor>>(text: string, shape: Shape): z.output<Shape> {
  try {
    return shape.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch (error) {
    throw new DepthwireError(
      'invalid_request',
      `cursor: expected one from the \`next\` of an answer, got ${JSON.stringify(text.slice(0, 60))}`,
      { field: 'cursor' },
      error,
    );
  }
}

/** The same request with other parameters. */
export function linkTo({ url }: FastifyRequest, parameters: Readonly<Record<string, string>>): string {
  const [path, query] = url.split('?', 2);
  const search = new URLSearchParams(query);
  for (const name of CREDENTIALS) search.delete(name); // it is asked for anew
  for (const [name, value] of Object.entries(parameters)) search.set(name, value);
  return `${path}?${search}`;
}

/** Says in a header too where the next page is. */
export function linkNext(reply: FastifyReply, next: string | null): void {
  if (next !== null) reply.header('link', `<${next}>; rel="next"`);
}
