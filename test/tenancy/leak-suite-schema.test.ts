import { readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isolationFaults } from '../support/leak-test.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const SCHEMA = readFileSync(path.resolve(import.meta.dirname, '../../prisma/schema.prisma'), 'utf8');

const OWN_ROWS = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid";
/** A table as it ought to be. */
const CARDS = `
  CREATE TABLE cards (tenant_id uuid NOT NULL, id uuid, account_id uuid, name text, PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT cards_account FOREIGN KEY (tenant_id, account_id) REFERENCES bank_accounts (tenant_id, id));
  CREATE UNIQUE INDEX cards_name ON cards (tenant_id, name);
  ALTER TABLE cards ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  CREATE POLICY tenant_isolation ON cards USING (${OWN_ROWS});`;
const ISOLATION = `CREATE POLICY tenant_isolation ON cards USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)`;
const BEYOND = `lets in more than the tenant's rows: expected USING (${OWN_ROWS})`;

let database: TestDatabase;
let sql: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

/** The faults of the database after statements, which are undone. */
async function faultsAfter(statements: string): Promise<string[]> {
  await sql.query(`BEGIN; ${statements}`);
  try {
    return await isolationFaults(sql, SCHEMA);
  } finally {
    await sql.query('ROLLBACK');
  }
}

test('every table, key, index, policy and relation of the product keeps tenants apart', async () => {
  expect(await isolationFaults(sql, SCHEMA)).toEqual([]);
});

describe('a new table', () => {
  test('has no fault when it has all that keeps tenants apart', async () => {
    expect(await faultsAfter(CARDS)).toEqual([]);
  });

  test.each([
    [
      'no tenant',
      'CREATE TABLE plain (id uuid)',
      'table plain has no tenant_id: add it, or list the table with a reason in test/support/leak-test.ts',
    ],
    [
      'a tenant that may be null',
      `${CARDS} ALTER TABLE cards DROP CONSTRAINT cards_pkey, ADD PRIMARY KEY (id); ALTER TABLE cards ALTER tenant_id DROP NOT NULL`,
      'cards.tenant_id is uuid: expected uuid not null',
    ],
    [
      'no row-level security',
      `${CARDS} ALTER TABLE cards DISABLE ROW LEVEL SECURITY`,
      'ALTER TABLE cards ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY is missing',
    ],
    [
      'none for its owner',
      `${CARDS} ALTER TABLE cards NO FORCE ROW LEVEL SECURITY`,
      'ALTER TABLE cards ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY is missing',
    ],
    ['no policy', `${CARDS} DROP POLICY tenant_isolation ON cards`, `${ISOLATION} is missing`],
    [
      'a policy for reads only',
      `${CARDS} DROP POLICY tenant_isolation ON cards; CREATE POLICY reads ON cards FOR SELECT USING (${OWN_ROWS})`,
      `${ISOLATION} is missing`,
    ],
    [
      'a policy that lets all be written',
      `${CARDS} DROP POLICY tenant_isolation ON cards; CREATE POLICY tenant_isolation ON cards USING (${OWN_ROWS}) WITH CHECK (true)`,
      `policy tenant_isolation of cards ${BEYOND}`,
    ],
    [
      'a second, wider policy',
      `${CARDS} CREATE POLICY wide ON cards FOR SELECT USING (name = 'public')`,
      `policy wide of cards ${BEYOND}`,
    ],
    [
      'another primary key',
      `${CARDS} ALTER TABLE cards DROP CONSTRAINT cards_pkey, ADD PRIMARY KEY (id, tenant_id)`,
      'the primary key of cards must begin with tenant_id: @@id([tenantId, …])',
    ],
    [
      'a unique key of all tenants',
      `${CARDS} CREATE UNIQUE INDEX cards_all ON cards (name)`,
      'index cards_all of cards must begin with tenant_id, not with name',
    ],
    [
      'an index on an expression',
      `${CARDS} CREATE INDEX cards_lower ON cards (lower(name))`,
      'index cards_lower of cards must begin with tenant_id, not with null',
    ],
    [
      'a foreign key without the tenant',
      `${CARDS} CREATE TABLE banks (id uuid PRIMARY KEY); ALTER TABLE cards ADD CONSTRAINT cards_bank FOREIGN KEY (id) REFERENCES banks (id)`,
      'foreign key cards_bank of cards must begin with tenant_id and refer to banks (tenant_id, …)',
    ],
    [
      'a foreign key that follows updates',
      `${CARDS} ALTER TABLE cards DROP CONSTRAINT cards_account, ADD CONSTRAINT cards_account FOREIGN KEY (tenant_id, account_id) REFERENCES bank_accounts (tenant_id, id) ON UPDATE CASCADE`,
      'foreign key cards_account of cards carries changes of the key on: add onUpdate: NoAction',
    ],
    [
      'a view of all',
      'CREATE VIEW everything AS SELECT * FROM bank_accounts',
      "view everything reads with its owner's rights: create it WITH (security_invoker), and no materialized one",
    ],
  ])('with %s is told what it lacks', async (_, statements, fault) => {
    expect(await faultsAfter(statements)).toContain(fault);
  });
});

describe('a new model', () => {
  const COLUMNS = 'tenantId String @map("tenant_id") @db.Uuid\n id String @db.Uuid\n accountId String @db.Uuid';

  test.each([
    ['without a tenant', 'model Card {\n id String @id\n}', /^model Card has no tenantId: add "tenantId String/],
    [
      'whose relation lacks the tenant',
      `model Card {\n ${COLUMNS}\n tenant Tenant @relation(fields: [id], references: [id])\n}`,
      /^relation Card.tenant could lead to another tenant: expected fields: \[tenantId, …\]/,
    ],
    [
      'whose relation follows updates',
      `model Card {\n ${COLUMNS}\n tenant Tenant @relation(fields: [tenantId], references: [id])\n}`,
      /^relation Card.tenant would carry changes of a key on: add onUpdate: NoAction$/,
    ],
    [
      'with a hidden join table',
      `model Card {\n ${COLUMNS}\n tags Tag[]\n}\nmodel Tag {\n ${COLUMNS}\n cards Card[]\n}`,
      /^relation Card.tags has its key on neither side/,
    ],
    [
      'that leads to what is no tenant’s',
      `model Card {\n ${COLUMNS}\n trust CacheTrust @relation(fields: [id], references: [serverId])\n}`,
      /^relation Card.trust leads to CacheTrust, which belongs to no tenant/,
    ],
  ])('%s is told what it lacks', async (_, model, fault) => {
    expect(await isolationFaults(sql, `${SCHEMA}\n${model}`)).toEqual([expect.stringMatching(fault)]);
  });

  test('that was removed is removed from the list of those without a tenant', async () => {
    const [fault] = await isolationFaults(sql, SCHEMA.replace('model CacheTrust', 'model Elsewhere'));
    expect(fault).toBe('MODELS_OF_NO_TENANT lists CacheTrust, which is no model: remove it');
  });
});
