import pino from 'pino';
import { type Caches, createCaches } from '../../../src/app/create-cache.ts';
import { createRuntime } from '../../../src/app/runtime.ts';
import type { ChangeFeed } from '../../../src/cache/change-feed/change-feed.ts';
import { keptReads } from '../../../src/cache/data/kept-reads.ts';
import { dataLayout } from '../../../src/cache/data/layout.ts';
import { readConfig } from '../../../src/config/config.ts';
import type { Monitor } from '../../../src/monitoring/monitor.ts';
import type { StatementEvent } from '../../../src/tenancy/statement-event.ts';
import type { TenantDatabase } from '../../../src/tenancy/tenant-database.ts';

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
  const redis = redisUrl && { REDIS_URL: redisUrl };
  const config = readConfig({ LOG_LEVEL: 'silent', DATABASE_POOL_SIZE: '4', ...redis, ...env });
  const statements: StatementEvent[] = [];
  const runtime = await createRuntime({
    ...{ config, logger: pino({ level: config.logLevel }) },
    access: { url: databaseUrl, directUrl: databaseUrl, takeServiceRole: true },
    onStatement: (event) => {
      if (event.action !== 'unscoped') statements.push(event);
    },
  });
  const { database, changeFeed, monitor } = runtime;
  const caches = createCaches({ ...runtime, layout: layout ?? dataLayout(database.schema) });
  database.keepReadsIn(keptReads(caches.data));
  return {
    ...{ ...caches, database, monitor, changeFeed, statements },
    untilCaughtUp: () => changeFeed.untilCaughtUp(),
    close: runtime.close,
  };
}
