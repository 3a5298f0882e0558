import fc from 'fast-check';
import pino from 'pino';
import { expect, it } from 'vitest';
import { BYPASS_REASONS, CACHE_TIERS, type CacheEvent, MISS_REASONS } from '../../src/monitoring/cache-statistics.ts';
import { Figures } from '../../src/monitoring/figures.ts';
import { addSnapshot, parseSnapshot, snapshotOf } from '../../src/monitoring/figures-snapshot.ts';
import { Monitor } from '../../src/monitoring/monitor.ts';
import { RequestTiming } from '../../src/monitoring/request-timing.ts';
import type { Snapshot } from '../../src/monitoring/snapshot.ts';
import { serviceReport } from '../../src/performance/performance-report.ts';
import type { StatementEvent } from '../../src/tenancy/statement-event.ts';

type Recording = (monitor: Monitor) => void;

/** Quarters of milliseconds: their sums are exact in any order. */
const durationMs = fc.integer({ min: 0, max: 2_000 }).map((quarters) => quarters / 4);
const name = fc.constantFrom('A', 'B', 'C');

const operation = fc
  .record({
    name,
    durationMs,
    errors: fc.integer({ min: 0, max: 1 }),
    cacheHit: fc.boolean(),
    sent: fc.array(durationMs),
  })
  .map(({ sent, ...event }): Recording => {
    return (monitor) => {
      const timing = new RequestTiming();
      for (const sentMs of sent) monitor.recordStatement(statement(sentMs, timing));
      monitor.recordOperation({ ...event, tenantId: null }, timing);
    };
  });
const resolver = fc.record({ coordinate: name, durationMs, failed: fc.boolean() }).map(
  (event): Recording =>
    (monitor) =>
      monitor.recordResolver(event),
);
const cache = fc
  .record({
    namespace: name,
    kind: fc.constantFrom<CacheEvent['kind'][]>('get', 'set', 'hit', 'miss', 'joined', 'fill', 'invalidation', 'error'),
    durationMs,
    tier: fc.constantFrom(...CACHE_TIERS),
    reason: fc.constantFrom(...MISS_REASONS),
    bytes: fc.nat(1_000),
  })
  .map(
    (event): Recording =>
      (monitor) =>
        monitor.recordCache(event),
  );
const bypass = fc.constantFrom(...BYPASS_REASONS).map(
  (reason): Recording =>
    (monitor) =>
      monitor.recordBypass(reason),
);
const error = fc.record({ status: fc.constantFrom(200, 429), code: name }).map(
  ({ status, code }): Recording =>
    (monitor) =>
      monitor.recordError(status, code),
);
const recordings = fc.array(fc.oneof(operation, resolver, cache, bypass, error));

function statement(sentMs: number, request: RequestTiming): StatementEvent {
  const action = sentMs % 2 ? 'page' : 'count';
  // The text follows from the time, so that the slowest one has one text.
  const sql = `SELECT ${sentMs}`;
  return {
    sql,
    values: [],
    durationMs: sentMs,
    rows: 2,
    failed: sentMs > 400,
    tenantId: null,
    model: 'M',
    action,
    request,
  } as never;
}

const newMonitor = () => new Monitor({ slowOperationMs: 1e9, slowQueryMs: 1e9, logger: pino({ level: 'silent' }) });

/** As another process reads it. */
function written(monitor: Monitor): Snapshot {
  const snapshot = parseSnapshot(JSON.stringify(snapshotOf(monitor)));
  if (!snapshot) throw new Error('it is not in the format that is read');
  return snapshot;
}

/** Lists without their order, which equal rows have by chance. */
function unordered(figures: Figures) {
  const { since: _, ...lists } = serviceReport(figures);
  const text = (row: unknown): string => JSON.stringify(row);
  return Object.fromEntries(
    Object.entries(lists).map(([list, rows]) => [
      list,
      rows
        .map((row) =>
          'queries' in row ? { ...row, queries: row.queries.toSorted((a, b) => (text(a) < text(b) ? -1 : 1)) } : row,
        )
        .toSorted((a, b) => (text(a) < text(b) ? -1 : 1)),
    ]),
  );
}

