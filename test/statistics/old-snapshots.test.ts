import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkStatistics } from '../../src/statistics/check.ts';
import { connectPast } from '../cache/change-feed/fixture.ts';
import { fixtureId } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const FOREIGN_KEY_VIOLATION = '23503';

/**
 * Statements that totals depend on, of the tenant $t with its accounts $a and $b; 23:30 in UTC is
 * another day in Tokyo.
 */
const STATEMENTS = {
  'insert a transaction':
    "INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency) VALUES ('$t', '$a', '2026-02-01T23:30:00Z', 'CREDIT', 5, 'EUR')",
  'move transactions within their day':
    "UPDATE transactions SET booked_at = booked_at - interval '10 hours' WHERE tenant_id = '$t' AND category = 'LATE'",
  'change amounts and currencies':
    "UPDATE transactions SET amount = amount + 1, currency = 'USD' WHERE tenant_id = '$t'",
  'delete transactions': "DELETE FROM transactions WHERE tenant_id = '$t' AND category = 'LATE'",
  'insert an account':
    "INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, currency, balance) VALUES ('$t', 'First Bank', uuid_v7()::text, 'CHECKING', 'EUR', 3)",
  'change an account':
    "UPDATE bank_accounts SET currency = 'USD', status = 'FROZEN', balance = balance + 1 WHERE tenant_id = '$t' AND id = '$a'",
  'delete an account': "DELETE FROM bank_accounts WHERE tenant_id = '$t' AND id = '$a'",
  'change the time zone': "UPDATE tenants SET time_zone = 'Asia/Tokyo' WHERE id = '$t'",
  'rebuild the totals': "SELECT statistics_rebuild('$t')",
} as const;
type Statement = keyof typeof STATEMENTS;
const NAMES = Object.keys(STATEMENTS) as Statement[];

let database: TestDatabase;
let clients: Record<'first' | 'second' | 'checker', pg.Client>;
beforeAll(async () => {
  database = await createTestDatabase();
  const connect = () => connectPast(database);
  clients = { first: await connect(), second: await connect(), checker: await connect() };
});
afterAll(async () => {
  for (const client of Object.values(clients ?? {})) await client.end();
  await database?.drop();
});

let tenants = 0;
/**
 * A tenant with two accounts and two transactions, one of them late in the day; gives statements
 * about it.
 */
async function newTenant() {
  const slug = `tenant-${tenants++}`;
  const tenant = fixtureId('tenant', slug);
  const [a = '', b = ''] = ['1', '2'].map((number) => fixtureId(slug, number));
  await clients.checker.query(
    `INSERT INTO tenants (id, slug, name, time_zone) VALUES ('${tenant}', '${slug}', '${slug}', 'UTC');
     INSERT INTO bank_accounts (tenant_id, id, bank_name, account_number, account_type, currency, balance)
     VALUES ('${tenant}', '${a}', 'First Bank', '1', 'CHECKING', 'EUR', 7), ('${tenant}', '${b}', 'First Bank', '2', 'CHECKING', 'EUR', 7);
     INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency, category)
     VALUES ('${tenant}', '${a}', '2026-02-01T03:00:00Z', 'CREDIT', 1, 'EUR', NULL), ('${tenant}', '${b}', '2026-02-01T23:30:00Z', 'DEBIT', 1, 'EUR', 'LATE')`,
  );
  const sql = (name: Statement) => STATEMENTS[name].replaceAll('$t', tenant).replaceAll('$a', a);
  return { tenant, sql };
}

/** Begins a transaction, which takes its snapshot at once. */
const begin = (client: pg.Client, isolation: string) =>
  client.query(`BEGIN ISOLATION LEVEL ${isolation}; SELECT FROM tenants LIMIT 1`);

/** Runs it and commits. @returns what PostgreSQL refused it with, nothing being left of it then */
async function finish(client: pg.Client, sql: string): Promise<pg.DatabaseError | undefined> {
  try {
    await client.query(sql);
    await client.query('COMMIT');
    return undefined;
  } catch (error) {
    await client.query('ROLLBACK');
    return error as pg.DatabaseError;
  }
}

/**
 * Begins with it, again while it is refused: other tests commit on the same server, which is enough
 * where all is made anew.
 */
async function beginWith(client: pg.Client, isolation: string, sql: string): Promise<void> {
  for (;;) {
    await begin(client, isolation);
    try {
      await client.query(sql);
      return;
    } catch (error) {
      await client.query('ROLLBACK');
      expect((error as pg.DatabaseError).code).toBe(SERIALIZATION_FAILURE);
    }
  }
}

