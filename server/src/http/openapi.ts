import { createJsonSchemaTransform, createJsonSchemaTransformObject } from '@fastify/type-provider-zod';
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { errorCatalogue, type ErrorCode } from '@depthwire/shared';
import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import { forReaders } from '../protocol/json-schema.ts';
import type { errorAnswer } from './answers.ts';
import { isRevalidated } from './caching.ts';
import { statusOf } from './statuses.ts';

declare module 'fastify' {
  interface FastifySchema {
    /** What the route refuses requests with, but for wrong parameters, which its schemas tell. */
    errors?: readonly ErrorCode[];
  }
}

/** What any route can meet. */
const everywhere: readonly ErrorCode[] = ['internal'];

const description = `
Live books, trades and candles as they stand, for what needs no stream; the stream itself is a WebSocket, described by
\`docs/protocol.md\` and [asyncapi.json](/api/v1/asyncapi.json).

- **Numbers.** Prices and sizes are decimal text, exact to the tick and lot of the instrument.
- **Times** are unix milliseconds, those of candles unix seconds, by the market clock: the present, or the recorded time of a
  replay.
- **Pages.** A list has \`next\`, path and query of the next page or null, and a header \`Link\`. Pages neither repeat nor leave
  out anything while new data arrive.
- **Caching.** Answers that can be asked for again have an \`ETag\`; send it as \`If-None-Match\` and get 304 without a body where
  nothing changed.
- **Errors** have a stable code, and say whether a retry can help.
`.trim();

const override = { zodToJsonConfig: { override: forReaders } };
const transformRoute = createJsonSchemaTransform({ ...override, skipList: [] });
const transformComponents = createJsonSchemaTransformObject(override);

type JsonSchema = Readonly<Record<string, unknown>>;

const json = (schema: JsonSchema, examples?: object) => ({ 'application/json': { schema, ...examples } });
const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** Options of `@fastify/swagger`: the document is made of the schemas of the routes. */
export function openApi(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Depthwire REST API',
        version,
        description,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'Where this document came from' }],
      tags: [
        { name: 'Instruments', description: 'What there is' },
        { name: 'Market data', description: 'Books, trades and candles of one instrument' },
        { name: 'Server', description: 'How the server and its feeds do' },
        { name: 'Documents', description: 'What all of this is, for programs' },
      ],
    },
    transform(route) {
      const { schema, url } = transformRoute(route);
      // Without a schema, as of pages and preflights, it is no part of the API.
      if (!route.schema?.operationId || !schema) return { schema: { hide: true }, url };
      const {
        errors = [],
        response,
        ...rest
      } = schema as Record<string, unknown> & {
        errors?: readonly ErrorCode[];
        response?: Record<string, JsonSchema>;
      };
      const hasParameters = Boolean(route.schema.querystring ?? route.schema.params);
      const codes = [...(hasParameters ? (['invalid_request'] as const) : []), ...errors, ...everywhere];
      return {
        url,
        schema: {
          ...rest,
          response: { ...answersOf(response ?? {}, isPaged(route.schema)), ...refusals(codes) },
        },
      };
    },
    transformObject(document) {
      const object = transformComponents(document) as { components: { schemas: Record<string, object> } };
      const schemas = Object.entries(object.components.schemas);
      // No request has a body: what is written for input is what is written for output.
      object.components.schemas = Object.fromEntries(schemas.filter(([name]) => !name.endsWith('Input')));
      return object as ReturnType<NonNullable<FastifyDynamicSwaggerOptions['transformObject']>>;
    },
  };
}

function isPaged({ response }: FastifySchema): boolean {
  const answer = (response as Readonly<Record<string, unknown>> | undefined)?.['200'];
  return answer instanceof z.ZodObject && 'next' in answer.shape;
}

function answersOf(response: Readonly<Record<string, JsonSchema>>, isPaged: boolean): Record<string, object> {
  const caches = isRevalidated(response);
  const entries = Object.entries(response).map(([status, schema]): [string, object] => {
    if (status === '304') return [status, { type: 'null', ...schema, headers: cacheHeaders }];
    const headers = { ...(caches ? cacheHeaders : null), ...(isPaged ? { Link: linkHeader } : null) };
    const description = status === '503' ? 'Not ready: it is starting or stopping.' : 'As asked for.';
    return [status, { description, headers, content: json(schema) }];
  });
  return Object.fromEntries(entries);
}

const cacheHeaders = {
  ETag: { type: 'string', description: 'Names what was answered, for `If-None-Match`' },
  'Cache-Control': { type: 'string', description: 'Keep it, but ask again before using it' },
};
const linkHeader = { type: 'string', description: 'The next page, `rel="next"`, where there is one' };

/** Errors by their status, each with the codes that it can have. */
function refusals(codes: readonly ErrorCode[]): Record<string, object> {
  const byStatus = Map.groupBy(codes, (code) => statusOf[code] ?? 500);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => {
      const description = group.map((code) => `\`${code}\`: ${errorCatalogue[code].meaning}`).join('\n\n');
      const examples = Object.fromEntries(group.map((code) => [code, { value: exampleOf(code) }]));
      return [String(status), { description, content: json(reference('Error'), { examples }) }];
    }),
  );
}

function exampleOf(code: ErrorCode): z.output<typeof errorAnswer> {
  const { meaning, retry } = errorCatalogue[code];
  return { error: { code, message: meaning, retry } };
}
