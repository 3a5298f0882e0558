import { setTimeout as delay } from 'node:timers/promises';
import { BREAKER_STATES } from '../cache/redis/circuit-breaker.ts';
import type { FastRedis } from '../cache/redis/redis.ts';
import { type CheckResults, type HealthChecks, OPTIONAL } from '../http/health.ts';
import { projectVersion } from '../project-version.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { Add } from './read-when-asked.ts';

/** What answers later than this is no help to requests: they have refused by then, or gone without. */
const UP_WITHIN_MS = 500;
/** Enough of a hash to tell deployments apart. */
const SHOWN_HASH = 12;

export type WatchedDatabase = Pick<TenantDatabase, 'connections' | 'poolSize' | 'queue' | 'admission'>;
export type WatchedRedis = Pick<FastRedis, 'breakers'>;

/** What runs, as the labels of a metric. */
export type BuildInfo = Readonly<Record<'version' | 'node' | 'schema', string>>;

/** @param schemaHash as of `CacheableOperations` */
export function buildInfo(schemaHash: string): BuildInfo {
  return { version: projectVersion(), node: process.version, schema: schemaHash.slice(0, SHOWN_HASH) };
}

export function addBuild(add: Add, build: BuildInfo): void {
  const help = "Always 1: the version of the service, that of Node.js, and a hash of the schema's text.";
  add('gauge', 'tenantry_build_info', help, () => [{ labels: { ...build }, value: 1 }], 'max');
}

/** @param check as readiness asks it */
export function addDatabase(add: Add, database: WatchedDatabase, check: HealthChecks['database']): void {
  const prefix = 'tenantry_database';
  addUp(add, `${prefix}_up`, 'Whether PostgreSQL answers (1); 0 when it does not to one worker.', check);
  add('gauge', `${prefix}_pool_size`, 'Connections at most (DATABASE_POOL_SIZE), of all processes.', () => [
    { labels: {}, value: database.poolSize },
  ]);
  const help = 'Connections, in use or idle. Who waits for one is in tenantry_database_queue_length.';
  add('gauge', `${prefix}_connections`, help, () => {
    const { open, idle } = database.connections;
    return [
      { labels: { state: 'in_use' }, value: open - idle },
      { labels: { state: 'idle' }, value: idle },
    ];
  });
}

/** @param lately what the checks of readiness found */
export function addReadiness(add: Add, lately: () => Promise<CheckResults>): void {
  const help = 'Whether a check of /health/ready holds (1) or not (0): while one does not, the service is not ready.';
  const samples = async () =>
    (await lately())
      .filter(([check]) => !OPTIONAL.includes(check))
      .map(([check, { status }]) => ({ labels: { check }, value: Number(status === 'up') }));
  add('gauge', 'tenantry_ready', help, samples, 'min');
}

/** @param check as readiness asks it */
export function addRedis(add: Add, redis: WatchedRedis, check: NonNullable<HealthChecks['redis']>): void {
  addUp(add, 'tenantry_redis_up', 'Whether a Redis master answers (1); 0 when none does to one worker.', check);
  const help = '1 for the state that the circuit breaker of a purpose is in; with workers, how many are in it.';
  add('gauge', 'tenantry_redis_breaker_state', help, () =>
    redis.breakers.flatMap(([purpose, current]) =>
      BREAKER_STATES.map((state) => ({ labels: { purpose, state }, value: Number(state === current) })),
    ),
  );
}

/** Asked when it is read: what was known of it last would be as old as the last request. */
function addUp(add: Add, name: string, help: string, check: () => Promise<unknown>): void {
  const isUp = async () => {
    const late = new AbortController();
    const inTime = check().then(
      () => true,
      () => false,
    );
    const tooLate = delay(UP_WITHIN_MS, false, { signal: late.signal, ref: false }).catch(() => false);
    const answer = await Promise.race([inTime, tooLate]);
    late.abort();
    return answer;
  };
  add('gauge', name, help, async () => [{ labels: {}, value: Number(await isUp()) }], 'min');
}
