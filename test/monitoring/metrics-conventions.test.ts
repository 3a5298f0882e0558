import { beforeAll, describe, expect, test } from 'vitest';
import { createMetrics } from '../../src/app/metrics.ts';
import { Role } from '../../src/auth/caller.ts';
import { LiveFigures } from '../../src/live/live-figures.ts';
import { WorkerFigures } from '../../src/startup/worker-figures.ts';
import { WarmUpCounts } from '../../src/warm-up/warm-up-counts.ts';
import { type ExposedMetric, type ExposedSample, readExposition } from '../support/exposition.ts';
import { insertTenant } from '../support/fixtures.ts';
import { lintMetrics } from '../support/metrics-linter.ts';
import { alertsOf, boardExpressions, readProjectFile, readRules } from '../support/monitoring-files.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { groupedBy, selectorsIn } from '../support/promql.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const SLUG = 'conventional';

/** Asks for answers of all kinds, and shows how many of each status came, and the metrics then. */
async function load(service: TestService): Promise<{ statuses: Record<string, number>; text: string }> {
  const statuses: Record<string, number> = {};
  const count = <Answer extends { status: number }>(answer: Answer) => {
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
    return answer;
  };
  await insertTenant(service.databaseUrl, { slug: SLUG });
  await service.untilCaughtUp();
  const token = await service.token(Role.ADMIN, SLUG);
  const queries = ['{ tenant { slug } }', '{ accounts(first: 0) { nodes { id } } }', '{ nothing }'];
  for (const query of [...queries, ...queries]) count(await service.send(token, query));
  count(await service.send(null, '{ tenant { slug } }'));
  const address = `${service.url}/graphql?query=${encodeURIComponent('{ tenant { slug } }')}`;
  const authorization = `Bearer ${token}`;
  await until(async () => {
    const etag = count(await fetch(address, { headers: { authorization } })).headers.get('etag') ?? 'none';
    return count(await fetch(address, { headers: { authorization, 'if-none-match': etag } })).status === 304;
  }, 'the client has the answer already');
  count(await fetch(`${service.url}/nowhere`));
  return { statuses, text: await (await fetch(`${service.url}/metrics`)).text() };
}

/** Prometheus makes them itself. */
const OF_PROMETHEUS: ReadonlySet<string> = new Set(['up', 'ALERTS']);
/** Of the process that has them: test/startup/workers.system.test.ts. */
const OF_WORKERS: ReadonlySet<string> = new Set(['tenantry_workers', 'tenantry_worker_restarts_total']);

const valuesOf = (text: string, name: string) =>
  readExposition(text)
    .filter((metric: ExposedMetric) => metric.name === name)
    .flatMap(({ samples }) =>
      samples.map(({ labels, value }: ExposedSample) => [Object.values(labels).join(' '), value]),
    );

describe('the metrics of a service without Redis', () => {
  let service: TestService;
  let statuses: Record<string, number>;
  let text: string;
  beforeAll(async () => {
    service = await startService();
    ({ statuses, text } = await load(service));
    return () => service.close();
  });

  test('keep to the conventions', () => {
    expect(lintMetrics(text)).toEqual([]);
  });

  test('count each answer once, by status and code', () => {
    const counted = Object.fromEntries(valuesOf(text, 'tenantry_http_requests_total'));
    expect(counted).toEqual({
      '200 OK': (statuses[200] ?? 0) - 2,
      '304 OK': 1,
      '200 BAD_USER_INPUT': 2,
      '400 GRAPHQL_VALIDATION_FAILED': 2,
      '401 UNAUTHENTICATED': 1,
      '404 BAD_REQUEST': 1,
    });
  });

  test('tell what runs, and that PostgreSQL answers', () => {
    expect(valuesOf(text, 'tenantry_build_info')).toEqual([
      [expect.stringMatching(/^\d+\.\d+\.\d+ v\d+\.\d+\.\d+ [\da-f]{12}$/), 1],
    ]);
    expect(valuesOf(text, 'tenantry_database_up')).toEqual([['', 1]]);
    const isReady = ['database', 'integrity', 'migrations'].map((check) => [check, 1]);
    expect(valuesOf(text, 'tenantry_ready')).toEqual(isReady);
    expect(text).not.toContain('tenantry_redis_');
  });

  test('have each connection in one state, and not more than there may be', () => {
    const { open } = service.services.database.connections;
    const states = Object.fromEntries(valuesOf(text, 'tenantry_database_connections'));
    expect(Object.keys(states)).toEqual(['in_use', 'idle']);
    expect(states.in_use + states.idle).toBe(open);
    expect(valuesOf(text, 'tenantry_database_pool_size')).toEqual([['', 10]]);
  });
});

