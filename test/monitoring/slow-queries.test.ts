import { describe, expect, it } from 'vitest';
import { SlowQueries, type SlowQuery } from '../../src/monitoring/slow-queries.ts';

function slowQuery(sql: string, operation: string | null = null): SlowQuery {
  return {
    sql,
    operation,
    requestId: null,
    durationMs: 300,
    rows: 1,
    model: 'BankAccount',
    action: 'page',
    plan: null,
    advice: null,
    at: new Date(0),
  };
}

describe('the slow queries', () => {
  it('are listed newest first', () => {
    const queries = new SlowQueries(5);
    for (const sql of ['first', 'second', 'third']) queries.add(slowQuery(sql));
    expect(queries.list().map(({ sql }) => sql)).toEqual(['third', 'second', 'first']);
  });

  it('keep only the last ones', () => {
    const queries = new SlowQueries(3);
    for (let number = 1; number <= 8; number++) queries.add(slowQuery(`query ${number}`));
    expect(queries.list().map(({ sql }) => sql)).toEqual(['query 8', 'query 7', 'query 6']);
  });

  it('keep the beginning of a text that is too long', () => {
    const queries = new SlowQueries(1);
    queries.add(slowQuery(`INSERT ${'$1, '.repeat(10_000)}`, 'x'.repeat(1_000)));
    const [kept] = queries.list();
    expect(kept?.sql).toMatch(/^INSERT \$1, /);
    expect(kept?.sql.length).toBe(10_001);
    expect(kept?.operation?.length).toBe(101);
  });
});
