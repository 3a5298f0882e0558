import type { Data } from './data.ts';
import { wholeValue } from './whole-value.ts';

/** A tenant's calendar day. */
export interface TenantDay {
  readonly today: string;
  /** In milliseconds since 1970. */
  readonly dayEndsAtMs: number;
}

/**
 * The tenant's day as a data entry, which ends with it: who knows it can look for what is kept
 * under a date.
 */
export function tenantDay(ttlSeconds: number, load: () => Promise<TenantDay>): Data<TenantDay> {
  const kept = { key: ['tenant', 'day'], tables: ['tenants'], dependencies: ['tenant'], ttlSeconds } as const;
  return { ...wholeValue(kept, load), endsAtMs: ({ dayEndsAtMs }) => dayEndsAtMs };
}
