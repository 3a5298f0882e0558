import type { Logger } from 'pino';
import type { ChangeFeed } from '../cache/change-feed/change-feed.ts';
import { openChangeFeed } from '../cache/change-feed/open-change-feed.ts';
import { FastRedis } from '../cache/redis/redis.ts';
import { closeAll, closeAllAfter } from '../close-all.ts';
import type { Config } from '../config/config.ts';
import { SERVICE_ROLE } from '../database/service-rights.ts';
import { indexAdvice } from '../indexes/index-verdict.ts';
import { Monitor } from '../monitoring/monitor.ts';
import { SlowPlans } from '../monitoring/slow-plans.ts';
import { lookForTracerProvider, withoutSpans } from '../telemetry/tracing.ts';
import type { StatementEvent } from '../tenancy/statement-event.ts';
import { TenantDatabase } from '../tenancy/tenant-database.ts';
import { OutageLog } from './outage-log.ts';

/** Where the rows are, and as whom they are read. */
export interface DatabaseAccess {
  readonly url: string;
  /** For what needs a session of its own, past a pooler. */
  readonly directUrl: string;
  /**
   * Whether the service must take its own role, because the login is not held to row-level
   * security.
   */
  readonly takeServiceRole: boolean;
}

export interface RuntimeOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly access: DatabaseAccess;
  /** Called after every statement of a tenant, beside the monitor. */
  readonly onStatement?: (event: StatementEvent) => void;
  /** Called with what fails of Redis and of the change feed, beside the log. */
  readonly onOutage?: (error: Error) => void;
  /** As of `openChangeFeed`. */
  readonly leasesVersions?: boolean;
}

/** What a process answers with, opened. */
export interface Runtime {
  readonly config: Config;
  readonly logger: Logger;
  readonly monitor: Monitor;
  readonly database: TenantDatabase;
  /** Absent without REDIS_URL. */
  readonly redis: FastRedis | undefined;
  readonly changeFeed: ChangeFeed;
  /** Closes all of it, in reverse order. */
  close(): Promise<void>;
}

/**
 * Opens what answers are made with. Entries are trusted only while the change feed runs. A tracer
 * provider must be registered before.
 */
export function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  lookForTracerProvider();
  // Connections are made, and the outbox is polled, for no request.
  return withoutSpans(() => open(options));
}

async function open({
  config,
  logger,
  access,
  onStatement = () => {},
  onOutage = () => {},
  leasesVersions,
}: RuntimeOptions): Promise<Runtime> {
  const unplanned = (code: string) => logger.warn({ code }, 'a slow statement could not be planned');
  const plans = new SlowPlans(access.url, unplanned, indexAdvice);
  const monitor = new Monitor({ ...config.monitoring, logger, plans });
  const database = new TenantDatabase({
    ...config.database,
    url: access.url,
    takeServiceRole: access.takeServiceRole,
    onStatement: (event) => {
      monitor.recordStatement(event);
      onStatement(event);
    },
    onConnectionError: (error) => logger.warn({ err: error }, 'a database connection was lost'),
  });
  const ofRedis = new OutageLog(logger, {
    began: 'Redis fails; answers come from PostgreSQL meanwhile',
    over: 'Redis works again',
  });
  const ofFeed = new OutageLog(logger, {
    began: 'the outbox of writes cannot be read; answers come from PostgreSQL meanwhile',
    over: 'the outbox of writes is read again',
  });
  const telling = (outage: OutageLog) => (error: Error) => {
    onOutage(error);
    outage.failed(error);
  };
  const { redisUrl, cache } = config;
  const redis = redisUrl
    ? new FastRedis(redisUrl, telling(ofRedis), { ...cache, onRecovered: ofRedis.recovered })
    : undefined;
  const connections = [() => redis?.close(), () => database.close(), () => plans.close()];
  const changeFeed = await openChangeFeed({
    enabled: cache.enabled,
    connection: { url: access.directUrl, ...(access.takeServiceRole && { role: SERVICE_ROLE }) },
    database,
    redis,
    ...(leasesVersions !== undefined && { leasesVersions }),
    onError: telling(ofFeed),
    onWorks: ofFeed.recovered,
  }).catch((error: unknown) => closeAllAfter(error, ...connections));
  return {
    ...{ config, logger, monitor, database, redis, changeFeed },
    close: () => closeAll(() => changeFeed.stop(), ...connections),
  };
}
