import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { runScript } from '../cli/run-script.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createPlainlyOwnedDatabase } from '../support/plain-owner.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

const ARGUMENTS = ['--tenant', 'largest', '--model', 'BankAccount'];

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await withClient(database.url, async (client) => {
    await client.query(
      `INSERT INTO tenants (slug, name, time_zone) VALUES ('largest', 'L', 'UTC'), ('other', 'O', 'UTC')`,
    );
    await client.query(
      `INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, status, currency)
       SELECT id, 'Bank', 'A' || n, 'CHECKING', CASE WHEN n % 10 = 0 THEN 'CLOSED' ELSE 'ACTIVE' END::account_status, 'EUR'
       FROM tenants, generate_series(1, CASE slug WHEN 'largest' THEN 3000 ELSE 50 END) n`,
    );
    await client.query('ANALYZE');
  });
});
afterAll(() => database?.drop());

const run = (...args: string[]) => runScript('queries-analyze.ts', args, { env: { DATABASE_URL: database.url } });

async function analysis(...args: string[]) {
  const { code, stdout, stderr } = await run(...ARGUMENTS, '--json', ...args);
  expect(stderr).toBe('');
  return { code, ...JSON.parse(stdout) };
}

it('runs a query, a count and a test for one of a tenant’s rows, by its index', async () => {
  const where = ['--where', '{"status":"CLOSED"}'];
  expect(await analysis(...where)).toMatchObject({
    code: 0,
    operation: 'query',
    found: 300,
    verdict: { isServed: true },
  });
  const counted = await analysis(...where, '--operation', 'count');
  expect(counted).toMatchObject({ code: 0, found: 300, statements: [{ rows: 1 }] });
  const one = await analysis('--where', '{"accountNumber":"A7"}');
  expect(one).toMatchObject({ code: 0, found: 1, indexes: [expect.stringMatching(/^bank_accounts_/)] });
  expect(one.verdict.reason).toBe(`It is answered by ${one.indexes[0]}.`);
  expect(await analysis('--where', '{"accountNumber":"none"}', '--operation', 'exists')).toMatchObject({
    found: false,
  });
  expect(await analysis('--operation', 'exists')).toMatchObject({ code: 0, found: true });
});

it('says which index is missing where a whole table is read', async () => {
  const where = ['--where', '{"version":99}', '--operation', 'count'];
  const { code, found, verdict } = await analysis(...where);
  expect({ code, found, isServed: verdict.isServed }).toEqual({ code: 2, found: 0, isServed: false });
  expect(verdict.reason).toBe(
    'It reads the whole table bank_accounts, about 3,050 rows to return 1, and no index fits the filter (version = ?).',
  );
  expect(verdict.suggestion).toBe(
    'CREATE INDEX CONCURRENTLY "bank_accounts_tenant_version_idx" ON "bank_accounts" (tenant_id, version);',
  );
  const text = await run(...ARGUMENTS, ...where);
  expect(text.stdout).toMatch(
    /^count of BankAccount: 0 counted, in .*Seq Scan on bank_accounts.*One that might: CREATE INDEX/s,
  );
});

it('finds the rows of the tenant alone, whatever the condition says of tenants', async () => {
  const { rows } = await withClient(database.url, (client) =>
    client.query("SELECT id FROM tenants WHERE slug = 'other'"),
  );
  expect(await analysis('--where', JSON.stringify({ tenantId: rows[0].id }))).toMatchObject({ found: 0 });
  expect(await analysis('--operation', 'count')).toMatchObject({ found: 3_000 });
});

it('finds the tenant, and its rows alone, for a login that row-level security holds', async () => {
  const owned = await createPlainlyOwnedDatabase();
  onTestFinished(() => owned.drop());
  for (const slug of ['largest', 'other']) await insertTenant(owned.url, { slug });
  for (const role of [owned.owner, SERVICE_ROLE]) {
    const url = new URL(owned.url);
    url.searchParams.set('options', `-c role=${role}`);
    const env = { DATABASE_URL: url.href };
    const args = ['--tenant', 'largest', '--model', 'Tenant', '--operation', 'count', '--json'];
    const { code, stdout, stderr } = await runScript('queries-analyze.ts', args, { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ found: 1, statements: [{ rows: 1 }] });
  }
});

it.each([
  [['--model', 'BankAccount'], '--tenant is missing.'],
  [['--tenant', 'nobody', '--model', 'BankAccount'], 'There is no tenant "nobody".'],
  [['--tenant', 'largest'], '--model must be one of Tenant, BankAccount'],
  [['--tenant', 'largest', '--model', 'CacheOutbox'], 'but got: "CacheOutbox"'],
  [[...ARGUMENTS, '--operation', 'delete'], '--operation must be one of query, count, exists, but got: "delete".'],
  [[...ARGUMENTS, '--where', '[]'], '--where must be an object in JSON, but got: []'],
  [[...ARGUMENTS, '--where', '{'], '--where must be an object in JSON, but got: {'],
  [[...ARGUMENTS, '--where', '{"colour":"red"}'], '--where does not hold: '],
])('refuses %j', async (args, message) => {
  const { code, stderr, stdout } = await run(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(message);
});
