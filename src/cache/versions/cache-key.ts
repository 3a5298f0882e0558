import { createHash } from 'node:crypto';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { Versions } from './versions.ts';

/**
 * Every key of a tenant begins with it. The braces are Redis Cluster's: all keys of one tenant lie
 * in one slot.
 */
export function tenantPrefix({ tenantId }: TenantScope): string {
  return `tenant:{${tenantId}}:`;
}

/** The tenant's id in a key that begins with `tenantPrefix`. */
export function tenantOf(key: string): string {
  return key.slice('tenant:{'.length, key.indexOf('}'));
}

export function versionsKey(scope: TenantScope): string {
  return `${tenantPrefix(scope)}versions`;
}

/** Remembers for a while that the API has bumped for this write of its own. */
export function writtenKey(scope: TenantScope, writeId: string): string {
  return `${tenantPrefix(scope)}written:${writeId}`;
}

/**
 * The key of a response entry.
 * @param operation hash of everything that tells one answer from another within a tenant
 * @param viewer who is asking, for answers that show it; absent for answers that are the same for
 *   the whole tenant
 */
export function responseKey(scope: TenantScope, operation: string, viewer?: string): string {
  const key = `${tenantPrefix(scope)}response:${operation}`;
  return viewer === undefined ? key : `${key}:${createHash('sha256').update(viewer).digest('base64url')}`;
}

/**
 * The key of the lock for loading what lies under `key`. A load that began under other versions has
 * a lock of its own.
 */
export function loadKey(scope: TenantScope, key: string, versions: Versions): string {
  const hash = createHash('sha256').update(key).update(JSON.stringify(versions)).digest('base64url');
  return `${tenantPrefix(scope)}load:${hash}`;
}

/**
 * The key of a data entry, for example `tenant:{…}:dashboard:2026-01-31`. The parts are escaped, so
 * that none reaches into another's place.
 */
export function dataKey(scope: TenantScope, ...parts: readonly string[]): string {
  return tenantPrefix(scope) + parts.map((part) => encodeURIComponent(part)).join(':');
}
