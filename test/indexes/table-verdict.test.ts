import { describe, expect, it } from 'vitest';
import { type JudgedTable, tableVerdict } from '../../src/indexes/table-verdict.ts';

const NOW = Date.parse('2026-12-03T12:00:00Z');
const VACUUM = 'vacuum is behind: VACUUM (ANALYZE) transactions';

function verdict(figures: Partial<JudgedTable>): string {
  const table = {
    ...{ table: 'transactions', rows: 20_000, deadRows: 0, vacuumAtDeadRows: 4_050 },
    ...{ sequentialScans: 0, sequentialRows: 0, indexRows: 1_000_000 },
    ...{ lastVacuum: '2026-12-03T11:30:00.000Z', lastAnalyze: '2026-12-03T11:30:00.000Z' },
    ...figures,
  };
  return tableVerdict(table, NOW);
}

describe('the verdict on a table', () => {
  it('is fine for one that is vacuumed, analyzed and found by its indexes', () => {
    expect(verdict({})).toBe('fine');
    expect(verdict({ rows: 0, indexRows: 0, lastVacuum: null, lastAnalyze: null })).toBe('fine');
  });

  it.each([
    [4_050, null, 'fine'],
    [4_051, null, VACUUM],
    [4_051, '2026-12-03T10:59:59.000Z', VACUUM],
    [4_051, '2026-12-03T11:00:00.000Z', 'fine'],
  ])('with %d dead rows, last vacuumed %s: %s', (deadRows, lastVacuum, expected) => {
    expect(verdict({ deadRows, lastVacuum })).toBe(expected);
  });

  it('asks for ANALYZE where it was never made and autovacuum would have, unless VACUUM makes it too', () => {
    expect(verdict({ lastAnalyze: null, rows: 49 })).toBe('fine');
    expect(verdict({ lastAnalyze: null, rows: 50 })).toBe('never analyzed: ANALYZE transactions');
    expect(verdict({ lastAnalyze: null, lastVacuum: null, deadRows: 9_000 })).toBe(VACUUM);
  });

  it('says when most rows of a large table are read by many sequential scans', () => {
    const read = { sequentialScans: 100, sequentialRows: 3_000_000 };
    const said = '75% of the rows read come from sequential scans: npm run indexes:advise says what is missing';
    expect(verdict(read)).toBe(said);
    expect(verdict({ ...read, sequentialScans: 99 })).toBe('fine');
    expect(verdict({ ...read, rows: 9_999 })).toBe('fine');
    expect(verdict({ ...read, sequentialRows: 1_000_000 })).toBe('fine');
    expect(verdict({ ...read, deadRows: 9_000, lastVacuum: null })).toBe(`${VACUUM}; ${said}`);
  });
});
