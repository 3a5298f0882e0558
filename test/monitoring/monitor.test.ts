import { beforeEach, describe, expect, it, vi } from 'vitest';
import { OTHER } from '../../src/monitoring/bounded-registry.ts';
import { Monitor } from '../../src/monitoring/monitor.ts';
import type { OperationEvent } from '../../src/monitoring/monitor-events.ts';
import { RequestTiming } from '../../src/monitoring/request-timing.ts';
import type { PlannedStatement } from '../../src/monitoring/slow-plans.ts';
import { serviceReport, tenantReport } from '../../src/performance/performance-report.ts';
import type { StatementEvent } from '../../src/tenancy/statement-event.ts';

let logged: { details: object; message: string }[];
let monitor: Monitor;

beforeEach(() => {
  logged = [];
  const logger = { warn: (details: object, message: string) => logged.push({ details, message }) };
  monitor = new Monitor({ slowOperationMs: 500, slowQueryMs: 200, logger });
});

function operation(event: Partial<OperationEvent>): OperationEvent {
  return { name: 'Accounts', tenantId: 'a', durationMs: 10, errors: 0, cacheHit: false, ...event };
}

function statement(event: Partial<StatementEvent> = {}): StatementEvent {
  const sent = { sql: 'SELECT $1', values: ['secret'], tenantId: 'a', model: 'BankAccount', action: 'page' };
  return { ...sent, durationMs: 5, rows: 20, failed: false, ...event };
}

describe('the report', () => {
  it('shows a tenant its own operations only, an operator those of all together', () => {
    monitor.recordOperation(operation({ tenantId: 'a', durationMs: 10 }));
    monitor.recordOperation(operation({ tenantId: 'b', durationMs: 30 }));
    monitor.recordOperation(operation({ tenantId: 'b', name: 'Dashboard' }));
    monitor.recordOperation(operation({ tenantId: null, name: 'Performance' }));
    expect(tenantReport(monitor, 'a').operations).toMatchObject([{ name: 'Accounts', latency: { count: 1, max: 10 } }]);
    const all = serviceReport(monitor).operations;
    expect(all.map(({ name, latency }) => [name, latency.count])).toEqual([
      ['Accounts', 2],
      ['Dashboard', 1],
      ['Performance', 1],
    ]);
  });

  it('counts all statements of a tenant as its usage, also those that read the usage, and none of nobody', () => {
    for (const model of ['BankAccount', 'TenantUsage']) monitor.recordStatement(statement({ model }));
    monitor.recordStatement(statement({ tenantId: '' }));
    expect(monitor.usage.take()).toMatchObject([{ tenantId: 'a', figures: { databaseMs: 10, rows: 40 } }]);
  });

  it('shows a tenant nothing of what all tenants cause together', () => {
    monitor.recordStatement(statement({ durationMs: 300 }));
    monitor.recordResolver({ coordinate: 'Query.accounts', durationMs: 1, failed: false });
    monitor.recordCache({ namespace: 'accounts', kind: 'hit' });
    expect(tenantReport(monitor, 'a')).toEqual({
      since: monitor.since,
      ...{ operations: [], resolvers: [], queries: [], slowQueries: [], cache: [] },
      ...{ errors: [], bypasses: [], processes: [] },
    });
  });

  it('counts an answer with several errors once, and hits of the cache', () => {
    monitor.recordOperation(operation({ errors: 3 }));
    monitor.recordOperation(operation({ cacheHit: true }));
    monitor.recordOperation(operation({}));
    expect(tenantReport(monitor, 'a').operations).toMatchObject([{ errors: 1, cacheHits: 1, latency: { count: 3 } }]);
  });

  it('tells the statements of an operation and their time, all together', () => {
    for (const durationMs of [3, 4.5]) {
      const timing = new RequestTiming();
      timing.addStatement(statement({ durationMs }));
      monitor.recordOperation(operation({}), timing);
    }
    monitor.recordOperation(operation({ cacheHit: true }));
    const expected = [{ name: 'Accounts', statements: 2, databaseMs: 7.5 }];
    expect(serviceReport(monitor).operations).toMatchObject(expected);
    expect(tenantReport(monitor, 'a').operations).toMatchObject(expected);
  });

  it('lists first what took the most time in all', () => {
    for (let call = 0; call < 5; call++) monitor.recordOperation(operation({ name: 'Frequent', durationMs: 30 }));
    monitor.recordOperation(operation({ name: 'Long', durationMs: 100 }));
    expect(serviceReport(monitor).operations.map(({ name }) => name)).toEqual(['Frequent', 'Long']);
  });

  it('sums the rows of statements by model and action', () => {
    monitor.recordStatement(statement({ rows: 20 }));
    monitor.recordStatement(statement({ rows: 5 }));
    monitor.recordStatement(statement({ model: undefined, action: 'unscoped', rows: 1 }));
    expect(serviceReport(monitor).queries).toMatchObject([
      { model: 'BankAccount', action: 'page', rows: 25, latency: { count: 2 } },
      { model: null, action: 'unscoped', rows: 1, latency: { count: 1 } },
    ]);
  });

  it('tells the hit rate of lookups, in whichever tier the hits were', () => {
    monitor.recordCache({ namespace: 'accounts', kind: 'hit', tier: 'memory' });
    monitor.recordCache({ namespace: 'accounts', kind: 'hit', tier: 'redis' });
    monitor.recordCache({ namespace: 'accounts', kind: 'hit' });
    monitor.recordCache({ namespace: 'accounts', kind: 'miss' });
    monitor.recordCache({ namespace: 'accounts', kind: 'get', durationMs: 2 });
    monitor.recordCache({ namespace: 'accounts', kind: 'error' });
    monitor.recordCache({ namespace: 'dashboard', kind: 'invalidation' });
    expect(serviceReport(monitor).cache).toMatchObject([
      { namespace: 'accounts', hits: 3, misses: 1, hitRate: 0.75, errors: 1, get: { count: 1 }, set: { count: 0 } },
      { namespace: 'dashboard', hits: 0, misses: 0, hitRate: 0, invalidations: 1 },
    ]);
  });
});

