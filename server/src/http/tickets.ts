import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import type { Access } from '../access/access.ts';
import { ticketAnswer } from './answers.ts';
import { principalOf } from './guard.ts';

const schema = {
  operationId: 'createTicket',
  tags: ['Server'],
  summary: 'A ticket, to connect with where no header can be sent',
  description:
    'For `/ws?ticket=…` and `/api/v1/stream?ticket=…`: good once, for 30 seconds, and for pages of the origin that asked.',
  response: { 201: ticketAnswer },
};

/** Tickets for browsers, which send no header with a WebSocket or an event stream. */
export function registerTickets(root: FastifyInstance, { access }: { readonly access: Access }): void {
  root.withTypeProvider<ZodTypeProvider>().post('/api/v1/tickets', { schema }, (request, reply) => {
    void reply.code(201);
    return access.tickets.issue(principalOf(request), request.headers.origin);
  });
}
