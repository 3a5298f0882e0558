import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStatement, keyText, prismaAttribute, prismaPlace } from '../../src/database/index-definition.ts';
import { readIndexes } from '../../src/database/read-indexes.ts';
import { MODELS, tablesOf } from '../../src/database/tables.ts';
import { ABSENT_INDEXES } from '../../src/indexes/absent.ts';
import { INDEX_CATALOG } from '../../src/indexes/catalog.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

const SCHEMA = readFileSync(path.resolve(import.meta.dirname, '../../prisma/schema.prisma'), 'utf8');

/** The directory of tenants, what the cache's outbox readers read over all tenants, and what processes count. */
const WITHOUT_TENANT = /^(?:tenants$|cache_|service_)/;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());

describe('the catalogue of indexes', () => {
  it('lists exactly the indexes of the migrated database', async () => {
    const found = await withClient(database.url, (client) => readIndexes(client, tablesOf(MODELS)));
    const byName = (indexes: readonly { name: string }[]) => [...indexes].sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(byName(found.map(({ definition }) => definition))).toEqual(
      byName(INDEX_CATALOG.map(({ definition }) => definition)),
    );
    expect(found.filter(({ valid }) => !valid)).toEqual([]);
  });

  it('says each index as prisma/schema.prisma does, and that has no others', () => {
    const catalogued = INDEX_CATALOG.map(
      ({ definition }) => `${prismaPlace(definition)} ${prismaAttribute(definition)}`,
    );
    expect(catalogued.sort()).toEqual(attributesOfSchema().sort());
  });

  it('begins every index of a tenant table with the tenant, but for an operators lookup and what is removed by its age', () => {
    const others = INDEX_CATALOG.filter(
      ({ definition }) => !WITHOUT_TENANT.test(definition.table) && definition.columns[0]?.name !== 'tenant_id',
    );
    expect(others.map(({ definition, keeps }) => [definition.name, keeps])).toEqual([
      ['bank_accounts_number_idx', "operators' lookups over all tenants"],
      ['idempotency_keys_created_idx', 'the removal of old keys, in pieces, by idempotency_keys_clean'],
      ['audit_log_at_idx', 'the removal of old lines, in pieces, by audit_log_clean'],
      ['tenant_usage_bucket_idx', 'the removal of old rows, in pieces, by tenant_usage_clean'],
    ]);
  });

  it('says for every index what needs it, and for every partial one why it is partial', () => {
    expect(INDEX_CATALOG.filter(({ queries, keeps }) => !queries.length && !keeps)).toEqual([]);
    expect(INDEX_CATALOG.filter(({ definition, partial }) => (definition.where !== null) !== Boolean(partial))).toEqual(
      [],
    );
  });

  it('names for what it leaves out an index that is there', () => {
    const names = new Set(INDEX_CATALOG.map(({ definition }) => definition.name));
    for (const { instead } of ABSENT_INDEXES) {
      expect(names).toContain(/[a-z_]+_(?:pkey|key|idx)/.exec(instead)?.[0]);
    }
  });

  it('makes each index by the statement that it prints', async () => {
    const own = await createTestDatabase();
    try {
      const wanted = INDEX_CATALOG.filter(({ definition }) => !definition.primary).map(({ definition }) => definition);
      const rebuilt = await withClient(own.url, async (client) => {
        for (const { name } of wanted) await client.query(`DROP INDEX ${name}`);
        for (const index of wanted) await client.query(createStatement(index));
        return readIndexes(client, tablesOf(MODELS));
      });
      const made = new Map(rebuilt.map(({ definition }) => [definition.name, keyText(definition)]));
      for (const index of wanted) expect(made.get(index.name)).toBe(keyText(index));
    } finally {
      await own.drop();
    }
  });
});

/**
 * For example `BankAccount @@id([tenantId, id])` and `Tenant.slug @unique(map:
 * "tenants_slug_key")`.
 */
function attributesOfSchema(): string[] {
  const models = [...SCHEMA.matchAll(/^model (\w+) \{\n([\s\S]*?)^\}/gm)];
  return models.flatMap(([, model = '', body = '']) =>
    body.split('\n').flatMap((line) => {
      const own = /^\s+(@@(?:id|unique|index)\(.*\))$/.exec(line)?.[1];
      if (own) return [`${model} ${own}`];
      const [, field, attribute] = /^\s+(\w+)\s.*?\s(@(?:id\b|unique\([^)]*\)))/.exec(line) ?? [];
      return field ? [`${model}.${field} ${attribute}`] : [];
    }),
  );
}
