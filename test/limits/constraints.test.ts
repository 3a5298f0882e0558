import { afterAll, beforeAll, expect, test } from 'vitest';
import { END_OF_INSTANTS, FIRST_INSTANT, LIMITS, type Limit, MAX_MONEY } from '../../src/limits.ts';
import type { Model } from '../../src/models/define-model.ts';
import { REGISTERED_MODELS } from '../../src/registered-models.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** The limit as a condition on its column. */
function conditionOf(column: string, limit: Limit): string {
  switch (limit.kind) {
    case 'text':
      return `char_length(${column}) BETWEEN 1 AND ${limit.maxLength}${limit.pattern ? ` AND ${column} ~ '${limit.pattern}'` : ''}`;
    case 'timeZone':
      return `${column} ~ '${limit.pattern}' AND (timestamptz '2000-01-01 00:00:00+00' AT TIME ZONE ${column}) IS NOT NULL`;
    case 'money':
      return `${column} BETWEEN -${MAX_MONEY} AND ${MAX_MONEY}`;
    case 'positiveMoney':
      return `${column} > 0 AND ${column} <= ${MAX_MONEY}`;
    case 'sum':
      return `${column} <> 'NaN'`;
    case 'instant':
      return `${column} >= '${FIRST_INSTANT}' AND ${column} < '${END_OF_INSTANTS}'`;
    case 'count':
      return `${column} >= 1`;
  }
}

const CONSTRAINTS = `
  SELECT conrelid::regclass::text AS table, conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
   WHERE contype = 'c' AND connamespace = $1::regnamespace ORDER BY 1, 2`;

/**
 * Of columns that no client and no import fills: an operator's number, and records whose texts
 * src/audit cuts to fit.
 */
const OF_NO_INPUT = [
  'audit_log_length_check',
  'audit_log_outcome_check',
  'audit_log_times_check',
  'service_minutes_minute_check',
  'service_minutes_size_check',
  'service_processes_size_check',
  'tenant_usage_errors_check',
  'tenant_usage_figures_check',
  'tenants_keep_transactions_days_check',
  'tenants_points_per_minute_check',
];

/** Those of models that were added follow from their columns, and are tested with the model. */
const MADE_TABLES = Object.values<Model>(REGISTERED_MODELS).map(({ table }) => table);

test('the database has the CHECK constraints of the table of limits, and no others', async () => {
  await withClient(database.url, async (client) => {
    const { rows } = await client.query<{ table: string; name: string }>(CONSTRAINTS, ['public']);
    const actual = rows.filter(({ table }) => !MADE_TABLES.includes(table));
    // PostgreSQL writes conditions in its own way: the table's are given to it, and read back.
    await client.query('CREATE SCHEMA expected; SET search_path = expected, public');
    for (const [table, columns] of Object.entries(LIMITS)) {
      const checks = Object.entries<Limit>(columns).map(
        ([column, limit]) => `CONSTRAINT ${table}_${column}_check CHECK (${conditionOf(column, limit)})`,
      );
      await client.query(`CREATE TABLE ${table} (LIKE public.${table}, ${checks.join(', ')})`);
    }
    const { rows: expected } = await client.query(CONSTRAINTS, ['expected']);
    await client.query('SET search_path = public');
    expect(expected.length).toBeGreaterThan(20);
    const isOfNoInput = ({ name }: { name: string }) => OF_NO_INPUT.includes(name);
    expect(actual.filter(isOfNoInput).map(({ name }) => name)).toEqual(OF_NO_INPUT);
    expect(actual.filter((constraint) => !isOfNoInput(constraint))).toEqual(expected);
  });
});

test('every column that somebody fills has a limit, or a type that is one', async () => {
  const unlimited = await withClient(database.url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT concat_ws('.', table_name, column_name) AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = ANY ($1)
          AND data_type IN ('text', 'numeric', 'timestamp with time zone') ORDER BY 1`,
      [Object.keys(LIMITS)],
    );
    const tables: Record<string, object> = LIMITS;
    return rows
      .map(({ name }) => name)
      .filter((name) => {
        const [table = '', column = ''] = name.split('.');
        return !(column in (tables[table] ?? {}));
      });
  });
  // The totals' texts are those of the rows they are sums of; nobody is shown when a key was used.
  expect(unlimited).toEqual([
    'account_totals.bank_name',
    'account_totals.currency',
    'daily_totals.category',
    'daily_totals.currency',
    'folded_totals.category',
    'folded_totals.currency',
    'idempotency_keys.created_at',
  ]);
});
