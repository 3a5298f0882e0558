import { afterChange, changeTime } from '../accounts/account.locks.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { MAX_INTEGER } from '../limits.ts';
import { execute, type ImportSession, type ImportTenant } from './session.ts';

/**
 * A staged account of the tenant $2 (a slug), and the same account of the tenant $1 (an id) in the
 * database.
 */
const STAGED_AND_STORED = `
  staged.tenant_slug = $2 AND staged.problem IS NULL AND stored.tenant_id = $1
  AND stored.bank_name = staged.bank_name AND stored.account_number = staged.account_number`;

/**
 * What an import may change of an account: all that the files say beside its identity and its
 * currency.
 */
const DIFFERS = `
  (stored.account_type, stored.status, stored.balance, stored.created_at)
  IS DISTINCT FROM (staged.account_type, staged.status, staged.balance, staged.created_at)`;

/** The accounts are locked by then. */
const UPDATED_AT = `greatest(${changeTime(afterChange(Prisma.sql`stored.updated_at`)).sql}, stored.updated_at)`;

/** Makes the table that tells the transactions which accounts there are. */
export async function createAccountIds(session: ImportSession): Promise<void> {
  await session.client.query(
    `CREATE TEMP TABLE import_account_ids
       (tenant_slug text, bank_name text, account_number text, account_id uuid, currency text)`,
  );
}

/** Inserts a tenant's new accounts, and notes the ids of all it has. @returns how many were new */
export async function insertAccounts(session: ImportSession, { id, slug }: ImportTenant): Promise<number> {
  await execute(
    session,
    `UPDATE pg_temp.import_accounts staged
        SET problem = CASE WHEN stored.currency <> staged.currency
          THEN format('currency: the account is in %s, which never changes', stored.currency)
          ELSE format('version: the account has the last one, %s, and cannot be changed any more', stored.version) END
       FROM bank_accounts stored WHERE ${STAGED_AND_STORED}
        AND (stored.currency <> staged.currency OR (stored.version = ${MAX_INTEGER} AND ${DIFFERS}))`,
    [id, slug],
  );
  const inserted = await execute(
    session,
    `INSERT INTO bank_accounts
       (tenant_id, bank_name, account_number, account_type, status, currency, balance, created_at, updated_at)
     SELECT $1, bank_name, account_number, account_type, status, currency, balance, created_at, created_at
       FROM pg_temp.import_accounts WHERE tenant_slug = $2 AND problem IS NULL ORDER BY created_at, file, line
     ON CONFLICT (tenant_id, bank_name, account_number) DO NOTHING`,
    [id, slug],
  );
  await execute(
    session,
    `INSERT INTO pg_temp.import_account_ids
     SELECT $2, bank_name, account_number, id, currency FROM bank_accounts WHERE tenant_id = $1`,
    [id, slug],
  );
  return inserted;
}

/**
 * Gives a tenant's accounts that were there already what the files say of them. Comes last of all,
 * since from here to the commit other writers of these accounts wait.
 * @returns how many were changed
 */
export async function updateAccounts(session: ImportSession, { id, slug }: ImportTenant): Promise<number> {
  // In the order of their ids, as the service locks accounts, so that the two never wait for one
  // another.
  const different = await execute(
    session,
    `SELECT FROM bank_accounts stored, pg_temp.import_accounts staged
      WHERE ${STAGED_AND_STORED} AND ${DIFFERS} ORDER BY stored.id FOR NO KEY UPDATE OF stored`,
    [id, slug],
  );
  if (different === 0) return 0;
  return execute(
    session,
    `UPDATE bank_accounts stored
        SET account_type = staged.account_type, status = staged.status, balance = staged.balance,
            created_at = staged.created_at, updated_at = ${UPDATED_AT}, version = version + 1
       FROM pg_temp.import_accounts staged WHERE ${STAGED_AND_STORED} AND ${DIFFERS}`,
    [id, slug],
  );
}
