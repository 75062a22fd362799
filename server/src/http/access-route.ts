import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { accessAnswer } from './answers.ts';
import { principalOf } from './guard.ts';

const schema = {
  operationId: 'getAccess',
  tags: ['Server'],
  summary: 'Who you are here, and what you may read',
  description:
    'Also for pages that may not connect: they learn why, which a browser does not tell them of a refused WebSocket.',
  response: { 200: accessAnswer },
};

/** What a caller may do, told to pages of any origin: it says nothing of the market. */
export function registerAccessRoute(root: FastifyInstance): void {
  const config = { cors: { origin: '*' as const } };
  root.withTypeProvider<ZodTypeProvider>().get('/api/v1/access', { schema, config }, (request) => {
    const { id, grants, expiresMs } = principalOf(request);
    const { instruments, topics, maxDepth = null, minCadenceMs, operate } = grants;
    return {
      principal: id,
      expires: expiresMs,
      ...{ instruments: [...instruments], topics: [...topics], maxDepth, minCadenceMs, operate },
    };
  });
}
