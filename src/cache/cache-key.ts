import { createHash } from 'node:crypto';
import type { TenantScope } from '../tenancy/tenant-scope.ts';

/** Every key of a tenant begins with it. The braces are Redis Cluster's: all keys of one tenant lie in one slot. */
export function tenantPrefix({ tenantId }: TenantScope): string {
  return `tenant:{${tenantId}}:`;
}

export function versionsKey(scope: TenantScope): string {
  return `${tenantPrefix(scope)}versions`;
}

/** What tells one answer from another within a tenant. */
export interface ResponseIdentity {
  /** Of the schema: a deployment with another schema never reads these entries. */
  readonly schemaHash: string;
  /** The document, operation name and variables, and the media type that was asked for. */
  readonly operation: string;
  /** The subject, for answers that show who is asking; absent for answers that are the same for the whole tenant. */
  readonly viewer?: string;
}

/** The key of a response entry. SHA-256: no two of these collide, whatever clients send. */
export function responseKey(scope: TenantScope, { schemaHash, operation, viewer }: ResponseIdentity): string {
  const identity = JSON.stringify([operation, viewer ?? null]);
  return `${tenantPrefix(scope)}response:${schemaHash}:${createHash('sha256').update(identity).digest('base64url')}`;
}

/** The key of a data entry, for example `tenant:{…}:dashboard:2026-01-31`. The parts are escaped, so that none reaches into another's place. */
export function dataKey(scope: TenantScope, ...parts: readonly string[]): string {
  return tenantPrefix(scope) + parts.map((part) => encodeURIComponent(part)).join(':');
}
