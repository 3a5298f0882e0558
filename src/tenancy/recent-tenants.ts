import { isOfNoTenant } from './lanes.ts';

/** A tenant that came within this time counts as one that others share with. */
const RECENT_MS = 1_000;

/** Which tenants came last: two of them tell for each tenant whether another one is active. */
export class RecentTenants {
  readonly #last = { tenant: '', atMs: Number.NEGATIVE_INFINITY };
  /** The last one but for that. */
  readonly #other = { tenant: '', atMs: Number.NEGATIVE_INFINITY };

  /** A tenant comes. Lanes of no tenant keep nobody to a share. */
  note(tenant: string, nowMs: number): void {
    if (isOfNoTenant(tenant)) return;
    if (this.#last.tenant !== tenant) {
      Object.assign(this.#other, this.#last);
      this.#last.tenant = tenant;
    }
    this.#last.atMs = nowMs;
  }

  /** Until when another tenant than this one counts as active. */
  othersUntilMs(tenant: string): number {
    return (this.#last.tenant === tenant ? this.#other : this.#last).atMs + RECENT_MS;
  }
}
