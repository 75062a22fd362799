import { DepthwireError } from '@depthwire/shared';
import type {
  FastifyContextConfig,
  FastifyInstance,
  FastifySchemaCompiler,
  FastifySerializerCompiler,
} from 'fastify';
import { z } from 'zod';
import { either } from '../config/schema.ts';
import { CREDENTIALS } from './guard.ts';

/** Of a wrong value, in a message. */
const MAX_SHOWN_CHARS = 80;

/** An integer as the text of a query holds it: digits and nothing else. */
export function integer(min: number, max: number) {
  const error = `expected an integer from ${min} to ${max}`;
  const read = (value: unknown) =>
    typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return z.preprocess(read, z.int({ error }).min(min, { error }).max(max, { error }));
}

/** A text that stands once in the query. */
export function word(example: string) {
  const error = `expected a text such as ${example}`;
  return z.string({ error }).min(1, { error }).max(256, { error });
}

/**
 * Whether a route refuses parameters that it does not have. Probes and documents do not: they have none that could be
 * misspelt, and balancers and browsers add some of their own.
 */
export function refusesUnknownParameters({ access }: FastifyContextConfig = {}): boolean {
  return access !== 'all' && access !== 'later';
}

/** Refuses a query with a parameter that the route does not have: a misspelt one would otherwise be left out in silence. */
export function registerKnownParameters(app: FastifyInstance): void {
  app.addHook('preValidation', ({ query, routeOptions: { schema, config } }, _reply, done) => {
    if (schema?.operationId === undefined) return done(); // a page, or one that reads its query itself
    if (!refusesUnknownParameters(config)) return done();
    const known = schema.querystring instanceof z.ZodObject ? Object.keys(schema.querystring.shape) : [];
    const wrong = Object.keys(query as object).find(
      (name) => !known.includes(name) && !(CREDENTIALS as readonly string[]).includes(name),
    );
    done(wrong === undefined ? undefined : unknownParameter(wrong, known));
  });
}

export function unknownParameter(name: string, known: readonly string[]): DepthwireError {
  const expected = known.length === 0 ? 'no parameters here' : either(known);
  return new DepthwireError('invalid_request', `${name.slice(0, MAX_SHOWN_CHARS)}: expected ${expected}`, {
    field: name,
  });
}

/** Parameters by their zod schemas; the first wrong one is told with what it expects. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (data) => {
    const { success, data: value, error } = schema.safeParse(data);
    return success ? { value } : { error: invalidRequest(error, data) };
  };

/** The compiler holds answers to their schemas, and so do tests; checking each would cost more than writing it. */
export const serializerCompiler: FastifySerializerCompiler<z.ZodType> = () => (data) => JSON.stringify(data);

function invalidRequest({ issues }: z.ZodError, data: unknown): DepthwireError {
  const { path, message } = issues[0]!;
  const [field] = path;
  const got = field === undefined ? data : (data as Record<PropertyKey, unknown> | undefined)?.[field];
  const shown = (JSON.stringify(got) ?? 'nothing').slice(0, MAX_SHOWN_CHARS);
  return new DepthwireError(
    'invalid_request',
    `${field === undefined ? '' : `${String(field)}: `}${message}, got ${shown}`,
    { field: field === undefined ? null : String(field) },
  );
}
