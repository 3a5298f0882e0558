import { LRUCache } from 'lru-cache';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { DASHBOARD_PARTS, type DashboardParts } from './dashboard.parts.ts';

/** Of one tenant: its clients have few operations that show a dashboard. */
const MAX_FORMS = 4;

/**
 * What clients ask for of today's dashboards, as far as it is not answered from the response cache:
 * of the tenants that asked last, and of each the forms that it asked for last.
 */
export class AskedDashboards {
  readonly #forms: LRUCache<string, LRUCache<string, DashboardParts>>;

  constructor(maxTenants: number) {
    this.#forms = new LRUCache({ max: maxTenants });
  }

  add({ tenantId }: TenantScope, parts: DashboardParts): void {
    let forms = this.#forms.get(tenantId);
    if (!forms) {
      forms = new LRUCache({ max: MAX_FORMS });
      this.#forms.set(tenantId, forms);
    }
    forms.set(JSON.stringify(parts), parts);
  }

  /** Ids, those that asked last first. */
  tenants(): Iterable<string> {
    return this.#forms.keys();
  }

  /** All that the tenant asked for, in one; undefined when it did not ask. */
  partsOf(tenantId: string): DashboardParts | undefined {
    const forms = this.#forms.peek(tenantId);
    return forms && [...forms.values()].reduce(DASHBOARD_PARTS.join);
  }

  /** Until it asks again. */
  forget(tenantId: string): void {
    this.#forms.delete(tenantId);
  }
}
