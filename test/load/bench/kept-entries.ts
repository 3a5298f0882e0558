import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { FastRedis } from '../../../src/cache/redis/redis.ts';
import { etagOf, type ResponseEntry } from '../../../src/cache/store/entry.ts';
import { RedisEntries } from '../../../src/cache/store/entry-store.ts';
import { responseKey } from '../../../src/cache/versions/cache-key.ts';
import { RedisVersions } from '../../../src/cache/versions/redis-versions.ts';
import { Trust } from '../../../src/cache/versions/trust.ts';
import type { VersionStore } from '../../../src/cache/versions/versions.ts';
import { versionsOf } from '../../../src/cache/versions/versions.ts';
import { readConfig } from '../../../src/config/config.ts';
import { TenantScope } from '../../../src/tenancy/tenant-scope.ts';

const TTL_MS = 3_600_000;
/**
 * Commands under way at a time: few enough that none waits for as long as the service would give
 * it.
 */
const BATCH = 200;
const EPOCH = 'bench';

/** A tenant as the cache knows it. */
export function scopeOf(tenant: number): TenantScope {
  return TenantScope.ofOutboxRow(`00000000-0000-7000-8000-${String(tenant).padStart(12, '0')}`);
}

/** The key of a tenant's entry. */
export function keyOf(scope: TenantScope, number: number): string {
  return responseKey(scope, createHash('sha256').update(String(number)).digest('base64url'));
}

/** An entry as the service keeps it, with a body of the given size, and its key. */
export function entryOf(scope: TenantScope, number: number, bodyBytes: number): { key: string; entry: ResponseEntry } {
  const body = Buffer.from(`{"data":{"number":${number}}}`.padEnd(bodyBytes));
  const createdAtMs = Date.now();
  const entry = {
    versions: versionsOf({ epoch: EPOCH }, ['dashboard', 'accounts', 'transactions']),
    createdAtMs,
    expiresAtMs: createdAtMs + TTL_MS,
    contentType: 'application/json; charset=utf-8',
    operationName: 'Dashboard',
    namespace: 'dashboard',
    body,
    etag: etagOf(body),
  };
  return { key: keyOf(scope, number), entry };
}

/** The service's connection to Redis, its versions and its entries there. */
export async function openRedisTier(url: string) {
  const redis = new FastRedis(url, () => {}); // what fails is thrown as well
  while (!(await redis.memoryBytes().catch(() => undefined))) await delay(10);
  const versions = new RedisVersions(redis, new Trust());
  const close = async () => {
    versions.close();
    await redis.close();
  };
  const entries = new RedisEntries(redis, versions, { ...readConfig({}).cache, layout: '' });
  // Without a lease no bump would count, though it was done.
  const bumps: Pick<VersionStore, 'bump'> = {
    async bump(...change) {
      await versions.send(...change);
    },
  };
  return { redis, bumps, entries, close };
}

/** Puts entries into Redis. @param told called now and then with the number that are there */
export async function fillRedis(
  entries: RedisEntries,
  count: number,
  make: (number: number) => { key: string; entry: ResponseEntry },
  told: (done: number) => void,
): Promise<void> {
  for (let done = 0; done < count; done += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - done) }, (_, index) => make(done + index));
    await Promise.all(batch.map(({ key, entry }) => entries.set(key, entry)));
    told(done + batch.length);
  }
}
