import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { PrismaClient } from '../../src/generated/prisma/client.ts';
import { inStatementContext } from '../../src/tenancy/statement-context.ts';
import { TenantPool } from '../../src/tenancy/tenant-pool.ts';
import { scopedPrisma } from '../../src/tenancy/tenant-prisma.ts';
import { fixtureId, insertAccounts, insertTenant, insertTransactions } from '../support/fixtures.ts';
import { createTestDatabase } from '../support/postgres.ts';

/** Whose scope all attempts run in. */
export const OWN = tenant('own');
/** Whose rows they are after. */
export const THEIRS = tenant('theirs');

const TABLES = [
  'tenants',
  'bank_accounts',
  'transactions',
  'idempotency_keys',
  'folded_totals',
  'daily_totals',
  'account_totals',
];

/**
 * What one tenant has: every text of it begins with its slug, so that it is known wherever it comes
 * out.
 */
export interface LeakTenant {
  readonly id: string;
  readonly slug: string;
  /** An account with a transaction, and one without anything. */
  readonly account: string;
  readonly emptyAccount: string;
  readonly transaction: string;
}

export interface Defences {
  readonly extension: boolean;
  readonly rowLevelSecurity: boolean;
}

/** A model's client whose operations are chosen by name. */
export type Operations = Readonly<Record<string, (args?: object) => Promise<unknown>>>;

/** The service's Prisma client, with all its defences, or with some of them taken away. */
export function clientWith(url: string, { extension, rowLevelSecurity }: Defences, connections = 2) {
  const pool = new TenantPool({
    connectionString: url,
    max: connections,
    ...(rowLevelSecurity && { role: SERVICE_ROLE }),
  });
  const bare = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    // What has no defence has more than the service's client has: the tests take from it what both
    // have.
    prisma: extension ? scopedPrisma(bare) : (bare as unknown as ReturnType<typeof scopedPrisma>),
    async close() {
      await bare.$disconnect();
      await pool.end();
    },
  };
}

/** Runs work as the service does for a caller of the tenant. */
export function within<Result>({ id }: { readonly id: string }, work: () => Promise<Result>): Promise<Result> {
  return inStatementContext({ tenantId: id, action: 'test' }, async () => await work());
}

/** Two tenants in a database of their own, which can be put back as it was. */
export async function createLeakDatabase() {
  const database = await createTestDatabase();
  const sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
  for (const each of [OWN, THEIRS]) await insert(database.url, sql, each);
  for (const table of TABLES) await sql.query(`CREATE TABLE saved_${table} AS SELECT * FROM ${table}`);
  await sql.query(RESTORE);
  const saved = await digest(sql);
  return {
    url: database.url,
    sql,
    /**
     * Whether there is any row of another tenant's that was not there, or one less; all is as it
     * was thereafter.
     */
    async putBack(): Promise<boolean> {
      const { all, others } = await digest(sql);
      if (all !== saved.all) await sql.query('SELECT restore_saved()');
      return others !== saved.others;
    },
    async close() {
      await sql.end();
      await database.drop();
    },
  };
}

function tenant(slug: string): LeakTenant {
  const id = (kind: string) => fixtureId('leak', slug, kind);
  const ids = { account: id('account'), emptyAccount: id('empty account'), transaction: id('transaction') };
  return { id: id('tenant'), slug, ...ids };
}

async function insert(url: string, sql: pg.Client, { id, slug, account, emptyAccount, transaction }: LeakTenant) {
  await insertTenant(url, { id, slug });
  await insertAccounts(url, id, [
    { id: account, bankName: `${slug} bank`, accountNumber: `${slug} 1`, balance: '10' },
    { id: emptyAccount, bankName: `${slug} bank`, accountNumber: `${slug} 2`, balance: '20' },
  ]);
  const fields = { accountId: account, bookedAt: '2025-01-01T00:00:00Z', category: `${slug} rent` };
  await insertTransactions(url, id, [{ ...fields, id: transaction, description: `${slug} description` }]);
  await sql.query("INSERT INTO idempotency_keys (tenant_id, key, request_hash) VALUES ($1, $2, '\\x00')", [id, slug]);
  await sql.query("INSERT INTO folded_totals VALUES ($1, '2020-01-01', 'EUR', $2, 1, 2, 3)", [id, `${slug} rent`]);
}

async function digest(sql: pg.Client): Promise<{ all: string; others: string }> {
  const { rows } = await sql.query({ name: 'digest', text: DIGEST, values: [OWN.id] });
  return rows[0];
}

const ROWS = TABLES.map(
  (table) =>
    `SELECT ${table === 'tenants' ? 'id' : 'tenant_id'} AS owner, '${table}' || r::text AS text FROM ${table} r`,
);
const DIGEST = `
  SELECT md5(string_agg(text, ',' ORDER BY text)) AS all, md5(string_agg(text, ',' ORDER BY text) FILTER (WHERE owner <> $1)) AS others
  FROM (${ROWS.join(' UNION ALL ')}) rows`;

/** A function, whose plans are kept. Without triggers: the totals are among what is put back. */
const RESTORE = `
  CREATE FUNCTION restore_saved() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS $$ BEGIN
    ${TABLES.map((table) => `DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM saved_${table};`).join('\n')}
  END $$`;
