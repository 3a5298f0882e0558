import cors from '@fastify/cors';
import Fastify, { type FastifyInstance } from 'fastify';
import { answerPolicyPlugin } from '../apollo/answer-policy.plugin.ts';
import { Executor } from '../apollo/executor.ts';
import { limitsPlugin } from '../apollo/limits.plugin.ts';
import { createGraphqlServer } from '../apollo/server.ts';
import { timeResolvers } from '../apollo/time-resolvers.ts';
import { timingPlugin } from '../apollo/timing.plugin.ts';
import { createTokenVerifier } from '../auth/token-verifier.ts';
import { CacheableOperations } from '../cache/response/cacheable-operations.ts';
import { closeAll } from '../close-all.ts';
import type { Config } from '../config/config.ts';
import type { RequestContext } from '../context/request-context.ts';
import type { Services } from '../context/services.ts';
import { Documents } from '../graphql/documents.ts';
import { COMPILED_FIELD_POINTS } from '../graphql/prices.ts';
import { AccessLog } from '../http/access-log.ts';
import { corsHeaders, corsOptions } from '../http/cors.ts';
import { Draining, OpenConnections } from '../http/draining.ts';
import { explorerPages } from '../http/explorer.ts';
import { registerGraphqlRoute } from '../http/graphql-route.ts';
import { type HealthChecks, registerHealth } from '../http/health.ts';
import { FastPath } from '../http/listener.ts';
import { Refusals } from '../http/refusals.ts';
import { httpOptions } from '../http/server-options.ts';
import { LiveEventStreams } from '../live/event-stream.ts';
import { LiveSockets } from '../live/live-sockets.ts';
import { LiveSubscriptions } from '../live/live-subscriptions.ts';
import { registerOpsPage } from '../ops/ops-page.ts';
import type { Examine } from '../performance/findings.ts';
import { withoutSpans } from '../telemetry/tracing.ts';
import { TenantDirectory } from '../tenancy/tenant-directory.ts';
import { WarmUpCounts } from '../warm-up/warm-up-counts.ts';
import { type BackgroundWriters, startBackgroundWriters } from './background-writers.ts';
import { createConsistencyMeter } from './create-consistency-meter.ts';
import { buildInfo } from './dependency-metrics.ts';
import { startDeploymentWriters } from './deployment-writers.ts';
import { createMetrics, type MetricsPage, metricsPage, registerMetrics, type ShareMetrics } from './metrics.ts';
import type { Runtime } from './runtime.ts';
import { createSchema } from './schema.ts';
import { closeServices, createServices } from './services.ts';
import { startWarmUp } from './start-warm-up.ts';

export interface AppDependencies extends Omit<Runtime, 'close'> {
  readonly health: HealthChecks;
  /** Begun before the service is closed. Absent: begins when it is. */
  readonly draining?: Draining;
  /** Shows the figures of all workers. Absent: this process is the only one. */
  readonly shareMetrics?: ShareMetrics | undefined;
  /** Filled into the explorer pages; only ever for generated demo data. */
  readonly sampleToken?: string | undefined;
  /** Looks at what is wrong with the service and its surroundings. Absent: nobody looks. */
  readonly examine?: Examine | undefined;
}

export interface App {
  /**
   * Closing it stops the writers, too. Hooks and plugins may be added until it listens, such as an
   * access log: they see every request, answers from the cache as well.
   */
  readonly http: FastifyInstance;
  /** What it answers with, for code in the same process. */
  readonly services: Services;
  readonly writers: BackgroundWriters;
  readonly metrics: MetricsPage;
}

/**
 * The service, ready to listen: HTTP -> caller -> response cache -> Apollo Server -> limits ->
 * resolvers -> loaders -> repositories -> PostgreSQL. Closing it finishes the requests under way;
 * what it was given is closed by who opened it.
 */
