import { LRUCache } from 'lru-cache';
import { HOLD_MS } from './outbox/timing.ts';
import { elapsedMs, type Moment, type TrustTerm } from './outbox/trust.ts';
import type { Versions } from './versions.ts';

/** Those of a tenant that falls out are asked for again. */
const MAX_TENANTS = 100_000;

/** Versions as Redis gave them, and the time of trust in which it did. */
export interface TrustedVersions {
  readonly versions: Versions;
  readonly term: TrustTerm;
}

interface Hold {
  /** Before Redis was asked, so that the hold is over here before it is over there. */
  readonly since: Moment;
  readonly asked: Promise<TrustedVersions>;
  /** Absent while Redis is being asked. */
  found?: TrustedVersions;
}

/**
 * The versions that this process takes for current without asking Redis again: it is in Redis's list of those who hold them, and
 * whoever bumps them waits until it has dropped them, or until its time is over.
 */
export class HeldVersions {
  readonly #holds = new LRUCache<string, Hold>({ max: MAX_TENANTS });

  find(tenantId: string, term: TrustTerm): Versions | undefined {
    const found = this.#current(tenantId)?.found;
    return found?.term === term ? found.versions : undefined;
  }

  /** What Redis is being asked for by an earlier caller. Nobody waits for a question that a recall has overtaken. */
  underWay(tenantId: string): Promise<Versions> | undefined {
    const hold = this.#current(tenantId);
    return hold && !hold.found ? hold.asked.then(({ versions }) => versions) : undefined;
  }

  /**
   * Holds what Redis is about to answer, instead of what was held before. An answer that a recall overtakes is not held.
   * @param since before Redis was asked
   */
  put(tenantId: string, since: Moment, asked: Promise<TrustedVersions>): void {
    const hold: Hold = { since, asked };
    this.#holds.set(tenantId, hold);
    asked.then(
      (found) => {
        hold.found = found;
      },
      () => {
        if (this.#holds.peek(tenantId) === hold) this.#holds.delete(tenantId);
      },
    );
  }

  /** A bump has made them old. */
  drop(tenantId: string): void {
    this.#holds.delete(tenantId);
  }

  #current(tenantId: string): Hold | undefined {
    const hold = this.#holds.get(tenantId);
    return hold && elapsedMs(hold.since) < HOLD_MS ? hold : undefined;
  }
}
