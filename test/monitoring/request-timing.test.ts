import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { RequestTiming, serverTiming } from '../../src/monitoring/request-timing.ts';

const STATEMENT = { sql: 'SELECT 1', values: [], tenantId: 'a', model: undefined, action: 'read', failed: false };

describe('the Server-Timing header', () => {
  it('tells the time in all, the time in the database with its statements, and what the cache did', () => {
    const timing = new RequestTiming(performance.now() - 1_000);
    timing.addStatement({ ...STATEMENT, durationMs: 1.5, rows: 2 });
    timing.addStatement({ ...STATEMENT, durationMs: 2.25, rows: 1 });
    timing.cache = 'miss';
    const [total, ...rest] = serverTiming(timing).split(', ');
    expect(total).toMatch(/^total;dur=1\d{3}\.\d$/);
    expect(rest).toEqual(['db;dur=3.8;desc="2 statements"', 'cache;desc=miss']);
  });

  it('leaves the database out where it was not asked', () => {
    const timing = new RequestTiming();
    timing.cache = 'hit';
    expect(serverTiming(timing)).toMatch(/^total;dur=\d+\.\d, cache;desc=hit$/);
  });

  it('leaves the cache out where it was not asked, and counts a single statement as one', () => {
    const timing = new RequestTiming();
    timing.addStatement({ ...STATEMENT, durationMs: 1, rows: 0 });
    expect(serverTiming(timing)).toMatch(/^total;dur=\d+\.\d, db;dur=1\.0;desc="1 statement"$/);
  });
});
