import { createHash } from 'node:crypto';

import { PLACES, type Place } from './vocabulary.ts';

/** A tenant that is to be generated. */
export interface TenantPlan extends Place {
  /** Among the tenants that are generated together, from 0. */
  readonly position: number;
  readonly slug: string;
  readonly name: string;
  readonly accounts: number;
  readonly transactions: number;
  /**
   * What its rows are drawn from: the same gives the same rows. A whole number below 2^62, as text.
   */
  readonly salt: string;
}

/** How much is to be generated. */
export interface SeedSizes {
  readonly tenants: number;
  /** Over all tenants; at least one each. */
  readonly accounts: number;
  /** Over all tenants. */
  readonly transactions: number;
}

/**
 * Shares accounts and transactions out among tenants as sizes are in life: the second has half of
 * what the first has, the third a third, and so on (Zipf's law), so that there is one large tenant
 * and many small ones.
 * @param seed another one gives other rows under the same names
 * @param prefix what the slugs begin with
 */
export function planTenants(
  { tenants, accounts, transactions }: SeedSizes,
  seed: number,
  prefix: string,
): TenantPlan[] {
  const accountShares = shareOut(accounts - tenants, tenants);
  const transactionShares = shareOut(transactions, tenants);
  const digits = Math.max(3, String(tenants).length);
  return Array.from({ length: tenants }, (_, index) => {
    const number = String(index + 1).padStart(digits, '0');
    return {
      ...(PLACES[index % PLACES.length] as Place),
      position: index,
      slug: `${prefix}-${number}`,
      name: `${prefix.charAt(0).toUpperCase()}${prefix.slice(1)} ${number}`,
      accounts: 1 + (accountShares[index] ?? 0),
      transactions: transactionShares[index] ?? 0,
      salt: saltOf(seed, `${prefix}-${number}`),
    };
  });
}

/** What a tenant's rows are drawn from. */
export function saltOf(seed: number, slug: string): string {
  const digest = createHash('sha256').update(`${seed} ${slug}`).digest();
  return String(digest.readBigUInt64BE() >> 2n);
}

/** Parts of a whole by Zipf's law, largest first; they add up exactly. */
function shareOut(whole: number, parts: number): number[] {
  const weights = Array.from({ length: parts }, (_, index) => 1 / (index + 1));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let weightSoFar = 0;
  let sharedOut = 0;
  return weights.map((weight, index) => {
    weightSoFar += weight;
    const upTo = index === parts - 1 ? whole : Math.round((whole * weightSoFar) / sum);
    const share = upTo - sharedOut;
    sharedOut = upTo;
    return share;
  });
}
