import type { FastifyInstance } from 'fastify';
import { registerCaching } from './caching.ts';
import { registerDocuments } from './documents.ts';
import { registerRoutes, type RoutesOptions } from './routes.ts';
import { validatorCompiler } from './schema-parts.ts';

/** The REST API with its documents: what is registered in here is documented, checked and cached alike. */
export async function registerApi(root: FastifyInstance, options: RoutesOptions): Promise<void> {
  await root.register(async (app) => {
    app.setValidatorCompiler(validatorCompiler);
    // The compiler holds answers to their schemas, and so do tests; checking each would cost more than writing it.
    app.setSerializerCompiler(() => (data) => JSON.stringify(data));
    registerCaching(app);
    await registerDocuments(app, options.version);
    registerRoutes(app, options);
  });
}
