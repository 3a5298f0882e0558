import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import type { Logger } from 'pino';
import { buildApp } from '../app/app.ts';
import type { ShareMetrics } from '../app/metrics.ts';
import { OutageLog } from '../app/outage-log.ts';
import { createRuntime, type Runtime } from '../app/runtime.ts';
import { createTokenIssuer } from '../auth/token-issuer.ts';
import { closeAll, closeAllAfter } from '../close-all.ts';
import type { Config } from '../config/config.ts';
import { Draining } from '../http/draining.ts';
import type { Examine } from '../performance/findings.ts';
import { seedDemo } from '../seed/demo.ts';
import { NO_TELEMETRY, startTelemetry } from '../telemetry/start-telemetry.ts';
import type { TenantEntry } from '../tenancy/tenant-directory.ts';
import { banner } from './banner.ts';
import { type DatabaseChecks, databaseChecks } from './health-checks.ts';
import { notBound } from './listen-errors.ts';
import { metricsServer, metricsUrl } from './metrics-server.ts';
import { type OpenedDatabase, openDatabase } from './open-database.ts';
import { tellConnections } from './pooler.ts';

const COLLECTOR = {
  began: 'the collector of traces does not take them; requests are answered all the same',
  over: 'the collector takes traces again',
};

export interface RunningService {
  /** For example http://127.0.0.1:4000. */
  readonly url: string;
  /** For the person who started it. */
  readonly banner: string;
  /**
   * Says that it is not ready, serves on for the time that balancers take to notice, finishes the
   * requests under way, and closes what was opened, in reverse order.
   */
  close(): Promise<void>;
  /** What /metrics shows. */
  metrics(): Promise<string>;
  /** Writes what waits to be recorded, for a process that ends at once then. */
  save(timeoutMs: number): Promise<void>;
}

/** What is looked at of a service that runs. */
export interface ServiceSubject {
  readonly config: Config;
  readonly databaseUrl: string;
  /** Whether it is the embedded one, whose login is a superuser. */
  readonly isEmbedded: boolean;
}

/** Tells what is wrong with a service and its surroundings. */
export type ExamineService = (subject: ServiceSubject) => ReturnType<Examine>;

export interface ServeOptions {
  /** One of several processes, whose parent keeps the embedded PostgreSQL running. */
  readonly isWorker?: boolean;
  readonly shareMetrics?: ShareMetrics;
  /** Asked when an operator does. Absent: nobody looks. */
  readonly examine?: ExamineService | undefined;
}

/** Brings everything up and listens. What was opened before a failure is closed again. */
export async function serve(
  config: Config,
  logger: Logger,
  say: (line: string) => void,
  { isWorker = false, shareMetrics, examine }: ServeOptions = {},
): Promise<RunningService> {
  const telemetry =
    config.telemetry === 'otlp'
      ? await startTelemetry(logger, new OutageLog(logger, COLLECTOR), config.production)
      : NO_TELEMETRY;
  const database = await openDatabase(config, say, { isKeptRunning: !isWorker }).catch((error: unknown) =>
    closeAllAfter(error, telemetry.stop),
  );
  const opened = { ...database, release: () => closeAll(database.release, telemetry.stop) };
  try {
    if (!isWorker) await tellConnections(opened.directUrl, { poolSize: config.database.poolSize, workers: 1 }, logger);
    const tenant = opened.embedded ? await fillWhenNew(opened.url, say) : undefined;
    const runtime = await createRuntime({ config, logger, access: opened });
    const checks = databaseChecks(opened.url, runtime.database, opened.faults);
    const close = () => closeAll(checks.close, runtime.close);
    try {
      return await listen({ runtime, isWorker, shareMetrics, examine, opened, checks, tenant, close });
    } catch (error) {
      return await closeAllAfter(error, close);
    }
  } catch (error) {
    return await closeAllAfter(error, opened.release);
  }
}

interface Opened {
  readonly runtime: Runtime;
  readonly isWorker: boolean;
  readonly shareMetrics: ShareMetrics | undefined;
  readonly examine: ExamineService | undefined;
  readonly opened: OpenedDatabase;
  readonly checks: DatabaseChecks;
  readonly tenant: TenantEntry | undefined;
  close(): Promise<void>;
}

async function listen({
  runtime,
  isWorker,
  shareMetrics,
  examine,
  opened,
  checks,
  tenant,
  close,
}: Opened): Promise<RunningService> {
  const { config, logger, redis } = runtime;
  const tokens =
    tenant && !config.auth.jwksUrl
      ? await createTokenIssuer(config.auth, config.production).sampleTokens(tenant)
      : undefined;
  const health = { ...checks.checks, ...(redis && { redis: () => redis.check() }) };
  const sampleToken = tokens?.[0]?.token;
  const draining = new Draining();
  const subject = { config, databaseUrl: opened.url, isEmbedded: opened.embedded };
  const {
    http: app,
    writers,
    metrics,
  } = await buildApp({
    ...{ ...runtime, health, draining, shareMetrics, sampleToken },
    examine: examine && (() => examine(subject)),
  });
  const ofMetrics = isWorker ? undefined : metricsServer(config, metrics);
  const closeServers = () =>
    closeAll(
      () => app.close(),
      () => ofMetrics?.close(),
    );
  try {
    await ofMetrics?.listen();
    await bind(app, config);
  } catch (error) {
    return await closeAllAfter(error, closeServers);
  }
  const url = urlOf(app);
  if (config.production) logger.info({ url }, 'listening');
  const demo = tenant && tokens && { tenant: tenant.slug, tokens };
  return {
    url,
    metrics: metrics.text,
    banner: banner({
      url,
      metrics: metricsUrl(config, url),
      database: databaseName(opened),
      cache: cacheName(config),
      explorer: config.explorer,
      opsPage: config.opsPage,
      ...(demo && { demo }),
    }),
    async close() {
      draining.begin();
      await delay(config.lifecycle.shutdownDelayMs);
      await closeAll(closeServers, close, opened.release);
    },
    save: (timeoutMs) => writers.save(timeoutMs),
  };
}

/**
 * The tenant that the sample tokens are for: the first by name, which is the largest of the
 * generated ones; made when there are none yet.
 */
export async function fillWhenNew(url: string, say: (line: string) => void): Promise<TenantEntry | undefined> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const first = () =>
      client.query<TenantEntry>('SELECT id, slug FROM tenants ORDER BY slug LIMIT 1').then(({ rows }) => rows[0]);
    const known = await first();
    if (known) return known;
    say('filling the embedded database with demo tenants');
    await seedDemo(client);
    return await first();
  } finally {
    await client.end();
  }
}

async function bind(app: FastifyInstance, { host, port }: Config): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    throw notBound(cause as NodeJS.ErrnoException, { host, port, setting: 'PORT', free: 4000 });
  }
}

function urlOf(app: FastifyInstance): string {
  const { address, port, family } = app.server.address() as AddressInfo;
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `http://${host}:${port}`;
}

function databaseName({ url, embedded }: OpenedDatabase): string {
  if (embedded) return 'embedded PostgreSQL, data under .tenantry/';
  const { host, pathname } = new URL(url);
  return `PostgreSQL at ${host}${pathname}`;
}

function cacheName({ cache, redisUrl, lifecycle }: Config): string {
  if (!cache.enabled && lifecycle.workers > 1 && !redisUrl) return 'off: workers share one only through REDIS_URL';
  if (!cache.enabled) return 'off';
  return redisUrl
    ? `Redis at ${new URL(redisUrl).host}, and in memory`
    : 'in memory (set REDIS_URL to share it between processes)';
}