export async function buildApp(dependencies: AppDependencies): Promise<App> {
  const { config, logger, monitor, database, redis, changeFeed, health, sampleToken } = dependencies;
  const { draining = new Draining(), shareMetrics } = dependencies;
  const fastPath = new FastPath();
  const accessLog = new AccessLog(logger, config.accessLog);
  const refusals = new Refusals(monitor, accessLog, logger, config.http.requestTimeoutMs);
  // Without a logger of its own: even with request logging off it costs answers from the cache.
  const app = Fastify({
    forceCloseConnections: 'idle',
    return503OnClosing: false, // who is under way is answered
    ...httpOptions(config.http, draining, fastPath, refusals),
    ...refusals.options,
  });
  const connections = new OpenConnections(app.server);
  refusals.answerFor(app);
  const schema = createSchema();
  const operations = new CacheableOperations(schema);
  timeResolvers(schema, monitor);
  const compiles = config.executor === 'jit';
  const executor = new Executor(schema, {
    compiles,
    onCompiled: (context, fields) => (context as RequestContext).charge(fields * COMPILED_FIELD_POINTS),
  });

  const writers = withoutSpans(() => startBackgroundWriters(database, monitor.usage, config.retention, logger));
  const { audit } = writers;
  const services = createServices({ ...dependencies, schemaHash: operations.schemaHash, audit });
  const deploymentWriters = withoutSpans(() => startDeploymentWriters(services, logger));
  const warmUps = new WarmUpCounts();
  const stopWarmUp = withoutSpans(() => startWarmUp(services, changeFeed, warmUps, logger));
  const directory = new TenantDirectory(database);
  const verifier = createTokenVerifier(config.auth, config.production, directory, logger);
  const apollo = createGraphqlServer({
    schema,
    executor,
    introspection: config.explorer,
    log: logger,
    // What the limits charge in the end is recorded with the timing.
    plugins: [limitsPlugin(config.limits), timingPlugin(monitor), answerPolicyPlugin()],
  });
  await apollo.start();

  const documents = new Documents(config.limits);
  const live = new LiveSubscriptions({
    ...{ schema, apollo, services, documents, operations, changeFeed, verifier, accessLog },
    ...{ suggests: config.explorer, log: logger },
  });
  const { markStopping, lately } = registerHealth(app, health, logger);
  const meter = createConsistencyMeter({ apollo, services, logger });
  draining.whenBegun(() => {
    markStopping();
    void stopWarmUp();
    void meter.stop();
  });
  app.addHook('preClose', async () => {
    draining.begin();
    live.stop();
    sockets.stop();
    // Two turns later nothing new is accepted, and what had come by then is read.
    setImmediate(() => setImmediate(() => connections.closeUnused()));
    connections.closeStalled(stallMs(config), config.http.requestTimeoutMs);
  });
  app.addHook('onClose', () =>
    closeAll(
      () => meter.stop(),
      () => stopWarmUp(),
      () => Promise.all([writers.stop(), deploymentWriters.stop()]),
      () => apollo.stop(),
      () => closeServices(services),
    ),
  );
  const metrics = createMetrics({
    subscriptions: live.figures,
    monitor,
    build: buildInfo(operations.schemaHash),
    database,
    redis,
    health,
    readiness: lately,
    cacheMemoryBytes: () => services.cache.memoryBytes,
    changeFeed: config.cache.enabled ? changeFeed : undefined,
    audit,
    warmUps,
    executions: compiles ? executor.counts : undefined,
  });
  const slugOf = (tenantId: string) =>
    directory.find(tenantId).then(
      (tenant) => tenant?.slug,
      () => undefined,
    );
  const page = metricsPage(metrics, slugOf, shareMetrics?.(metrics));
  if (config.metricsPort === undefined) registerMetrics(app, page);
  if (config.corsOrigins.length) await app.register(cors, corsOptions(config.corsOrigins));
  await app.register(explorerPages({ enabled: config.explorer, ...(sampleToken && { sampleToken }) }));
  if (config.opsPage) registerOpsPage(app);
  const asked = registerGraphqlRoute(app, {
    eventStreams: new LiveEventStreams(live),
    fastPath,
    accessLog,
    meter,
    apollo,
    documents,
    operations,
    allowsIntrospection: config.explorer,
    services,
    verifier,
    corsHeaders: corsHeaders(config.corsOrigins),
  });
  const sockets = new LiveSockets({ live, asked, services, verifier, accessLog, corsOrigins: config.corsOrigins });
  sockets.serve(app.server);
  fastPath.giveWayToHooks(app);
  return { http: app, services, writers, metrics: page };
}

/**
 * How long a client that is not done holds up the end at least; twice as long at most, and never
 * more than half of the time for it: the rest is for what it has asked for, and for what is written
 * at the end.
 */
function stallMs({ http, lifecycle }: Config): number {
  return Math.min(http.requestTimeoutMs, Math.ceil((lifecycle.shutdownTimeoutMs - lifecycle.shutdownDelayMs) / 4));
}
