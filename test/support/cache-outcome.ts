/**
 * The `Cache-Status` of an answer as far as `tenantry; hit`, `tenantry; fwd=miss` or `tenantry;
 * fwd=bypass`, without its details.
 */
export function cacheOutcome(status: string | null | undefined): string {
  return /^tenantry; (?:hit|fwd=\w+)/.exec(status ?? '')?.[0] ?? '';
}
