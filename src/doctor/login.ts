import { bypassesRowSecurity, roleRights } from '../database/database-state.ts';
import { administratorsLine, type RightsFinding, type RoleRights } from '../database/role-rights.ts';
import { SERVICE_ROLE } from '../database/service-rights.ts';
import { OperatorError } from '../errors.ts';
import { refuseBypassing, refuseLacking } from '../startup/open-database.ts';
import { type Check, type Finding, ok, warning } from './check.ts';
import { DATABASE } from './database-way.ts';
import { MIGRATIONS } from './schema.ts';
import { asService, type Subject } from './subject.ts';

export const LOGIN = 'login';

export const loginChecks: readonly Check[] = [
  { name: LOGIN, needs: [DATABASE], look: lookAtLogin },
  { name: 'rights', needs: [DATABASE, MIGRATIONS], look: lookAtRights },
];

async function lookAtLogin(subject: Subject): Promise<Finding> {
  if (!(await asService(subject, bypassesRowSecurity))) return ok('row-level security holds it');
  if (subject.isEmbedded) return ok(`a superuser, for which the service takes the role ${SERVICE_ROLE}`);
  try {
    return refuseBypassing();
  } catch (error) {
    // Development goes on with another role than the login's.
    if (subject.config.production || !(error instanceof OperatorError)) throw error;
    return warning(error.message, error.remedy);
  }
}

/** Of the role that the service works as. */
async function lookAtRights(subject: Subject): Promise<readonly Finding[]> {
  const { role, rights } = await asService(subject, async (client) =>
    roleRights(client, (await bypassesRowSecurity(client)) ? SERVICE_ROLE : undefined),
  );
  refuseLacking(role, rights);
  const found = tooMuch(rights);
  return found.length ? found : [ok(`${rights.role} has what the service needs, and no more`)];
}

function tooMuch(rights: RoleRights): Finding[] {
  const { role, ownsTables, surplus, owners } = rights;
  if (ownsTables) return [warning(`${role} owns the tables`, ownsTables)];
  const line = administratorsLine(rights);
  return [
    ...surplus.map(({ what, remedy }) => warning(`${role} has more than the service needs: ${what}`, remedy)),
    ...owners.map(({ what, remedy }: RightsFinding) => warning(what, line ?? remedy)),
  ];
}
