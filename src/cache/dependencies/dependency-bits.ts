import type { CacheDependency } from './namespaces.ts';

/**
 * The outbox keeps what changed as a set of bits. The triggers of the cache_outbox migration spell
 * the first five.
 */
const BITS = {
  accounts: 1,
  transactions: 2,
  dashboard: 4,
  statistics: 8,
  tenant: 16,
  'accounts:list': 32,
  'statistics:daily': 64,
  'statistics:weekly': 128,
  'statistics:monthly': 256,
  'statistics:quarterly': 512,
  'statistics:yearly': 1024,
} as const satisfies Record<CacheDependency, number>;

/** Every dependency, in the order of its bit: the first is bit 0. */
export const DEPENDENCIES_BY_BIT = Object.keys(BITS) as readonly CacheDependency[];

export function maskOf(dependencies: readonly CacheDependency[]): number {
  return dependencies.reduce((mask, name) => mask | BITS[name], 0);
}

/** Bits that this version does not know, from a newer one's row, are left out. */
export function dependenciesIn(mask: number): CacheDependency[] {
  return DEPENDENCIES_BY_BIT.filter((name) => mask & BITS[name]);
}
