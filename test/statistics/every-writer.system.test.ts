import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkStatistics } from '../../src/statistics/check.ts';
import { connectPast } from '../cache/change-feed/fixture.ts';
import { fixtureId, insertAccounts, insertTenant, insertTransactions } from '../support/fixtures.ts';
import { createPlainlyOwnedDatabase } from '../support/plain-owner.ts';
import { createTestDatabase, onServer, type TestDatabase } from '../support/postgres.ts';

const ISOLATION_LEVELS = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const;

/**
 * Who writes: the role, and whether it names the tenant, without which row-level security lets it
 * see nothing.
 */
interface Writer {
  readonly name: string;
  readonly role: (database: Owned) => string;
  readonly namesTenant: boolean;
  /** Whether it may replay: row-level security and grants are the same there. */
  readonly mayReplay: boolean;
  /**
   * What it may write; absent: everything. The rest is refused, and leaves the totals as they are.
   */
  readonly may?: readonly string[];
}

type Owned = TestDatabase & { readonly owner?: string };

const BYPASSING = `tenantry_test_bypassing_${randomBytes(6).toString('hex')}`;
const WRITERS: readonly Writer[] = [
  { name: 'a superuser', role: () => 'postgres', namesTenant: false, mayReplay: true },
  { name: 'the owner', role: ({ owner }) => owner ?? 'postgres', namesTenant: true, mayReplay: true },
  { name: 'a login with BYPASSRLS', role: () => BYPASSING, namesTenant: false, mayReplay: true },
  {
    name: 'the service',
    role: () => 'tenantry_app',
    namesTenant: true,
    mayReplay: false,
    may: ['insert', 'update of an account'],
  },
];

const cases = WRITERS.flatMap((writer) =>
  ISOLATION_LEVELS.flatMap((isolation) =>
    ['origin', ...(writer.mayReplay ? ['replica'] : [])].map((replication) => ({ writer, isolation, replication })),
  ),
).map((row) => ({
  ...row,
  title: `${row.writer.name}, ${row.isolation}, session_replication_role ${row.replication}`,
}));

beforeAll(() => onServer(`CREATE ROLE ${BYPASSING} BYPASSRLS`));
afterAll(() => onServer(`DROP ROLE ${BYPASSING}`));

