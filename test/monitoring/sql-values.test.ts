import { describe, expect, it } from 'vitest';
import { isPlainRead, withoutValues } from '../../src/monitoring/sql-values.ts';

describe('a statement', () => {
  it.each([
    'SELECT id, updated_at FROM bank_accounts WHERE tenant_id = $1',
    '\n  WITH page AS MATERIALIZED (SELECT $1) SELECT * FROM page',
    `SELECT "update" FROM "delete" WHERE note = 'insert into it''s'`,
    'VALUES (1)',
  ])('is one that only reads: %s', (sql) => {
    expect(isPlainRead(sql)).toBe(true);
  });

  it.each([
    'INSERT INTO bank_accounts SELECT 1',
    'WITH gone AS (DELETE FROM bank_accounts RETURNING *) SELECT * FROM gone',
    'WITH moved AS (\nuPdAtE bank_accounts SET balance = 0 RETURNING *) SELECT * FROM moved',
    'WITH merged AS (MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE RETURNING *) SELECT 1',
    'SELECT * INTO copied FROM bank_accounts',
    'SELECT * FROM bank_accounts FOR UPDATE',
    'SELECT * FROM bank_accounts FOR KEY SHARE',
    'EXPLAIN ANALYZE SELECT 1',
    'BEGIN; SET LOCAL app.tenant_id = $1',
    'CALL rebuild()',
    'DO $$ BEGIN END $$',
  ])('is one that may write: %s', (sql) => {
    expect(isPlainRead(sql)).toBe(false);
  });

  it.each([
    `SELECT 1 /* it's */, 'DELETE' -- '`,
    `SELECT E'\\'' , DELETE, '`,
    `SELECT $a$'$a$, DELETE, '`,
    'SELECT 1; DELETE FROM bank_accounts',
  ])('is taken for one that writes when its text leaves doubts: %s', (sql) => {
    expect(isPlainRead(sql)).toBe(false);
  });
});

describe('a condition', () => {
  it('keeps its columns, operators, types and parameters, and none of its values', () => {
    const condition =
      "((tenant_id = 'a1b2'::uuid) AND (t1.\"odd'name\" = ANY ('{x,y}'::text[])) AND (n > 12.5) AND (f < 1e+10) AND active = true AND (id = $3) AND (s <> E'it\\\\''s\\'') AND (bits = B'101'))";
    expect(withoutValues(condition)).toBe(
      '((tenant_id = ?::uuid) AND (t1."odd\'name" = ANY (?::text[])) AND (n > ?) AND (f < ?) AND active = ? AND (id = $3) AND (s <> ?) AND (bits = B?))',
    );
  });
});
