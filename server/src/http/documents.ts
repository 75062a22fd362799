import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { asyncApi } from '../protocol/asyncapi.ts';
import { revalidated } from './caching.ts';
import { openApi } from './openapi.ts';

const anyDocument = z.record(z.string(), z.unknown());

/** The OpenAPI document of all routes that follow, and a page to try them at `/api/docs`. */
export async function registerDocuments(app: FastifyInstance, version: string): Promise<void> {
  // They tell what there is, and nothing of what is in it.
  app.addHook('onRoute', (route) => {
    const isDocument = /^\/api\/(docs|v1\/(openapi|asyncapi)\.json)/.test(route.url);
    if (isDocument) route.config = { ...route.config, access: 'all' };
  });
  await app.register(fastifySwagger, openApi(version));
  await app.register(fastifySwaggerUi, {
    routePrefix: '/api/docs',
    theme: { title: 'Depthwire REST API' },
    uiConfig: { layout: 'BaseLayout', displayRequestDuration: true, validatorUrl: null },
  });
  const schemaOf = (operationId: string, summary: string) => ({
    operationId,
    tags: ['Documents'],
    summary,
    response: revalidated(anyDocument),
  });
  app.get('/api/v1/openapi.json', { schema: schemaOf('getOpenApi', 'This document') }, () => app.swagger());

  const protocol = asyncApi();
  const protocolSchema = schemaOf('getAsyncApi', 'The WebSocket protocol, as a document of AsyncAPI 3.0');
  app.get('/api/v1/asyncapi.json', { schema: protocolSchema }, () => protocol);
}
