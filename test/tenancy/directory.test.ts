import { afterAll, beforeAll, expect, test } from 'vitest';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let own: TestDatabase;
let database: TenantDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
  for (const slug of ['north', 'south']) await insertTenant(own.url, { slug });
  database = new TenantDatabase({ url: own.url, poolSize: 1, statementTimeoutMs: 5_000, takeServiceRole: true });
});
afterAll(async () => {
  await database.close();
  await own.drop();
});

const names = () => database.directory<{ slug: string }>('SELECT slug FROM tenants ORDER BY slug', []);
const seen = async () =>
  (await database.withConnection((client) => client.query('SELECT slug FROM tenants'))).rows as object[];

test('the directory shows all tenants, and only to the statement that reads it', async () => {
  expect(await names()).toEqual([{ slug: 'north' }, { slug: 'south' }]);
  expect(await seen()).toEqual([]);
});

test('a failure leaves the connection as it was', async () => {
  await expect(database.directory('SELECT 1 / (length($1) - 1)', ['x'])).rejects.toThrow('division by zero');
  expect(await seen()).toEqual([]);
  expect(await names()).toHaveLength(2);
});
