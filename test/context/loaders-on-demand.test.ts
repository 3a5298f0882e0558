import { expect, test } from 'vitest';
import { loadersOnDemand } from '../../src/context/loaders-on-demand.ts';
import type { TenantScope } from '../../src/tenancy/tenant-scope.ts';

test('loaders of a feature are made once in a request, when they are asked for, and for its own scope', () => {
  const made: unknown[] = [];
  const maker = (feature: string) => (scope: TenantScope) => {
    made.push([feature, scope]);
    return { feature, scope };
  };
  const features = ['accounts', 'dashboards', 'models', 'statistics', 'tenants', 'transactions'] as const;
  const makers = Object.fromEntries(features.map((feature) => [feature, maker(feature)]));
  const createLoaders = loadersOnDemand(makers as unknown as Parameters<typeof loadersOnDemand>[0]);
  const [one, other] = ['one', 'other'] as unknown as [TenantScope, TenantScope];
  const [ofOne, ofOther] = [createLoaders(one), createLoaders(other)];
  expect(made).toEqual([]);
  expect(ofOne.accounts).toEqual({ feature: 'accounts', scope: one });
  expect(ofOne.accounts).toBe(ofOne.accounts);
  expect(ofOther.accounts).toEqual({ feature: 'accounts', scope: other });
  expect(ofOne.tenants).not.toBe(ofOne.accounts);
  expect(made).toEqual([
    ['accounts', one],
    ['accounts', other],
    ['tenants', one],
  ]);
});
