import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { TenantDatabase } from '../../tenancy/tenant-database.ts';
import type { FastRedis } from '../redis/redis.ts';
import { LeasingVersions } from '../versions/leasing-versions.ts';
import { MemoryVersions } from '../versions/memory-versions.ts';
import type { OutboxConnection } from '../versions/outbox-reader.ts';
import { RedisVersions } from '../versions/redis-versions.ts';
import { Trust } from '../versions/trust.ts';
import { type ChangeFeed, ChangeFeedState } from './change-feed.ts';
import { DatabaseIdentity } from './database-identity.ts';
import { LeaseStore } from './lease-store.ts';
import { LeaseWatch } from './lease-watch.ts';
import { MemoryChangeFeed } from './memory-change-feed.ts';
import { OutboxCleaner } from './outbox-cleaner.ts';
import { OutboxRelay } from './outbox-relay.ts';
import { UnconfirmedInvalidations } from './unconfirmed-invalidations.ts';

/**
 * A service that starts waits so long for the first trust; without it the first answers come from
 * PostgreSQL.
 */
const START_TIMEOUT_MS = 3_000;
const CATCH_UP_TIMEOUT_MS = 10_000;

export interface ChangeFeedOptions {
  /**
   * With CACHE=off the outbox is not read: no answer is kept here. Bumps still go to Redis, for
   * processes that keep some.
   */
  readonly enabled: boolean;
  readonly connection: OutboxConnection;
  readonly database: TenantDatabase;
  readonly redis?: FastRedis | undefined;
  /** False: a tenant's versions are asked for whenever they are needed. True when absent. */
  readonly leasesVersions?: boolean;
  /** Told of what fails, but for Redis; everything is tried again. */
  readonly onError: (error: Error) => void;
  /** Told again and again while it works. */
  readonly onWorks?: () => void;
}

/**
 * Opens the change feed. Resolves when the versions are trusted, or after some seconds
 * without.
 */
export async function openChangeFeed(options: ChangeFeedOptions): Promise<ChangeFeed> {
  const changeFeed = options.redis ? throughRedis(options, options.redis) : alone(options);
  if (options.enabled)
    await changeFeed
      .untilCaughtUp(AbortSignal.timeout(START_TIMEOUT_MS))
      .catch((error: Error) => options.onError(error));
  return { ...changeFeed, untilCaughtUp: () => changeFeed.untilCaughtUp(AbortSignal.timeout(CATCH_UP_TIMEOUT_MS)) };
}

type Started = Omit<ChangeFeed, 'untilCaughtUp'> & { untilCaughtUp(signal: AbortSignal): Promise<void> };

function throughRedis(
  { enabled, connection, database, leasesVersions = true, onError, onWorks = () => {} }: ChangeFeedOptions,
  redis: FastRedis,
): Started {
  const [trust, state, leases] = [new Trust(), new ChangeFeedState(), new LeaseStore(redis)];
  const plain = new RedisVersions(redis, trust);
  const versions = leasesVersions ? new LeasingVersions(plain, redis, trust) : plain;
  const unconfirmed = new UnconfirmedInvalidations(database);
  const common = { versions, trust, state, unconfirmed };
  // Also where no answer is kept: the lease tells whether others learn of a bump at once.
  const watch = new LeaseWatch({ leases, trust, database: new DatabaseIdentity(database) });
  if (!enabled)
    return {
      ...common,
      ...withoutFeed,
      async stop() {
        await watch.stop();
        versions.close();
      },
    };
  const relay = new OutboxRelay({ connection, redis, leases, versions, database, state, onError, onWorks });
  const cleaner = new OutboxCleaner(database, onError);
  return {
    ...common,
    regainTrust: () => watch.regainTrust(),
    untilCaughtUp: (signal) => watch.untilCaughtUp(signal),
    async stop() {
      await Promise.all([watch.stop(), relay.stop(), cleaner.stop()]);
      versions.close();
    },
  };
}

function alone({ enabled, connection, database, onError, onWorks = () => {} }: ChangeFeedOptions): Started {
  const [trust, state, versions] = [new Trust(), new ChangeFeedState(), new MemoryVersions()];
  if (!enabled) return { versions, trust, state, ...withoutFeed };
  const feed = new MemoryChangeFeed({ connection, versions, trust, state, onError, onWorks });
  const cleaner = new OutboxCleaner(database, onError);
  return {
    versions,
    trust,
    state,
    regainTrust: () => feed.regainTrust(),
    async untilCaughtUp(signal) {
      const calledMs = performance.now();
      while (feed.caughtUpMs < calledMs) await delay(2, undefined, { signal });
    },
    async stop() {
      await Promise.all([feed.stop(), cleaner.stop()]);
    },
  };
}

const withoutFeed = { regainTrust: async () => false, untilCaughtUp: async () => {}, stop: async () => {} };
