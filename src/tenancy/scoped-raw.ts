import type { Prisma } from '../generated/prisma/client.ts';
import { isFields, TenantScopeError } from './scope-error.ts';

/** The forms whose values are parameters; the others may have anything put into their text. */
const PARAMETERISED = new Set(['$queryRaw', '$executeRaw']);

/** What reads and writes rows. Not SET, DO, COPY and the like. */
const ROW_STATEMENT = /^\s*(?:select|insert|update|delete|merge|with|values)\b/i;
/** What changes for whom row-level security lets rows through. */
const SETTING = /\bset_config\b|\bapp\.(?:tenant_id|directory)\b/i;

/**
 * Lets a repository's own SQL through. What it reads cannot be told from its text: row-level
 * security holds it. Here it must carry its tenant, so that a statement that forgot it is found by
 * whoever writes it.
 * @throws TenantScopeError when the statement has no parameters, changes settings, or lacks the
 *   scope's tenant
 */
export function checkRaw(operation: string, statement: unknown, tenantId: string): void {
  if (!PARAMETERISED.has(operation) || !isSql(statement))
    throw new TenantScopeError(`${operation} is not tenant-safe; use $queryRaw or $executeRaw with Prisma.sql`);
  const { sql, values } = statement;
  if (!ROW_STATEMENT.test(sql) || SETTING.test(sql))
    throw new TenantScopeError(`${operation} takes statements that read and write rows, and no settings`);
  if (!values.includes(tenantId))
    throw new TenantScopeError(`${operation} needs the scope's tenant among the values of its statement`);
}

function isSql(statement: unknown): statement is Prisma.Sql {
  return isFields(statement) && typeof statement.sql === 'string' && Array.isArray(statement.values);
}