describeWithOwnRedis('the metrics of a service with Redis', () => {
  let service: TestService;
  let text: string;
  let redis: TestRedis;
  let proxy: TcpProxy;
  let database: TestDatabase;
  beforeAll(async () => {
    [redis, database] = await Promise.all([startRedis(), createTestDatabase()]);
    const direct = new URL(database.url);
    proxy = await startTcpProxy(Number(direct.port));
    const url = Object.assign(direct, { port: String(proxy.port) }).href;
    const env = { REDIS_URL: redis.url };
    service = await startService({ env, database: { ...database, url }, directUrl: database.url, checksHealth: true });
    ({ text } = await load(service));
    return async () => {
      await service.close();
      await redis.stop();
      await proxy.close();
      await database.drop();
    };
  });
  const shown = async () => (await fetch(`${service.url}/metrics`)).text();
  const figure = async (name: string, labels = '') =>
    valuesOf(await shown(), name).find(([found]) => found === labels)?.[1];

  test('keep to the conventions, and each circuit breaker is in one state', () => {
    expect(lintMetrics(text)).toEqual([]);
    expect(valuesOf(text, 'tenantry_redis_up')).toEqual([['', 1]]);
    const states = valuesOf(text, 'tenantry_redis_breaker_state').map(([state]) => state);
    expect(states).toHaveLength(4 * 3);
    expect(states).toEqual(expect.arrayContaining(['read closed', 'read open', 'read half_open']));
  });

  test('are all that the board and the alerts ask for, and have the labels that these name', () => {
    const metrics = new Map(readExposition(text).map((metric) => [metric.name, metric]));
    const recorded = new Set(readRules().flatMap(({ record }) => record ?? []));
    const wrong = [...boardExpressions(), ...readRules().map(({ expr }) => expr)].flatMap((expression) =>
      selectorsIn(expression).flatMap(({ metric: name, labels }) => {
        if (OF_PROMETHEUS.has(name) || OF_WORKERS.has(name) || recorded.has(name)) return [];
        const metric = metrics.get(name) ?? metrics.get(name.replace(/_(bucket|count|sum)$/, ''));
        if (!metric) return [`no metric ${name}: ${expression}`];
        const [sample] = metric.samples;
        const has = (label: string) => ['job', 'instance', 'le'].includes(label) || (sample && label in sample.labels);
        const names = [...labels.map(([label]) => label), ...groupedBy(expression)];
        const absent = sample ? names.filter((label) => !has(label)) : [];
        const unknown = labels.filter(
          ([label, value]) =>
            value !== undefined &&
            ['state', 'result', 'reason', 'tier'].includes(label) &&
            !metric.samples.some((each) => each.labels[label] === value),
        );
        return [...absent, ...unknown.map(String)].map((label) => `${name} has no ${label}: ${expression}`);
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('are the table of docs/operations.md, with their types, what they mean and their alerts', () => {
    const [, section = ''] = readProjectFile('docs/operations.md').split('\n## Metrics\n');
    const rows = section.match(/^\| `tenantry_.*$/gm) ?? [];
    const isOfWorkers = (row: string) => [...OF_WORKERS].some((name) => row.startsWith(`| \`${name}\` |`));
    const own = readExposition(text).filter(({ name }) => name.startsWith('tenantry_'));
    const expected = own.map(({ name, type, help }) => {
      const alerts = alertsOf(name).map((alert) => `[${alert.slice('Tenantry'.length)}](#${alert.toLowerCase()})`);
      return `| \`${name}\` | ${type} | ${help} | ${alerts.join(', ')} |`;
    });
    expect(rows.filter((row) => !isOfWorkers(row)).toSorted()).toEqual(expected.toSorted());
    expect(rows.filter(isOfWorkers)).toHaveLength(OF_WORKERS.size);
  });

  test('of two workers keep to them, too: what each has is added up, and what one lacks is told', async () => {
    const { monitor, database, redis, audit } = service.services;
    const { changeFeed } = service;
    const figuresOf = (isUp: boolean) => {
      const health = { database: isUp ? async () => {} : neverAnswers };
      const warmUps = new WarmUpCounts();
      const build = { version: '1.2.3', node: 'v20', schema: 'abc' };
      const sources = { monitor, build, database, redis, cacheMemoryBytes: () => 1, changeFeed, audit, warmUps };
      const integrity = { status: isUp ? 'up' : 'down' } as const;
      const readiness = async () => [['integrity', integrity] as const];
      const checked = { health: { ...health, redis: async () => {} }, readiness };
      return createMetrics({
        subscriptions: new LiveFigures(),
        ...sources,
        ...checked,
      }).registry.getMetricsAsJSON();
    };
    const all = new WorkerFigures();
    for (const [worker, isUp] of [true, false].entries()) {
      all.serves(worker);
      all.keep(worker, { figures: await figuresOf(isUp), tenants: [] });
    }
    const { text } = await all.shown();
    expect(lintMetrics(text, { processes: 2 })).toEqual([]);
    expect(valuesOf(text, 'tenantry_build_info')).toEqual([['1.2.3 v20 abc', 1]]);
    expect(valuesOf(text, 'tenantry_database_up')).toEqual([['', 0]]);
    expect(valuesOf(text, 'tenantry_redis_up')).toEqual([['', 1]]);
    expect(valuesOf(text, 'tenantry_ready')).toEqual([['integrity', 0]]);
    expect(valuesOf(text, 'tenantry_database_pool_size')).toEqual([['', 20]]);
  });

  test('tell of a PostgreSQL and a Redis that do not answer, at once', async () => {
    proxy.cut();
    expect(await figure('tenantry_database_up')).toBe(0);
    proxy.mend();
    await expect.poll(() => figure('tenantry_database_up')).toBe(1);
    redis.pause();
    expect(await figure('tenantry_redis_up')).toBe(0);
    await expect.poll(() => figure('tenantry_redis_breaker_state', 'bump open')).toBe(1);
    redis.resume();
    await expect.poll(() => figure('tenantry_redis_up')).toBe(1);
    await expect.poll(() => figure('tenantry_redis_breaker_state', 'bump closed')).toBe(1);
  });
});

const neverAnswers = () => new Promise<never>(() => {});

describe('the linter', () => {
  const metric = (type: string, name: string, ...lines: string[]) =>
    [`# HELP ${name} h`, `# TYPE ${name} ${type}`, ...lines.map((line) => `${name}${line}`), ''].join('\n');

  test.each([
    [metric('counter', 'tenantry_a', ' 1'), 'tenantry_a: is a counter without _total'],
    [metric('gauge', 'tenantry_a_total', ' 1'), 'tenantry_a_total: ends with _total and is no counter'],
    [metric('gauge', 'a', ' 1'), 'a: has no prefix of its own'],
    [metric('gauge', 'tenantry_a_ms', ' 1'), 'tenantry_a_ms: is not in a base unit'],
    [metric('gauge', 'tenantry_wait', ' 1'), 'tenantry_wait: is a time without its unit'],
    ['# TYPE tenantry_a gauge\ntenantry_a 1\n', 'tenantry_a: has no HELP'],
    [metric('gauge', 'tenantry_a', '{tenant="x"} 1'), 'tenantry_a: has labels that it may not have: tenant'],
    [metric('gauge', 'tenantry_a', '{b="x"} 1', '{b="x"} 2'), 'tenantry_a: has the same series twice'],
    [metric('gauge', 'tenantry_a', '{b="x"} 1', '{c="x"} 2'), 'tenantry_a: has series of different labels'],
    [metric('gauge', 'tenantry_a_state', '{state="x"} 1', '{state="y"} 1'), 'tenantry_a_state: [] is in 2 states of 1'],
    [
      metric('histogram', 'tenantry_a_seconds', '_bucket{le="1"} 2', '_bucket{le="+Inf"} 1', '_sum 1', '_count 1'),
      'tenantry_a_seconds: [] has buckets that do not ascend',
    ],
    [
      metric('histogram', 'tenantry_a_seconds', '_bucket{le="1"} 1', '_sum 1', '_count 1'),
      'tenantry_a_seconds: [] has no bucket +Inf',
    ],
  ])('finds the fault of %j', (text, problem) => {
    expect(lintMetrics(text)).toContain(problem);
  });
});
