import type { FastifyInstance } from 'fastify';
import type { Access } from '../access/access.ts';
import { principalOf } from './guard.ts';

/** Tickets for browsers, which send no header with a WebSocket or an event stream. */
export function registerTickets(app: FastifyInstance, access: Access): void {
  app.post('/api/v1/tickets', (request, reply) =>
    reply
      .code(201)
      .header('cache-control', 'no-store')
      .send(access.tickets.issue(principalOf(request), request.headers.origin)),
  );
}
