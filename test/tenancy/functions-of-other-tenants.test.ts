import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { rebuildStatistics } from '../../src/statistics/check.ts';
import { insertAccounts, insertTenant, insertTransactions } from '../support/fixtures.ts';
import { createOperatorRole } from '../support/operator-role.ts';
import { createTestDatabase, onServer, type TestDatabase, withClient } from '../support/postgres.ts';

const FUNCTIONS = ['statistics_rebuild($1)', 'cache_outbox_add($1, 1)'];

let database: TestDatabase;
let operator: { role: string; drop(): Promise<void> };
let north: string;
let south: string;

beforeAll(async () => {
  database = await createTestDatabase();
  operator = await createOperatorRole(database);
  north = await insertTenant(database.url, { slug: 'north', timeZone: 'UTC' });
  south = await insertTenant(database.url, { slug: 'south' });
  const [accountId = ''] = await insertAccounts(database.url, north, [{ accountNumber: '1' }]);
  await insertTransactions(database.url, north, [{ accountId, bookedAt: '2026-03-01T23:30:00Z', amount: '7' }]);
});
afterAll(async () => {
  await database?.drop();
  await operator?.drop();
});

/** The service's role, as the service's statements have it, for the tenant north. */
function asService<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  return asRole(SERVICE_ROLE, work);
}

function asRole<Result>(role: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  return withClient(database.url, async (client) => {
    await client.query(`SET ROLE ${role}`);
    await client.query("SELECT set_config('app.tenant_id', $1, false)", [north]);
    return work(client);
  });
}

describe('functions that run with the rights of their owner', () => {
  it.each(FUNCTIONS)('%s is refused for another tenant, and for none', async (call) => {
    await asRole(operator.role, async (client) => {
      await client.query(`SELECT ${call}`, [north]);
      await expect(client.query(`SELECT ${call}`, [south])).rejects.toMatchObject({
        code: '42501',
        message: `permission denied for tenant ${south}`,
      });
      await client.query('RESET app.tenant_id');
      await expect(client.query(`SELECT ${call}`, [north])).rejects.toThrow('permission denied for tenant');
    });
  });

  it.each(FUNCTIONS)('%s is there for a login that row-level security does not hold', async (call) => {
    await withClient(database.url, (client) => client.query(`SELECT ${call}`, [south]));
  });

  it('take no lock of another tenant, nor do their triggers', async () => {
    await withClient(database.url, async (holder) => {
      await holder.query('BEGIN');
      await holder.query('SELECT pg_advisory_xact_lock(statistics_lock_key($1))', [south]);
      await asRole(operator.role, async (client) => {
        await client.query("SET lock_timeout = '2s'");
        const account = `INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, currency)
          VALUES ($1, 'First Bank', '2', 'LOAN', 'EUR')`;
        for (const sql of [...FUNCTIONS.map((call) => `SELECT ${call}`), account])
          await expect(client.query(sql, [south])).rejects.toMatchObject({ code: '42501' });
        for (const sql of [
          'DELETE FROM tenants WHERE id = $1',
          "UPDATE tenants SET time_zone = 'Asia/Tokyo' WHERE id = $1",
        ])
          expect(await client.query(sql, [south])).toMatchObject({ rowCount: 0 });
      });
    });
  });

  it('are not called by the service but for the outbox', async () => {
    await asService(async (client) => {
      await client.query('SELECT cache_outbox_add($1, 1)', [north]);
      await expect(client.query('SELECT statistics_rebuild($1)', [north])).rejects.toMatchObject({ code: '42501' });
    });
  });

  it('what they are made of is for nobody else', async () => {
    await asService((client) =>
      expect(client.query('SELECT statistics_recompute($1)', [north])).rejects.toThrow(
        'permission denied for function statistics_recompute',
      ),
    );
  });

  it('are closed to a login without rights to the tables', async () => {
    const login = `tenantry_test_login_${randomBytes(6).toString('hex')}`;
    await onServer(`CREATE ROLE ${login}`);
    await withClient(database.url, async (client) => {
      await client.query(`SET ROLE ${login}`);
      await client.query("SELECT set_config('app.tenant_id', $1, false)", [north]);
      for (const call of [...FUNCTIONS, 'cache_outbox_clean($1::text::interval)'])
        await expect(client.query(`SELECT ${call}`, [north])).rejects.toThrow('permission denied for function');
    });
    await onServer(`DROP ROLE ${login}`);
  });

  it('rebuild the totals of each tenant for whoever names it, as statistics:rebuild does', async () => {
    await withClient(database.url, async (client) => {
      await client.query(`SET ROLE ${operator.role}`);
      await rebuildStatistics(client, south);
      await rebuildStatistics(client, north);
    });
    expect(await days()).toEqual(['2026-03-01']);
  });

  it('rebuild the days of a tenant whose time zone a role changes that row-level security holds', async () => {
    await asRole(operator.role, (client) =>
      client.query("UPDATE tenants SET time_zone = 'Asia/Tokyo' WHERE id = $1", [north]),
    );
    expect(await days()).toEqual(['2026-03-02']);
  });

  it('rebuild them also when an operator changes it past the service', async () => {
    await withClient(database.url, (client) =>
      client.query("UPDATE tenants SET time_zone = 'UTC' WHERE id = $1", [north]),
    );
    expect(await days()).toEqual(['2026-03-01']);
  });
});

async function days(): Promise<string[]> {
  const { rows } = await withClient(database.url, (client) =>
    client.query<{ day: string }>('SELECT day::text FROM daily_totals WHERE tenant_id = $1 AND transaction_count > 0', [
      north,
    ]),
  );
  return rows.map(({ day }) => day);
}