describe('the cache', () => {
  it('tells why lookups found nothing, and what was stored where', () => {
    for (const reason of ['old', 'old', 'expired', 'broken'] as const)
      monitor.recordCache({ namespace: 'accounts', kind: 'miss', reason });
    monitor.recordCache({ namespace: 'accounts', kind: 'miss' });
    monitor.recordCache({ namespace: 'accounts', kind: 'joined' });
    monitor.recordCache({ namespace: 'accounts', kind: 'fill', tier: 'memory', bytes: 3_000 });
    monitor.recordCache({ namespace: 'accounts', kind: 'fill', tier: 'redis', bytes: 1_000 });
    monitor.recordCache({ namespace: 'accounts', kind: 'fill', tier: 'redis', bytes: 500 });
    monitor.recordCache({ namespace: 'accounts', kind: 'hit', tier: 'redis' });
    expect(serviceReport(monitor).cache[0]).toMatchObject({
      ...{ misses: 5, hits: 1, joined: 1 },
      missReasons: [
        { reason: 'absent', count: 1 },
        { reason: 'old', count: 2 },
        { reason: 'expired', count: 1 },
        { reason: 'broken', count: 1 },
      ],
      tiers: [
        { tier: 'memory', hits: 0, fills: 1, filledBytes: 3_000 },
        { tier: 'redis', hits: 1, fills: 2, filledBytes: 1_500 },
      ],
    });
  });
});

describe('operation names', () => {
  it('are bounded over all tenants', () => {
    for (let tenant = 0; tenant < 10; tenant++)
      for (let name = 0; name < 40; name++)
        monitor.recordOperation(operation({ tenantId: `t${tenant}`, name: `T${tenant}Operation${name}` }));
    const { operations } = serviceReport(monitor);
    expect(operations).toHaveLength(201);
    expect(operations.find(({ name }) => name === OTHER)?.latency.count).toBe(200);
  });

  it('of one tenant cannot use up the names of all', () => {
    for (let name = 0; name < 1_000; name++) monitor.recordOperation(operation({ name: `Random${name}` }));
    monitor.recordOperation(operation({ tenantId: 'b', name: 'Dashboard' }));
    const names = serviceReport(monitor).operations.map(({ name }) => name);
    expect(names).toContain('Dashboard');
    expect(names).toHaveLength(52);
  });
});

describe('what is slow', () => {
  it('is logged when it is an operation, with its statements and without variables', () => {
    const timing = new RequestTiming();
    timing.addStatement(statement({ durationMs: 400, rows: 7 }));
    monitor.recordOperation(operation({ durationMs: 499 }), timing);
    monitor.recordOperation(operation({ durationMs: 600, errors: 1 }), timing);
    expect(logged).toEqual([
      {
        message: 'slow operation',
        details: {
          ...{ operation: 'Accounts', tenantId: 'a', durationMs: 600, errors: 1, cacheHit: false },
          ...{ statements: 1, databaseMs: 400, rows: 7 },
        },
      },
    ]);
  });

  it('is kept and logged when it is a statement', () => {
    monitor.recordStatement(statement({ durationMs: 199 }));
    monitor.recordStatement(statement({ durationMs: 200, sql: 'SELECT pg_sleep($1)' }));
    expect(serviceReport(monitor).slowQueries).toMatchObject([
      { sql: 'SELECT pg_sleep($1)', durationMs: 200, rows: 20, model: 'BankAccount', operation: null, plan: null },
    ]);
    expect(logged).toMatchObject([{ message: 'slow SQL statement', details: { sql: 'SELECT pg_sleep($1)' } }]);
  });

  it('has its plan kept and logged when that is there, and its values nowhere', async () => {
    const asked: unknown[] = [];
    const planOf = async ({ values, tenantId }: PlannedStatement) => {
      asked.push(values, tenantId);
      return { text: 'Index Scan on bank_accounts', advice: 'It is answered by its key.' };
    };
    const logger = { warn: (details: object, message: string) => logged.push({ details, message }) };
    monitor = new Monitor({ slowOperationMs: 500, slowQueryMs: 200, logger, plans: { planOf } });
    monitor.recordStatement(statement({ durationMs: 200 }));
    await vi.waitFor(() => expect(logged).toHaveLength(2));
    expect(asked).toEqual([['secret'], 'a']);
    const planned = { plan: 'Index Scan on bank_accounts', advice: 'It is answered by its key.' };
    expect(logged[1]).toMatchObject({
      message: 'plan of a slow SQL statement',
      details: { model: 'BankAccount', action: 'page', durationMs: 200, ...planned },
    });
    const { slowQueries } = serviceReport(monitor);
    expect(slowQueries).toMatchObject([planned]);
    expect(JSON.stringify([logged, slowQueries])).not.toContain('secret');
  });
});
