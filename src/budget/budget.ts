import { createHash } from 'node:crypto';
import type { Caller } from '../auth/caller.ts';
import type { FastRedis } from '../cache/redis/redis.ts';
import { tenantPrefix } from '../cache/versions/cache-key.ts';
import { type Allowance, SharedCounter } from './shared-counter.ts';

/** A budget that has these is not spent. */
const LEAST = 1;

export interface BudgetLimits {
  /** Begins the names in Redis. */
  readonly name: string;
  readonly perCaller: number;
  /** Of a tenant that has no limit of its own. */
  readonly perTenant: number;
  /** Whether a tenant's own limit holds here. */
  readonly takesOwn: boolean;
}

/** Whose share of the minute is spent. */
export interface Refusal {
  readonly of: 'caller' | 'tenant';
  readonly allowance: Allowance;
}

interface Keys {
  readonly caller: string;
  readonly tenant: string | undefined;
}

/** What one caller, and all callers of a tenant together, may spend in a minute. */
export class Budget {
  readonly #counter: SharedCounter;
  /**
   * A caller is one object as long as the token is remembered: nothing is put together for each hit
   * of the cache.
   */
  readonly #keys = new WeakMap<Caller, Keys>();

  constructor(
    private readonly limits: BudgetLimits,
    redis: FastRedis | undefined,
  ) {
    this.#counter = new SharedCounter(redis);
  }

  /** What one operation may take at most: waiting does not help one that takes more. */
  most(caller: Caller): number {
    return caller.tenant ? Math.min(this.limits.perCaller, this.#tenantLimit(caller)) : this.limits.perCaller;
  }

  /**
   * Takes the points from both, or from neither. @returns why not, if so; a promise when Redis must
   * be asked
   */
  spend(caller: Caller, points: number): Refusal | undefined | Promise<Refusal | undefined> {
    const keys = this.#keysOf(caller);
    const lacking = this.#lacking(caller, keys, points);
    if (lacking) return lacking;
    const ofCaller = this.#counter.spend(keys.caller, points, this.limits.perCaller);
    const ofTenant = keys.tenant === undefined || this.#counter.spend(keys.tenant, points, this.#tenantLimit(caller));
    if (ofCaller === true && ofTenant === true) return undefined;
    return Promise.all([ofCaller, ofTenant]).then(([own, all]) =>
      own && all ? undefined : this.#refused(caller, keys, points, own, all),
    );
  }

  /**
   * Takes the points of an answer that lay ready, unless a budget is spent: nothing is asked for
   * it, and told only afterwards.
   */
  charge(caller: Caller, points: number): Refusal | undefined {
    const spent = this.spentOf(caller);
    if (spent) return spent;
    const keys = this.#keysOf(caller);
    this.#counter.charge(keys.caller, points);
    if (keys.tenant !== undefined) this.#counter.charge(keys.tenant, points);
    return undefined;
  }

  /** Whose points are spent, as far as it is known here: nothing is asked for it. */
  spentOf(caller: Caller): Refusal | undefined {
    return this.#lacking(caller, this.#keysOf(caller), LEAST);
  }

  /** What is left to both, over all processes. */
  async allowances(caller: Caller): Promise<{ readonly caller: Allowance; readonly tenant: Allowance | null }> {
    const { caller: own, tenant } = this.#keysOf(caller);
    await Promise.all([own, ...(tenant === undefined ? [] : [tenant])].map((key) => this.#counter.settle(key)));
    return {
      caller: this.#counter.allowance(own, this.limits.perCaller),
      tenant: tenant === undefined ? null : this.#counter.allowance(tenant, this.#tenantLimit(caller)),
    };
  }

  async close(): Promise<void> {
    await this.#counter.close();
  }

  /**
   * Whose points do not suffice, as far as it is known here. Nothing is taken for it, and so
   * nothing given back.
   */
  #lacking(caller: Caller, keys: Keys, points: number): Refusal | undefined {
    if (!this.#counter.has(keys.caller, points, this.limits.perCaller)) return this.#refusal('caller', caller, keys);
    if (keys.tenant === undefined || this.#counter.has(keys.tenant, points, this.#tenantLimit(caller)))
      return undefined;
    return this.#refusal('tenant', caller, keys);
  }

  /** Gives back what only one of them took. */
  #refused(caller: Caller, keys: Keys, points: number, ofCaller: boolean, ofTenant: boolean): Refusal {
    if (ofCaller) this.#counter.giveBack(keys.caller, points);
    if (ofTenant && keys.tenant !== undefined) this.#counter.giveBack(keys.tenant, points);
    return this.#refusal(ofCaller ? 'tenant' : 'caller', caller, keys);
  }

  #refusal(of: Refusal['of'], caller: Caller, { caller: own, tenant = '' }: Keys): Refusal {
    const allowance =
      of === 'caller'
        ? this.#counter.allowance(own, this.limits.perCaller)
        : this.#counter.allowance(tenant, this.#tenantLimit(caller));
    return { of, allowance };
  }

  #tenantLimit({ tenant }: Caller): number {
    return (this.limits.takesOwn ? tenant?.pointsPerMinute : null) ?? this.limits.perTenant;
  }

  /** In Redis a subject, which may be a person's address, is not to be read. */
  #keysOf(caller: Caller): Keys {
    const known = this.#keys.get(caller);
    if (known) return known;
    const { subject, tenant } = caller;
    const hash = createHash('sha256').update(subject).digest('base64url');
    const prefix = tenant ? tenantPrefix(tenant.scope) : 'operator:';
    const own = `${prefix}budget:${this.limits.name}`;
    const keys = { caller: `${own}:${hash}`, tenant: tenant ? own : undefined };
    this.#keys.set(caller, keys);
    return keys;
  }
}
