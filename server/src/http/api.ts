import type { FastifyInstance } from 'fastify';
import { registerCaching } from './caching.ts';
import { registerDocuments } from './documents.ts';
import { registerRoutes, type RoutesOptions } from './routes.ts';
import { registerKnownParameters, serializerCompiler, validatorCompiler } from './schema-parts.ts';
import { registerStream } from './stream.ts';

/** The REST API with its documents: what is registered in here is documented, checked and cached alike. */
export async function registerApi(root: FastifyInstance, options: RoutesOptions): Promise<void> {
  await root.register(async (app) => {
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(serializerCompiler);
    registerKnownParameters(app);
    registerCaching(app);
    await registerDocuments(app, options.version);
    registerRoutes(app, options);
    if (!options.servesOperatorsOnly) registerStream(app, options.gateway);
  });
}
