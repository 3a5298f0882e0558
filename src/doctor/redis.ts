import { isLive, LeaseStore } from '../cache/change-feed/lease-store.ts';
import { type OperatorRedis, openOperatorRedis } from '../cache/redis/operator-redis.ts';
import { formatBytes } from '../cli/format.ts';
import { type Check, type Finding, fault, ok, skipped, warning } from './check.ts';
import { DATABASE } from './database-way.ts';
import { MIGRATIONS } from './schema.ts';
import { asService, type Subject } from './subject.ts';

const REDIS = 'Redis';
const OLDEST = [6, 2] as const;
/** Of what it may hold at most. */
const NEARLY_FULL = 0.9;
/** Entries of 64 MiB are what one process keeps in its own memory alone. */
const SMALL_BYTES = 64 * 1024 * 1024;
const POLICY = 'CONFIG SET maxmemory-policy allkeys-lru, and the same in redis.conf';

export const redisChecks: readonly Check[] = [
  { name: REDIS, look: (subject) => withRedis(subject, versionOf) },
  { name: 'memory of Redis', needs: [REDIS], look: (subject) => withRedis(subject, lookAtMemory) },
  {
    name: 'database of Redis',
    needs: [REDIS, DATABASE, MIGRATIONS],
    look: (subject) => withRedis(subject, (redis) => lookAtLease(redis, subject)),
  },
];

async function withRedis<Found>(
  { config, env }: Subject,
  work: (redis: OperatorRedis) => Promise<Found>,
): Promise<Found | Finding> {
  if (!config.redisUrl) return skipped('REDIS_URL is not set: each process keeps its answers in its own memory');
  const redis = await openOperatorRedis(env, 'doctor');
  try {
    return await work(redis);
  } finally {
    redis.client.disconnect();
  }
}

async function versionOf({ client, isMaster }: OperatorRedis): Promise<Finding> {
  const server = await client.info('server');
  const version = /^redis_version:(\S+)/m.exec(server)?.[1] ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    return fault(version, `Upgrade Redis: ${OLDEST.join('.')} or later is needed.`);
  if (!isMaster) return fault(`${version}, a replica, which takes no writes`, 'Let REDIS_URL lead to the master.');
  return ok(version);
}

async function lookAtMemory({ client }: OperatorRedis): Promise<Finding> {
  const memory = await client.info('memory');
  const number = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(memory)?.[1] ?? 0);
  const [used, most] = [number('used_memory'), number('maxmemory')];
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? '';
  if (most === 0)
    return warning(
      `${formatBytes(used)} used, and no bound: it grows until its machine has no memory left`,
      `CONFIG SET maxmemory 256mb, or what the machine can give; ${POLICY}`,
    );
  const state = `${formatBytes(used)} used of ${formatBytes(most)}, ${policy}`;
  if (policy === 'noeviction')
    return used > NEARLY_FULL * most
      ? fault(`${state}: it refuses writes when it is full, and nothing is kept or trusted then`, POLICY)
      : warning(`${state}: it refuses writes once it is full`, POLICY);
  if (!policy.startsWith('allkeys-')) return warning(`${state}: not every key may be evicted`, POLICY);
  if (most < SMALL_BYTES)
    return warning(`${state}: answers are forgotten soon`, 'CONFIG SET maxmemory 256mb, or what the machine can give');
  return ok(state);
}

/** Whoever keeps answers of one database there holds the lease for it. */
async function lookAtLease({ client, serverId, keyPrefix }: OperatorRedis, subject: Subject): Promise<Finding> {
  const identity = await asService(subject, async (database) => {
    const { rows } = await database.query<{ identity: string }>('SELECT cache_database_identity() AS identity');
    return rows[0]?.identity;
  });
  const { lease, nowMs } = await new LeaseStore({ run: (work) => work(client, serverId), leave() {} }).read();
  if (!lease || !isLive(lease, nowMs)) return ok('no service keeps answers there at the moment');
  if (lease.database === identity) return ok('a service keeps answers of this database there');
  const prefix = keyPrefix ? `the CACHE_KEY_PREFIX ${keyPrefix}` : 'no CACHE_KEY_PREFIX';
  return fault(
    `a service with another database keeps its answers there under ${prefix}: those of this database are not kept`,
    'Give each deployment a CACHE_KEY_PREFIX of its own, or a Redis of its own.',
  );
}
