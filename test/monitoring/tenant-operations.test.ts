import { describe, expect, it } from 'vitest';
import { OTHER } from '../../src/monitoring/bounded-registry.ts';
import { TenantOperations } from '../../src/monitoring/tenant-operations.ts';

function record(operations: TenantOperations, tenantId: string, ...names: string[]): void {
  for (const name of names) operations.entry(tenantId, name).record(1, 0, false);
}

function countsOf(operations: TenantOperations, tenantId: string) {
  return Object.fromEntries(operations.of(tenantId).map((each) => [each.name, each.latency().count]));
}

describe('operations by tenant', () => {
  it('keeps the same operation of two tenants apart', () => {
    const operations = new TenantOperations();
    record(operations, 'a', 'Accounts', 'Accounts');
    record(operations, 'b', 'Accounts', 'Dashboard');
    expect(countsOf(operations, 'a')).toEqual({ Accounts: 2 });
    expect(countsOf(operations, 'b')).toEqual({ Accounts: 1, Dashboard: 1 });
  });

  it('knows nothing of a tenant that did nothing', () => {
    expect(new TenantOperations().of('nobody')).toEqual([]);
  });

  it('forgets the tenants that were quiet longest when there are too many pairs of tenant and operation', () => {
    const operations = new TenantOperations(4);
    record(operations, 'quiet', 'A', 'B');
    record(operations, 'busy', 'A', 'B');
    record(operations, 'new', 'A');
    expect(countsOf(operations, 'quiet')).toEqual({});
    expect(countsOf(operations, 'busy')).toEqual({ A: 1, B: 1 });
    expect(countsOf(operations, 'new')).toEqual({ A: 1 });
  });

  it('gives one tenant no more than its share of names', () => {
    const operations = new TenantOperations();
    record(operations, 'a', ...Array.from({ length: 60 }, (_, number) => `Operation${number}`));
    expect(operations.of('a')).toHaveLength(51);
    expect(countsOf(operations, 'a')[OTHER]).toBe(10);
  });
});
