import { execute, type ImportSession, type ImportTenant } from './session.ts';

/**
 * Rows of one INSERT, about: large enough to cost little each, small enough to show progress and to
 * sort in memory.
 */
const BATCH_ROWS = 50_000;
/** What batches are put together from. */
const STRETCH_LINES = 50_000;

const FROM_ACCOUNT = ['account_id', 'currency'];
const FROM_FILE = ['booked_at', 'direction', 'amount', 'balance_after', 'category', 'counterparty_bank', 'description'];
const COLUMNS = [...FROM_ACCOUNT, ...FROM_FILE];
/** The value of each of COLUMNS. */
const VALUES = [...prefixed('account', FROM_ACCOUNT), ...prefixed('staged', FROM_FILE)].join(', ');

const OF_ACCOUNT = `
  account.tenant_slug = staged.tenant_slug AND account.bank_name = staged.bank_name
  AND account.account_number = staged.account_number`;

/**
 * A staged transaction of the tenant $2 (a slug), and the same one of the tenant $1 (an id) in the
 * database.
 */
const STAGED_AND_STORED = `
  staged.tenant_slug = $2 AND staged.problem IS NULL AND ${OF_ACCOUNT}
  AND stored.tenant_id = $1 AND stored.external_id = staged.external_id`;

/** Rows of one tenant that are inserted together: those of a stretch of lines of one file. */
export interface Batch {
  readonly slug: string;
  readonly file: number;
  readonly fromLine: number;
  /** The first line after the stretch. */
  readonly toLine: number;
  readonly rows: number;
}

/** The staged rows of accounts that neither the files nor the database know become rejects. */
export async function rejectUnknownAccounts(session: ImportSession): Promise<void> {
  // One tenant's are read at a time.
  await session.client.query('CREATE INDEX ON pg_temp.import_account_ids (tenant_slug)');
  await session.client.query('ANALYZE pg_temp.import_account_ids');
  await execute(
    session,
    `UPDATE pg_temp.import_transactions staged
        SET problem = format('bank_name, account_number: neither the rows accepted of accounts.csv nor the database have an account %s of %s in this tenant',
                             to_json(account_number), to_json(bank_name))
      WHERE problem IS NULL AND NOT EXISTS (SELECT FROM pg_temp.import_account_ids account WHERE ${OF_ACCOUNT})`,
  );
}

/** What is folded is counted already, and its identity is not known any more. */
export async function rejectFolded(session: ImportSession, { id, slug }: ImportTenant): Promise<void> {
  await execute(
    session,
    `UPDATE pg_temp.import_transactions staged
        SET problem = format('booked_at: transactions of this tenant from before %s are folded into its totals, but got %s',
                             to_json(tenant.folded_until), to_json(staged.booked_at))
       FROM tenants tenant
      WHERE tenant.id = $1 AND staged.tenant_slug = $2 AND staged.problem IS NULL AND staged.booked_at < tenant.folded_until`,
    [id, slug],
  );
}

/**
 * Settles the transactions of a tenant that the database has already, and takes them out of the
 * staged rows: those that are just so are not touched, the others are given what the files say.
 * @returns how many were changed
 */
export async function settleKnown(session: ImportSession, { id, slug }: ImportTenant): Promise<number> {
  const { rows } = await session.client.query('SELECT FROM transactions WHERE tenant_id = $1 LIMIT 1', [id]);
  if (rows.length === 0) return 0;
  await execute(
    session,
    `DELETE FROM pg_temp.import_transactions staged USING pg_temp.import_account_ids account, transactions stored
      WHERE ${STAGED_AND_STORED} AND ROW(${prefixed('stored', COLUMNS)}) IS NOT DISTINCT FROM ROW(${VALUES})`,
    [id, slug],
  );
  return execute(
    session,
    `WITH changed AS (
       UPDATE transactions stored SET (${COLUMNS}) = ROW(${VALUES})
         FROM pg_temp.import_transactions staged, pg_temp.import_account_ids account
        WHERE ${STAGED_AND_STORED} RETURNING staged.file, staged.line
     )
     DELETE FROM pg_temp.import_transactions staged USING changed
      WHERE (staged.file, staged.line) = (changed.file, changed.line) AND staged.tenant_slug = $2`,
    [id, slug],
  );
}

/** How the staged rows are inserted: tenant by tenant, in the order of the files. */
export async function planBatches(session: ImportSession): Promise<Batch[]> {
  const { rows } = await session.client.query<Batch>(
    `SELECT tenant_slug AS slug, file, line / $1 * $1 AS "fromLine", (line / $1 + 1) * $1 AS "toLine", count(*)::int AS rows
       FROM pg_temp.import_transactions WHERE problem IS NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3`,
    [STRETCH_LINES],
  );
  const batches: Batch[] = [];
  for (const stretch of rows) {
    const last = batches.at(-1);
    const joined = last && joinedBatch(last, stretch);
    if (joined) batches[batches.length - 1] = joined;
    else batches.push(stretch);
  }
  return batches;
}

export async function insertBatch(session: ImportSession, tenant: ImportTenant, batch: Batch): Promise<number> {
  return execute(
    session,
    `INSERT INTO transactions (tenant_id, external_id, ${COLUMNS})
     SELECT $1, staged.external_id, ${VALUES}
       FROM pg_temp.import_transactions staged JOIN pg_temp.import_account_ids account ON ${OF_ACCOUNT}
      WHERE staged.tenant_slug = $2 AND staged.problem IS NULL
        AND staged.file = $3 AND staged.line >= $4 AND staged.line < $5
      ORDER BY staged.booked_at, staged.line`,
    [tenant.id, tenant.slug, batch.file, batch.fromLine, batch.toLine],
  );
}

/** A small tenant's rows may lie far apart in a file. */
function joinedBatch(batch: Batch, next: Batch): Batch | undefined {
  const rows = batch.rows + next.rows;
  if (batch.slug !== next.slug || batch.file !== next.file || rows > BATCH_ROWS) return undefined;
  return { ...batch, toLine: next.toLine, rows };
}

function prefixed(table: string, columns: readonly string[]): string[] {
  return columns.map((column) => `${table}.${column}`);
}