it('the snapshots of several processes add up to the report of one that was told of everything', () => {
  fc.assert(
    fc.property(fc.array(recordings, { maxLength: 4 }), (processes) => {
      const together = new Figures();
      const one = newMonitor();
      for (const process of processes) {
        const monitor = newMonitor();
        for (const record of process) record(monitor);
        for (const record of process) record(one);
        addSnapshot(together, written(monitor));
      }
      expect(unordered(together)).toEqual(unordered(one));
    }),
  );
});

it('keeps the last slow statements of all processes with their plans, and since when the first one counts', () => {
  const together = new Figures();
  const sinces = [];
  for (let process = 0; process < 3; process++) {
    const monitor = newMonitor();
    monitor.since = new Date(1_000 * (3 - process));
    sinces.push(monitor.since);
    for (let place = 0; place < 60; place++)
      monitor.slowQueries.add({
        ...{
          sql: `SELECT ${place}`,
          durationMs: 1,
          rows: null,
          model: null,
          action: `of ${process}`,
          operation: null,
          requestId: null,
        },
        ...{ plan: 'Seq Scan', advice: 'It reads all.', at: new Date(10_000 * place + process) },
      });
    monitor.plans.set('SELECT 1', { text: `plan ${process}`, advice: `advice ${process}` });
    addSnapshot(together, written(monitor));
  }
  expect(together.since).toEqual(sinces[2]);
  const kept = together.slowQueries.list();
  expect(kept).toHaveLength(100);
  expect(kept.slice(0, 4).map(({ sql, action }) => `${sql} ${action}`)).toEqual([
    ...['SELECT 59 of 2', 'SELECT 59 of 1', 'SELECT 59 of 0', 'SELECT 58 of 2'],
  ]);
  expect(kept.map(({ at }) => Number(at))).toEqual(kept.map(({ at }) => Number(at)).toSorted((a, b) => b - a));
  expect(together.plans.get('SELECT 1')).toEqual({ text: 'plan 2', advice: 'advice 2' });
  together.slowQueries.add({ ...(kept[0] as (typeof kept)[0]), sql: 'SELECT next' });
  expect(together.slowQueries.list().map(({ sql }) => sql)).toEqual([
    'SELECT next',
    ...kept.slice(0, 99).map(({ sql }) => sql),
  ]);
});

it('a snapshot of another format is not read', () => {
  expect(parseSnapshot(JSON.stringify({ ...snapshotOf(newMonitor()), format: 1 }))).toBeNull();
  expect(parseSnapshot('null')).toBeNull();
});

it('a snapshot is refused whole when a value in it is not what it has to be', () => {
  const monitor = newMonitor();
  fc.assert(
    fc.property(recordings, (all) => void all.forEach((record) => void record(monitor))),
    { numRuns: 20 },
  );
  const json = JSON.stringify(snapshotOf(monitor));
  expect(parseSnapshot(json)).not.toBeNull();
  const histogram = { counts: [], sumMs: 0, maxMs: 0 };
  const damages: Record<string, unknown>[] = [
    { resolvers: [{ name: 'a', durations: { ...histogram, counts: [-1] }, errors: 0 }] },
    { resolvers: [{ name: 'a', durations: { ...histogram, counts: Array(1_000).fill(0) }, errors: 0 }] },
    { resolvers: [{ name: 'a', durations: { ...histogram, sumMs: null }, errors: 0 }] },
    { resolvers: [{ name: 'a', durations: histogram, errors: 1e300 }] },
    { queries: [{ key: 'a', durations: histogram, rows: 1 }] },
    { errors: [['200 A', '1']] },
    { since: 'yesterday' },
    { texts: [null] },
    { operations: {} },
    { caches: null },
  ];
  for (const damage of damages)
    expect(() => parseSnapshot(JSON.stringify({ ...JSON.parse(json), ...damage }))).toThrow(TypeError);
});
