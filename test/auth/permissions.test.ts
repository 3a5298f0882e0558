import { expect, test } from 'vitest';
import { type Caller, ROLES, type Role } from '../../src/auth/caller.ts';
import { may, PERMISSIONS, type Permission, requirePermission, roleFor } from '../../src/auth/permissions.ts';
import { ErrorCode } from '../../src/errors.ts';

const callerWith = (role: Role): Caller => ({ subject: 'ann', name: 'Ann', role, tenant: null });

/** By role, in the order of `ROLES`. */
const WHO_MAY: Readonly<Record<Permission, string>> = {
  readTenant: 'VIEWER ANALYST ADMIN',
  refreshAnswers: 'ANALYST ADMIN',
  seePerformance: 'ANALYST ADMIN OPERATOR',
  seeAllTenants: 'OPERATOR',
  writeAccounts: 'ADMIN',
  writeTransactions: 'ADMIN',
  invalidateCache: 'ADMIN',
  readAuditLog: 'ADMIN',
};

test.each(Object.keys(PERMISSIONS) as Permission[])('%s is for the roles of the table alone', (permission) => {
  const allowed = ROLES.filter((role) => may(callerWith(role), permission));
  expect(allowed.join(' ')).toBe(WHO_MAY[permission]);
  expect(may(null, permission)).toBe(false);
  for (const role of ROLES) {
    const ask = () => requirePermission(callerWith(role), permission);
    if (allowed.includes(role)) expect(ask).not.toThrow();
    else expect(ask).toThrow(expect.objectContaining({ extensions: { code: ErrorCode.Forbidden } }));
  }
  expect(() => requirePermission(null, permission)).toThrow('A valid bearer token is needed');
});

test('descriptions name the roles as a person would', () => {
  expect(roleFor('writeAccounts')).toBe('the role ADMIN');
  expect(roleFor('seePerformance')).toBe('the role ANALYST, ADMIN or OPERATOR');
});