/** Resolves when the client's statement waits for another transaction, or is over. */
async function untilBlockedOr(over: Promise<unknown>, client: pg.Client): Promise<void> {
  let isOver = false;
  const settled = () => {
    isOver = true;
  };
  over.then(settled, settled);
  const pid = (client as unknown as { processID: number }).processID;
  while (!isOver) {
    const { rows } = await clients.checker.query('SELECT cardinality(pg_blocking_pids($1)) > 0 AS blocked', [pid]);
    if (rows[0].blocked) return;
  }
}

function expectRefused(error: pg.DatabaseError | undefined): void {
  if (error) expect([SERIALIZATION_FAILURE, DEADLOCK_DETECTED, FOREIGN_KEY_VIOLATION]).toContain(error.code);
}

describe.each([
  { isolation: 'REPEATABLE READ', met: 'READ COMMITTED' },
  { isolation: 'SERIALIZABLE', met: 'SERIALIZABLE' },
])('under $isolation', ({ isolation, met }) => {
  it('a writer that began before the time zone changed is refused, with the reason', async () => {
    const { first, second, checker } = clients;
    for (const name of ['insert a transaction', 'delete transactions', 'move transactions within their day'] as const) {
      const { tenant, sql } = await newTenant();
      await begin(first, isolation);
      await second.query(sql('change the time zone'));
      expect(await finish(first, sql(name))).toMatchObject({
        code: SERIALIZATION_FAILURE,
        message: 'could not keep totals: a tenant was changed after this transaction had taken its snapshot',
      });
      expect(await checkStatistics(checker, tenant)).toEqual([]);
      await begin(first, isolation);
      expect(await finish(first, sql(name))).toBeUndefined();
      expect(await checkStatistics(checker, tenant)).toEqual([]);
    }
  });

  it('a change of the time zone, or a rebuild, that began before a write is refused, with the reason', async () => {
    const { first, second, checker } = clients;
    for (const changer of ['change the time zone', 'rebuild the totals'] as const)
      for (const write of [
        'insert a transaction',
        'move transactions within their day',
        'insert an account',
      ] as const) {
        const { tenant, sql } = await newTenant();
        await begin(first, isolation);
        await second.query(sql(write));
        expect(await finish(first, sql(changer))).toMatchObject({
          code: SERIALIZATION_FAILURE,
          message:
            'could not make totals anew: rows may have been written after this transaction had taken its snapshot',
        });
        await beginWith(first, isolation, sql(changer));
        await first.query('COMMIT');
        expect(await checkStatistics(checker, tenant)).toEqual([]);
      }
  });

  /**
   * Any transaction may be asked for again, not again and again: PostgreSQL's checks of
   * SERIALIZABLE err on the safe side, and so do ours where other tests commit on the same server
   * meanwhile.
   */
  async function repeated(client: pg.Client, statement: string): Promise<unknown> {
    for (let left = 5; ; left--) {
      await begin(client, isolation);
      const refused = await finish(client, statement);
      if (left === 0 || refused?.code !== SERIALIZATION_FAILURE) return refused;
    }
  }

  it('a write for a tenant that came after the snapshot is refused where no relation is checked', async () => {
    const { first, checker } = clients;
    await first.query("SET session_replication_role = 'replica'");
    await begin(first, isolation);
    const { tenant, sql } = await newTenant();
    expect(await finish(first, sql('insert an account'))).toMatchObject({ code: SERIALIZATION_FAILURE });
    expect(await repeated(first, sql('insert an account'))).toBeUndefined();
    expect(await checkStatistics(checker, tenant)).toEqual([]);
    // A tenant that never was is nothing to wait for: its totals are made when it comes.
    const orphan = sql('insert an account').replaceAll(tenant, fixtureId('no tenant', isolation));
    expect(await repeated(first, orphan)).toBeUndefined();
    await first.query('RESET session_replication_role');
  });

  it.each(NAMES)('no total is wrong after "%s" with an old snapshot', async (own) => {
    const { first, second, checker } = clients;
    for (const other of NAMES) {
      const { tenant, sql } = await newTenant();
      await begin(first, isolation);
      await second.query(sql(other));
      expectRefused(await finish(first, sql(own)));
      expect([other, await checkStatistics(checker, tenant)]).toEqual([other, []]);
    }
  });

  it.each(NAMES)('no total is wrong after "%s" met another statement under way', async (own) => {
    const { first, second, checker } = clients;
    for (const other of NAMES) {
      const { tenant, sql } = await newTenant();
      await beginWith(first, isolation, sql(own));
      await begin(second, met);
      const outcome = finish(second, sql(other));
      await untilBlockedOr(outcome, second);
      expectRefused(await finish(first, 'SELECT'));
      expectRefused(await outcome);
      expect([other, await checkStatistics(checker, tenant)]).toEqual([other, []]);
    }
  });
});
