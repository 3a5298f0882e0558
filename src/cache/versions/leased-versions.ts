import { LRUCache } from 'lru-cache';
import { VERSIONS_LEASE_MS } from '../redis/timing.ts';
import type { TrustedVersions } from './redis-versions.ts';
import { elapsedMs, type Moment, type TrustTerm } from './trust.ts';
import type { Versions } from './versions.ts';

/** Those of a tenant that falls out are asked for again. */
const MAX_TENANTS = 100_000;

/** The last time that Redis was asked for a tenant's versions. */
interface Question {
  /** Before Redis was asked, so that a lease is over here before it is over there. */
  readonly since: Moment;
  /** Absent where no lease was asked for, or a revocation has overtaken the answer. */
  readonly asked?: Promise<TrustedVersions>;
  /** Absent while Redis is being asked. */
  found?: TrustedVersions;
  /** Whether the lease has saved a question. */
  wasUsed: boolean;
}

/**
 * The versions that this process takes for current without asking Redis again. Redis lists its
 * leases, and whoever bumps the versions waits until the process has dropped its lease, or until
 * that is over.
 */
export class LeasedVersions {
  readonly #questions = new LRUCache<string, Question>({ max: MAX_TENANTS });

  find(tenantId: string, term: TrustTerm): Versions | undefined {
    const lease = this.#current(tenantId);
    if (lease?.found?.term !== term) return undefined;
    lease.wasUsed = true;
    return lease.found.versions;
  }

  /**
   * Whether a lease is likely to save a question: the last question is less than a lease ago, or
   * the last lease was used. For a tenant that is asked for now and then a lease would make each
   * question dearer and save none.
   */
  isWorthwhile(tenantId: string): boolean {
    const last = this.#questions.get(tenantId);
    return last !== undefined && (last.wasUsed || elapsedMs(last.since) < VERSIONS_LEASE_MS);
  }

  /**
   * Redis is asked, without a lease. Nobody else may wait for the answer, since no revocation would
   * tell that it is old.
   */
  glance(tenantId: string, since: Moment): void {
    this.#questions.set(tenantId, { since, wasUsed: false });
  }

  /**
   * What Redis is being asked for by an earlier caller. Nobody waits for a question that a
   * revocation has overtaken.
   */
  underWay(tenantId: string): Promise<Versions> | undefined {
    const lease = this.#current(tenantId);
    return lease?.found ? undefined : lease?.asked?.then(({ versions }) => versions);
  }

  /**
   * Takes a lease on what Redis is about to answer, instead of the one before. An answer that a
   * revocation overtakes is under no lease.
   * @param since before Redis was asked
   */
  put(tenantId: string, since: Moment, asked: Promise<TrustedVersions>): void {
    const lease: Question = { since, asked, wasUsed: false };
    this.#questions.set(tenantId, lease);
    asked.then(
      (found) => {
        lease.found = found;
      },
      () => {
        if (this.#questions.peek(tenantId) === lease) this.#questions.delete(tenantId);
      },
    );
  }

  /** They were bumped. */
  drop(tenantId: string): void {
    const last = this.#questions.get(tenantId);
    if (last) this.#questions.set(tenantId, { since: last.since, wasUsed: last.wasUsed });
  }

  /** Any may have been bumped. */
  dropAll(): void {
    this.#questions.clear();
  }

  #current(tenantId: string): Question | undefined {
    const lease = this.#questions.get(tenantId);
    return lease?.asked && elapsedMs(lease.since) < VERSIONS_LEASE_MS ? lease : undefined;
  }
}