describe.each([
  { owner: 'a superuser', create: createTestDatabase as () => Promise<Owned> },
  { owner: 'a plain role', create: createPlainlyOwnedDatabase as () => Promise<Owned> },
])('where $owner owns the tables, totals are exact and the outbox tells of a write by', ({ create }) => {
  let database: Owned;
  let checker: pg.Client;
  let tenant: string;
  let account: string;
  beforeAll(async () => {
    database = await create();
    checker = await connectPast(database);
    await checker.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${BYPASSING}`);
  });
  afterAll(async () => {
    await checker?.end();
    await database?.drop();
  });

  it.each(cases)('$title', async ({ title, writer, isolation, replication }) => {
    const slug = fixtureId(title);
    tenant = await insertTenant(database.url, { slug, timeZone: 'Europe/Prague' });
    const numbers = ['1', '2'].map((accountNumber) => ({ accountNumber, id: fixtureId(slug, accountNumber) }));
    [account = ''] = await insertAccounts(database.url, tenant, numbers);
    const bookedAt = ['2026-03-28T23:30:00Z', '2026-03-29T21:59:59Z'];
    await insertTransactions(
      database.url,
      tenant,
      bookedAt.map((at, index) => ({ accountId: account, bookedAt: at, id: fixtureId(slug, 'movement', `${index}`) })),
    );
    const client = await connectPast(database);
    try {
      await client.query(`SET session_replication_role = ${replication}`);
      await client.query(`SET SESSION AUTHORIZATION ${writer.role(database)}`);
      if (writer.namesTenant) await client.query(`SET app.tenant_id = '${tenant}'`);
      for (const [what, write] of Object.entries(writes(tenant, account, numbers[1]?.id ?? ''))) {
        if (what === 'copy' && (await isHeld(client))) continue;
        if (writer.may && !writer.may.includes(what)) {
          await expect(commit(client, isolation, write)).rejects.toMatchObject({ code: '42501' });
          expect([what, await checkStatistics(checker, tenant)]).toEqual([what, []]);
          continue;
        }
        const xid = await commit(client, isolation, write);
        expect([what, await checkStatistics(checker, tenant)]).toEqual([what, []]);
        const told = await checker.query('SELECT DISTINCT tenant_id FROM cache_outbox WHERE xid = $1', [xid]);
        expect([what, told.rows]).toEqual([what, [{ tenant_id: tenant }]]);
      }
    } finally {
      await client.end();
    }
    const kept = await checker.query(
      'SELECT sum(account_count)::integer AS n FROM account_totals WHERE tenant_id = $1',
      [tenant],
    );
    expect(kept.rows).toEqual([{ n: 2 }]);
  });
});

/**
 * @returns the transaction's id. It is run again as long as others' commits, of any database, are
 *   in its way.
 */
async function commit(client: pg.Client, isolation: string, write: Write): Promise<string> {
  for (;;) {
    await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
    try {
      await write(client);
      const { rows } = await client.query('SELECT pg_current_xact_id()::text AS xid');
      await client.query('COMMIT');
      return rows[0].xid;
    } catch (error) {
      await client.query('ROLLBACK');
      if (!(error instanceof Error && error.message.startsWith('could not make totals anew'))) throw error;
    }
  }
}

/** PostgreSQL has no COPY into tables whose policies hold the writer. */
async function isHeld(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query("SELECT row_security_active('transactions') AS held");
  return rows[0].held;
}

type Write = (client: pg.Client) => Promise<unknown>;

/** One of each kind of statement, in an order in which each finds rows. */
function writes(tenant: string, account: string, other: string): Record<string, Write> {
  const COLUMNS = '(tenant_id, account_id, booked_at, direction, amount, currency, category)';
  const sql =
    (text: string): Write =>
    (client) =>
      client.query(text);
  return {
    insert: sql(
      `INSERT INTO transactions ${COLUMNS} SELECT '${tenant}', '${account}', timestamptz '2026-03-28' + n * interval '5 hours', 'DEBIT', n, 'EUR', 'FEE' FROM generate_series(1, 9) n`,
    ),
    copy: (client) =>
      pipeline(
        [`${tenant},${account},2026-03-29T00:30:00Z,CREDIT,3,USD,\n${tenant},${account},2026-04-01,DEBIT,1,EUR,FEE\n`],
        client.query(copyFrom(`COPY transactions ${COLUMNS} FROM STDIN (FORMAT csv)`)),
      ),
    upsert: sql(
      `INSERT INTO bank_accounts (tenant_id, id, bank_name, account_number, account_type, currency, balance)
       VALUES ('${tenant}', '${other}', 'Third', '2', 'LOAN', 'CZK', 7), ('${tenant}', uuid_v7(), 'Third', '3', 'LOAN', 'CZK', 8)
       ON CONFLICT (tenant_id, id) DO UPDATE SET balance = excluded.balance, currency = excluded.currency`,
    ),
    'update of transactions': sql(
      `UPDATE transactions SET booked_at = booked_at + interval '9 hours', amount = amount + 1 WHERE tenant_id = '${tenant}' AND category = 'FEE'`,
    ),
    'two statements in one': sql(
      `WITH moved AS (UPDATE transactions SET category = 'RENT' WHERE tenant_id = '${tenant}' AND amount > 5 RETURNING id)
       INSERT INTO transactions ${COLUMNS} SELECT '${tenant}', '${account}', '2026-05-01', 'CREDIT', count(*) + 1, 'EUR', NULL FROM moved`,
    ),
    'update of an account': sql(
      `UPDATE bank_accounts SET status = 'FROZEN', balance = 9 WHERE tenant_id = '${tenant}' AND id = '${account}'`,
    ),
    'change of the time zone': sql(`UPDATE tenants SET time_zone = 'Asia/Tokyo' WHERE id = '${tenant}'`),
    'deletion of transactions': sql(`DELETE FROM transactions WHERE tenant_id = '${tenant}' AND category = 'FEE'`),
    'deletion of an account': sql(`DELETE FROM bank_accounts WHERE tenant_id = '${tenant}' AND id = '${account}'`),
  };
}
