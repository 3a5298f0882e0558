import { createHash } from 'node:crypto';
import type { Caller } from '../auth/caller.ts';
import type { FastRedis } from '../cache/redis/redis.ts';
import { tenantPrefix } from '../cache/versions/cache-key.ts';
import { type Allowance, SharedCounter, type Window } from './shared-counter.ts';

/** A budget that has these is not spent. */
const LEAST = 1;

export interface BudgetLimits {
  /** Begins the names in Redis. */
  readonly name: string;
  readonly perCaller: number;
  /** Of all callers without a token together. */
  readonly anonymous: number;
  /** Of a tenant that has no limit of its own. */
  readonly perTenant: number;
  /** Whether a tenant's own limit holds here. */
  readonly takesOwn: boolean;
}

/** Whose share of the minute is spent. */
export interface Refusal {
  readonly of: 'caller' | 'tenant' | 'anonymous';
  readonly allowance: Allowance;
}

interface Keys {
  readonly caller: string;
  readonly tenant: string | undefined;
}

interface Windows {
  readonly caller: Window;
  readonly tenant: Window | undefined;
}

/**
 * What one caller, and all callers of a tenant together, may spend in a minute. All who have no
 * token, for whom null stands, are one caller.
 */
export class Budget {
  readonly #counter: SharedCounter;
  /**
   * A caller is one object as long as the token is remembered: nothing is put together for each hit
   * of the cache.
   */
  readonly #keys = new WeakMap<Caller, Keys>();
  readonly #anonymous: Keys;

  constructor(
    private readonly limits: BudgetLimits,
    redis: FastRedis | undefined,
  ) {
    this.#counter = new SharedCounter(redis);
    this.#anonymous = { caller: `anonymous:budget:${limits.name}`, tenant: undefined };
  }

  /** What one operation may take at most: waiting does not help one that takes more. */
  most(caller: Caller | null): number {
    const own = this.#callerLimit(caller);
    return caller?.tenant ? Math.min(own, this.#tenantLimit(caller)) : own;
  }

  /**
   * Takes the points from both, or from neither. @returns why not, if so; a promise when Redis must
   * be asked
   */
  spend(caller: Caller | null, points: number): Refusal | undefined | Promise<Refusal | undefined> {
    const keys = this.#keysOf(caller);
    const lacking = this.#lacking(caller, keys, points);
    if (lacking) return lacking;
    const windows = this.#windowsOf(keys);
    const ofCaller = this.#counter.spend(keys.caller, points, this.#callerLimit(caller));
    const ofTenant = keys.tenant === undefined || this.#counter.spend(keys.tenant, points, this.#tenantLimit(caller));
    if (ofCaller === true && ofTenant === true) return undefined;
    return Promise.all([ofCaller, ofTenant]).then(([own, all]) =>
      own && all ? undefined : this.#refused(caller, keys, windows, points, own, all),
    );
  }

  /**
   * Takes the points of an answer that lay ready, unless a budget is spent: nothing is asked for
   * it, and told only afterwards.
   */
  charge(caller: Caller | null, points: number): Refusal | undefined {
    const spent = this.spentOf(caller);
    if (spent) return spent;
    const keys = this.#keysOf(caller);
    this.#counter.charge(keys.caller, points);
    if (keys.tenant !== undefined) this.#counter.charge(keys.tenant, points);
    return undefined;
  }

  /** Whose points are spent, as far as it is known here: nothing is asked for it. */
  spentOf(caller: Caller | null): Refusal | undefined {
    return this.#lacking(caller, this.#keysOf(caller), LEAST);
  }

  /**
   * What all callers of a tenant together may spend in a minute.
   * @param own the tenant's own limit; null when it has none
   */
  limitOfTenant(own: number | null): number {
    return (this.limits.takesOwn ? own : null) ?? this.limits.perTenant;
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
  #lacking(caller: Caller | null, keys: Keys, points: number): Refusal | undefined {
    if (!this.#counter.has(keys.caller, points, this.#callerLimit(caller)))
      return this.#refusal('caller', caller, keys);
    if (keys.tenant === undefined || this.#counter.has(keys.tenant, points, this.#tenantLimit(caller)))
      return undefined;
    return this.#refusal('tenant', caller, keys);
  }

  /** Gives back what only one of them took. */
  #refused(
    caller: Caller | null,
    keys: Keys,
    windows: Windows,
    points: number,
    ofCaller: boolean,
    ofTenant: boolean,
  ): Refusal {
    if (ofCaller) this.#counter.giveBack(windows.caller, points);
    if (ofTenant && windows.tenant) this.#counter.giveBack(windows.tenant, points);
    return this.#refusal(ofCaller ? 'tenant' : 'caller', caller, keys);
  }

  #windowsOf({ caller, tenant }: Keys): Windows {
    return {
      caller: this.#counter.window(caller),
      tenant: tenant === undefined ? undefined : this.#counter.window(tenant),
    };
  }

  #refusal(of: 'caller' | 'tenant', caller: Caller | null, { caller: own, tenant = '' }: Keys): Refusal {
    if (of === 'tenant') return { of, allowance: this.#counter.allowance(tenant, this.#tenantLimit(caller)) };
    const allowance = this.#counter.allowance(own, this.#callerLimit(caller));
    return { of: caller ? of : 'anonymous', allowance };
  }

  #callerLimit(caller: Caller | null): number {
    return caller ? this.limits.perCaller : this.limits.anonymous;
  }

  #tenantLimit(caller: Caller | null): number {
    return this.limitOfTenant(caller?.tenant?.pointsPerMinute ?? null);
  }

  /** In Redis a subject, which may be a person's address, is not to be read. */
  #keysOf(caller: Caller | null): Keys {
    if (!caller) return this.#anonymous;
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
