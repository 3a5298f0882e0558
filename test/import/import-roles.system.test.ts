import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { createOperatorRole } from '../support/operator-role.ts';
import { createEmptyDatabase, createTestDatabase, onServer, quoteName, withClient } from '../support/postgres.ts';
import {
  ACCOUNTS_HEADER,
  csv,
  importFiles,
  reasonsOf,
  TENANTS_HEADER,
  TWO_TENANTS,
  valuesOf,
} from './import-fixture.ts';

const MIGRATIONS = path.resolve(import.meta.dirname, '../../prisma/migrations');

const CONTENT = `
  SELECT concat_ws('|', slug, t.name, account_number, balance, version, external_id, amount) AS value
    FROM tenants t JOIN bank_accounts a ON a.tenant_id = t.id
    LEFT JOIN transactions x ON (x.tenant_id, x.account_id) = (a.tenant_id, a.id) ORDER BY 1`;
const TOTALS = `
  SELECT concat_ws('|', slug, day, sum(transaction_count), sum(inflow), sum(outflow)) AS value
    FROM daily_totals JOIN tenants ON id = tenant_id GROUP BY slug, day ORDER BY 1`;

/**
 * Changes a name, a time zone, a balance and a transaction of what TWO_TENANTS says, and adds a
 * tenant and a bad row.
 */
const CHANGED = {
  'tenants.csv': csv(TENANTS_HEADER, 'north,North Inc,Asia/Tokyo', 'west,West Ltd,UTC'),
  'accounts.csv': csv(
    ACCOUNTS_HEADER,
    'north,First Bank,0001,CHECKING,ACTIVE,CZK,5,1995-03-24T00:00:00+01:00',
    'west,First Bank,0001,CHECKING,ACTIVE,CZK,0,2020-01-01T00:00:00Z',
    'south,First Bank,0001,LOAN,CLOSED,EUR,0,2020-01-01T00:00:00Z',
  ),
  'transactions.csv': TWO_TENANTS['transactions.csv'].replace('DEBIT,0.0001', 'DEBIT,0.0002'),
};

/** @returns the database's address */
async function freshDatabase(): Promise<string> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

/** A migrated database whose tables belong to an ordinary role. */
async function databaseOfOrdinaryOwner(): Promise<{ url: string; owner: string }> {
  const database = await createEmptyDatabase();
  const owner = `tenantry_test_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE ROLE ${owner} NOSUPERUSER NOBYPASSRLS`);
  await onServer(`ALTER DATABASE ${quoteName(database.name)} OWNER TO ${owner}`);
  onTestFinished(async () => {
    await database.drop();
    await onServer(`DROP ROLE ${owner}`);
  });
  await withClient(database.url, async (client) => {
    await client.query(`SET ROLE ${owner}`);
    for (const name of readdirSync(MIGRATIONS).sort()) {
      if (/^\d/.test(name)) await client.query(readFileSync(path.join(MIGRATIONS, name, 'migration.sql'), 'utf8'));
    }
  });
  return { url: database.url, owner };
}

async function importBoth(url: string, options: { role?: string } = {}) {
  await importFiles(url, TWO_TENANTS, options);
  const result = await importFiles(url, CHANGED, options);
  return {
    tables: result.tables,
    reasons: reasonsOf(result),
    content: await valuesOf(url, CONTENT),
    totals: await valuesOf(url, TOTALS),
  };
}

describe('an import by a role that row-level security holds does what it does for a superuser', () => {
  test('when the role owns the tables', async () => {
    const { url, owner } = await databaseOfOrdinaryOwner();
    expect(await importBoth(url, { role: owner })).toEqual(await importBoth(await freshDatabase()));
  });

  test('when the role was granted to write, and to make temporary tables', async () => {
    const database = await createTestDatabase();
    const { role, drop } = await createOperatorRole(database);
    onTestFinished(() => database.drop().then(drop));
    expect(await importBoth(database.url, { role })).toEqual(await importBoth(await freshDatabase()));
  });
});

test('the role of the service may not import: it has no temporary tables', async () => {
  await expect(importFiles(await freshDatabase(), TWO_TENANTS, { role: SERVICE_ROLE })).rejects.toMatchObject({
    code: '42501',
    message: expect.stringContaining('permission denied to create temporary tables'),
  });
});
