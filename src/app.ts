import { fastifyApolloDrainPlugin } from '@as-integrations/fastify';
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Config } from './config.ts';
import { createServices } from './context/services.ts';
import { createTokenVerifier } from './context/token-verifier.ts';
import { limitsPlugin } from './graphql/limits.plugin.ts';
import { createSchema } from './graphql/schema.ts';
import { createGraphqlServer } from './graphql/server.ts';
import { explorerPages } from './http/explorer.ts';
import { registerGraphqlRoute } from './http/graphql-route.ts';
import { type HealthChecks, registerHealth } from './http/health.ts';
import type { TenantDatabase } from './tenancy/tenant-database.ts';
import { TenantDirectory } from './tenancy/tenant-directory.ts';

export interface AppDependencies {
  readonly config: Config;
  readonly logger: FastifyBaseLogger;
  readonly database: TenantDatabase;
  readonly health: HealthChecks;
  /** Filled into the explorer pages; only ever for generated demo data. */
  readonly sampleToken?: string;
}

/**
 * The service, ready to listen: HTTP -> caller -> response cache -> Apollo Server -> limits -> resolvers -> loaders ->
 * repositories -> PostgreSQL. Closing it finishes the requests under way; what it was given is closed by who opened it.
 */
export async function buildApp({
  config,
  logger,
  database,
  health,
  sampleToken,
}: AppDependencies): Promise<FastifyInstance> {
  const app = Fastify({ loggerInstance: logger, forceCloseConnections: 'idle' });
  const services = createServices(config, database);
  const verifier = createTokenVerifier(config.auth, config.production, new TenantDirectory(database), logger);
  const apollo = createGraphqlServer({
    schema: createSchema(),
    introspection: config.explorer,
    log: logger,
    plugins: [limitsPlugin(config.limits), fastifyApolloDrainPlugin(app)],
  });
  await apollo.start();

  const { markStopping } = registerHealth(app, health);
  app.addHook('preClose', async () => markStopping());
  app.addHook('onClose', async () => apollo.stop());
  await app.register(explorerPages({ enabled: config.explorer, ...(sampleToken && { sampleToken }) }));
  registerGraphqlRoute(app, { apollo, services, verifier });
  return app;
}
