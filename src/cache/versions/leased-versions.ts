import { LRUCache } from 'lru-cache';
import { VERSIONS_LEASE_MS } from '../redis/timing.ts';
import type { TrustedVersions } from './redis-versions.ts';
import { elapsedMs, type Moment, type TrustTerm } from './trust.ts';
import type { Versions } from './versions.ts';

/** Those of a tenant that falls out are asked for again. */
const MAX_TENANTS = 100_000;

/** The last time that Redis was asked for a tenant's versions. */
interface Question {
  /** Before Redis was asked, so that a hold is over here before it is over there. */
  readonly since: Moment;
  /** Absent where the answer is not to be held, or a recall has overtaken it. */
  readonly asked?: Promise<TrustedVersions>;
  /** Absent while Redis is being asked. */
  found?: TrustedVersions;
  /** Whether holding the answer has saved a question. */
  wasUsed: boolean;
}

/**
 * The versions that this process takes for current without asking Redis again: it is in Redis's
 * list of those who hold them, and whoever bumps them waits until it has dropped them, or until its
 * time is over.
 */
export class LeasedVersions {
  readonly #questions = new LRUCache<string, Question>({ max: MAX_TENANTS });

  find(tenantId: string, term: TrustTerm): Versions | undefined {
    const hold = this.#current(tenantId);
    if (hold?.found?.term !== term) return undefined;
    hold.wasUsed = true;
    return hold.found.versions;
  }

  /**
   * Whether holding the next answer is likely to save a question: the last one is less than a hold
   * ago, or what was held then was used. For a tenant that is asked for now and then, it would make
   * each question dearer and save none.
   */
  isWorthwhile(tenantId: string): boolean {
    const last = this.#questions.get(tenantId);
    return last !== undefined && (last.wasUsed || elapsedMs(last.since) < VERSIONS_LEASE_MS);
  }

  /**
   * Redis is asked, and the answer not held. Nobody else may wait for it, since no recall would
   * tell that it is old.
   */
  glance(tenantId: string, since: Moment): void {
    this.#questions.set(tenantId, { since, wasUsed: false });
  }

  /**
   * What Redis is being asked for by an earlier caller. Nobody waits for a question that a recall
   * has overtaken.
   */
  underWay(tenantId: string): Promise<Versions> | undefined {
    const hold = this.#current(tenantId);
    return hold?.found ? undefined : hold?.asked?.then(({ versions }) => versions);
  }

  /**
   * Holds what Redis is about to answer, instead of what was held before. An answer that a recall
   * overtakes is not held.
   * @param since before Redis was asked
   */
  put(tenantId: string, since: Moment, asked: Promise<TrustedVersions>): void {
    const hold: Question = { since, asked, wasUsed: false };
    this.#questions.set(tenantId, hold);
    asked.then(
      (found) => {
        hold.found = found;
      },
      () => {
        if (this.#questions.peek(tenantId) === hold) this.#questions.delete(tenantId);
      },
    );
  }

  /** A bump has made them old. */
  drop(tenantId: string): void {
    const last = this.#questions.get(tenantId);
    if (last) this.#questions.set(tenantId, { since: last.since, wasUsed: last.wasUsed });
  }

  #current(tenantId: string): Question | undefined {
    const hold = this.#questions.get(tenantId);
    return hold?.asked && elapsedMs(hold.since) < VERSIONS_LEASE_MS ? hold : undefined;
  }
}
