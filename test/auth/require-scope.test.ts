import { expect, test } from 'vitest';
import { type Caller, Role } from '../../src/auth/caller.ts';
import { requireScope } from '../../src/auth/require-scope.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';

const scope = TenantScope.ofVerifiedCaller('0190c5a0-0000-7000-8000-000000000001');
const viewer: Caller = { subject: 'ann', name: 'Ann', role: Role.VIEWER, tenant: { scope, slug: 'acme' } };

test('gives the scope of the caller’s own tenant', () => {
  expect(requireScope({ caller: viewer })).toBe(scope);
});

test('asks for a token without a caller', () => {
  expect(() => requireScope({ caller: null })).toThrow(
    expect.objectContaining({ extensions: expect.objectContaining({ code: 'UNAUTHENTICATED' }) }),
  );
});

test('keeps an operator from tenants’ data, and names the roles that see it', () => {
  const operator = { ...viewer, role: Role.OPERATOR, tenant: null };
  expect(() => requireScope({ caller: operator })).toThrow('This needs the role VIEWER or ANALYST or ADMIN.');
});
