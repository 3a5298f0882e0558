import pino from 'pino';
import { type Caches, createCaches } from '../../../src/app/create-cache.ts';
import type { ChangeFeed } from '../../../src/cache/change-feed/change-feed.ts';
import { openChangeFeed } from '../../../src/cache/change-feed/open-change-feed.ts';
import { keptReads } from '../../../src/cache/data/kept-reads.ts';
import { dataLayout } from '../../../src/cache/data/layout.ts';
import { FastRedis } from '../../../src/cache/redis/redis.ts';
import { readConfig } from '../../../src/config/config.ts';
import { SERVICE_ROLE } from '../../../src/database/service-rights.ts';
import { Monitor } from '../../../src/monitoring/monitor.ts';
import type { StatementEvent } from '../../../src/tenancy/statement-event.ts';
import { TenantDatabase } from '../../../src/tenancy/tenant-database.ts';

export interface CachesOptions {
  readonly databaseUrl: string;
  readonly redisUrl?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly layout?: string;
}

/**
 * The caches and the database of one process, as the service puts them together, without HTTP and
 * GraphQL.
 */
export interface TestCaches extends Caches {
  readonly database: TenantDatabase;
  readonly monitor: Monitor;
  readonly changeFeed: ChangeFeed;
  /** Every statement sent on behalf of a tenant since the last `statements.splice(0)`. */
  readonly statements: StatementEvent[];
  untilCaughtUp(): Promise<void>;
  close(): Promise<void>;
}

export async function startCaches({ databaseUrl, redisUrl, env, layout }: CachesOptions): Promise<TestCaches> {
  const config = readConfig({ LOG_LEVEL: 'silent', ...env });
  const monitor = new Monitor({ ...config.monitoring, logger: pino({ level: 'silent' }) });
  const statements: StatementEvent[] = [];
  const database = new TenantDatabase({
    url: databaseUrl,
    poolSize: 4,
    statementTimeoutMs: 10_000,
    takeServiceRole: true,
    onStatement: (event) => {
      if (event.action !== 'unscoped') statements.push(event);
    },
  });
  const redis = redisUrl ? new FastRedis(redisUrl, () => {}) : undefined;
  const connection = { url: databaseUrl, role: SERVICE_ROLE };
  const { enabled } = config.cache;
  const changeFeed = await openChangeFeed({ enabled, connection, database, redis, onError: () => {} });
  const caches = createCaches({ config, monitor, changeFeed, redis, layout: layout ?? dataLayout(database.schema) });
  database.keepReadsIn(keptReads(caches.data));
  return {
    ...caches,
    database,
    monitor,
    changeFeed,
    statements,
    untilCaughtUp: () => changeFeed.untilCaughtUp(),
    async close() {
      await changeFeed.stop();
      await redis?.close();
      await database.close();
    },
  };
}
