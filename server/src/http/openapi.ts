import { createJsonSchemaTransform, createJsonSchemaTransformObject } from '@fastify/type-provider-zod';
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { errorCatalogue, type ErrorCode } from '@depthwire/shared';
import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import { forReaders } from '../protocol/json-schema.ts';
import type { errorAnswer } from './answers.ts';
import { isRevalidated } from './caching.ts';
import { refusesUnknownParameters } from './schema-parts.ts';
import { statusOf } from './statuses.ts';

declare module 'fastify' {
  interface FastifySchema {
    /** What the route refuses requests with, beside wrong parameters and what any can. */
    errors?: readonly ErrorCode[];
  }
}

/** What any route can meet. */
const everywhere: readonly ErrorCode[] = ['rate_limited', 'internal'];
/** What one can that looks at who asks. */
const guarded: readonly ErrorCode[] = ['unauthenticated', 'forbidden', 'origin_not_allowed'];

const description = `
Live books, trades and candles as they stand, for what needs no stream; the stream itself is a WebSocket, or server-sent events
at \`/api/v1/stream\` with the same messages, which \`docs/protocol.md\` and [asyncapi.json](/api/v1/asyncapi.json) describe.

- **Numbers.** Prices and sizes are decimal text, exact to the tick and lot of the instrument.
- **Times** are unix milliseconds, those of candles unix seconds, by the market clock: the present, or the recorded time of a
  replay.
- **Pages.** A list has \`next\`, path and query of the next page or null, and a header \`Link\`. Pages neither repeat nor leave
  out anything while new data arrive.
- **Caching.** Answers that can be asked for again have an \`ETag\`; send it as \`If-None-Match\` and get 304 without a body where
  nothing changed.
- **Errors** have a stable code, and say whether a retry can help.
- **Open sets.** Error codes and the words of an instrument may be joined by others: their schemas list those known now, beside
  any text (\`anyOf\`, which validators and generators of code both take). Parameters are closed, and a query with one that is
  not listed is refused, but for probes and documents.
`.trim();

const override = { zodToJsonConfig: { override: forReaders } };
const transformRoute = createJsonSchemaTransform({ ...override, skipList: [] });
const transformComponents = createJsonSchemaTransformObject(override);

type JsonSchema = Readonly<Record<string, unknown>>;

const JSON_TYPE = 'application/json';
const anError = { $ref: '#/components/schemas/Error' };

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
      security: [{}, { bearer: [] }, { key: [] }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'A secret key or a JSON Web Token' },
          key: { type: 'apiKey', in: 'query', name: 'key', description: 'A publishable key' },
          ticket: {
            type: 'apiKey',
            in: 'query',
            name: 'ticket',
            description: 'Of `createTicket`, good once',
          },
        },
      },
      tags: [
        { name: 'Instruments', description: 'What there is' },
        { name: 'Market data', description: 'Books, trades and candles of one instrument' },
        { name: 'Server', description: 'How the server and its feeds do' },
        { name: 'Documents', description: 'What all of this is, for programs' },
      ],
    },
    transform(route) {
      const { schema, url } = transformRoute(route);
      // Without a name, as pages and preflights are, it is no part of the API.
      if (!route.schema?.operationId || !schema) return { schema: { hide: true }, url };
      const { errors = [], response = {}, ...rest } = schema as RouteSchema;
      const codes = new Set([
        ...(refusesUnknownParameters(route.route.config) ? (['invalid_request'] as const) : []),
        ...errors,
        ...(route.route.config?.access === 'all' ? [] : guarded),
        ...everywhere,
      ]);
      const answers = answersOf(response, rest, isPaged(route.schema));
      return { url, schema: { ...rest, response: { ...refusals([...codes]), ...answers } } };
    },
    transformObject(document) {
      const object = transformComponents(document) as Document;
      object.components.schemas = used(object.components.schemas, object.paths);
      return object as ReturnType<NonNullable<FastifyDynamicSwaggerOptions['transformObject']>>;
    },
  };
}

type RouteSchema = FastifySchema & { readonly response?: Readonly<Record<string, JsonSchema>> };

interface Document {
  readonly paths: object;
  readonly components: { schemas: Record<string, object> };
}

/** Those that something refers to, by whatever ways; each is also there as it is in a request. */
function used(schemas: Readonly<Record<string, object>>, from: object): Record<string, object> {
  const found = new Set<string>();
  const follow = (node: object) => {
    for (const [, name] of JSON.stringify(node).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (found.has(name!)) continue;
      found.add(name!);
      follow(schemas[name!] ?? {});
    }
  };
  follow(from);
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => found.has(name)));
}

function isPaged({ response }: FastifySchema): boolean {
  const answer = (response as Readonly<Record<string, unknown>> | undefined)?.['200'];
  return answer instanceof z.ZodObject && 'next' in answer.shape;
}

function answersOf(
  response: Readonly<Record<string, JsonSchema>>,
  { summary = 'As asked for', produces: [type = JSON_TYPE] = [] }: FastifySchema,
  isPaged: boolean,
): Record<string, object> {
  const caches = isRevalidated(response);
  const headers = { ...(caches ? cacheHeaders : null), ...(isPaged ? { Link: linkHeader } : null) };
  const entries = Object.entries(response).map(([status, schema]): [string, object] => {
    if (status === '304') return [status, { type: 'null', ...schema, headers: cacheHeaders }];
    const description = status === '503' ? 'Not ready: it is starting or stopping' : summary;
    return [status, { description, headers, content: { [type]: { schema } } }];
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
      return [String(status), { description, content: { [JSON_TYPE]: { schema: anError, examples } } }];
    }),
  );
}

function exampleOf(code: ErrorCode): z.output<typeof errorAnswer> {
  const { meaning, retry } = errorCatalogue[code];
  return { error: { code, message: meaning, retry } };
}
