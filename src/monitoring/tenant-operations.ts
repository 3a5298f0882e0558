import { LRUCache } from 'lru-cache';
import { BoundedRegistry } from './bounded-registry.ts';
import { OperationStatistics } from './statistics.ts';

/**
 * Names that one tenant may have; the rest share `OTHER`, so that one tenant does not push out the
 * others.
 */
const MAX_NAMES_PER_TENANT = 50;
/** Pairs of tenant and operation over all tenants: about 3 KB each, so 15 MB when full. */
const MAX_PAIRS = 5_000;

type Operations = BoundedRegistry<OperationStatistics>;

/**
 * Operations by tenant, for those tenants that were active last: one that is quiet for long begins
 * anew.
 */
export class TenantOperations {
  readonly #tenants: LRUCache<string, Operations>;

  constructor(maxPairs = MAX_PAIRS) {
    this.#tenants = new LRUCache({ maxSize: maxPairs, sizeCalculation: (operations) => Math.max(1, operations.size) });
  }

  /** The statistics to record into. */
  entry(tenantId: string, name: string): OperationStatistics {
    const known = this.#tenants.get(tenantId);
    const operations = known ?? new BoundedRegistry(MAX_NAMES_PER_TENANT, (name) => new OperationStatistics(name));
    const sizeBefore = operations.size;
    const entry = operations.entry(name);
    if (operations.size > sizeBefore) this.#resize(tenantId, operations);
    return entry;
  }

  /** Empty for a tenant that is not known (any more). */
  of(tenantId: string): OperationStatistics[] {
    return [...(this.#tenants.peek(tenantId)?.values() ?? [])];
  }

  /** Setting the same value again would not make the cache ask for its size. */
  #resize(tenantId: string, operations: Operations): void {
    this.#tenants.delete(tenantId);
    this.#tenants.set(tenantId, operations);
  }
}
