import type { DataKind } from './tenant-cache.ts';

/** A tenant's calendar day. */
export interface TenantDay {
  readonly today: string;
  /** In milliseconds since 1970. */
  readonly dayEndsAtMs: number;
}

/**
 * The tenant's day, which ends with it: who knows it can look for what is kept under a date.
 */
export function tenantDay(ttlSeconds: number): DataKind<TenantDay> {
  return {
    namespace: 'tenant',
    name: 'day',
    tables: ['tenants'],
    ttlSeconds,
    endsAtMs: ({ dayEndsAtMs }) => dayEndsAtMs,
  };
}
