import { gzipSync } from 'node:zlib';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startDeploymentWriters } from '../../src/app/deployment-writers.ts';
import { Role } from '../../src/auth/caller.ts';
import { Deployment } from '../../src/deployment/deployment.ts';
import { OwnProcess } from '../../src/deployment/own-process.ts';
import { ProcessWriter } from '../../src/deployment/process-writer.ts';
import { Monitor } from '../../src/monitoring/monitor.ts';
import { serviceReport } from '../../src/performance/performance-report.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { insertTenant } from '../support/fixtures.ts';
import { withKeptClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';

const STATE = {
  ...{ cacheTrusted: true, isRelay: false, outboxLagMs: null, memoryBytes: 1e8, cpu: 0.5, eventLoopP99Ms: 1 },
  ...{ databaseConnections: 3, databaseQueueLength: 0, requestQueueLength: 0 },
};
const REPORT = `processes { id host pid version startedAt seenAt cacheTrusted isRelay outboxLagMs memoryBytes cpu
  eventLoopP99Ms databaseConnections databaseQueueLength requestQueueLength }
  operations { name latency { count } queries { model action count sql } } errors { status code count } bypasses { reason count }`;

let service: TestService;
let operator: string;
beforeAll(async () => {
  service = await startService();
  await insertTenant(service.databaseUrl, { slug: 'acme' });
  operator = await service.token(Role.OPERATOR);
});
afterAll(() => service?.close());

const sql = async <Row extends object>(text: string, values: unknown[] = []) =>
  (await withKeptClient(service.databaseUrl, (client) => client.query<Row>(text, values))).rows;

const stopped: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stopped.splice(0)) await stop();
});

/** Another process on the same database, which writes when it is told to. */
async function anotherProcess() {
  const monitor = new Monitor({ slowOperationMs: 1e6, slowQueryMs: 1e6, logger: pino({ level: 'silent' }) });
  const own = new OwnProcess(() => STATE);
  const errors: Error[] = [];
  const { database } = service.services;
  const writer = new ProcessWriter(database, own, monitor, (error) => errors.push(error));
  stopped.push(() => writer.stop());
  await writer.write();
  return { monitor, own, writer, errors, deployment: new Deployment(own, monitor, database) };
}

function answer(monitor: Monitor, name: string, durationMs: number, cacheHit = false): void {
  monitor.recordOperation({ name, tenantId: null, durationMs, errors: 0, cacheHit });
}

async function performance(token: string, query: string) {
  const { data, errors } = await service.send(token, query);
  if (errors) throw new Error(JSON.stringify(errors));
  return data.performance;
}

interface Named {
  readonly name: string;
}

describe('the figures of the deployment', () => {
  it('are those of all processes that live, added up', async () => {
    const [one, two] = [await anotherProcess(), await anotherProcess()];
    for (const durationMs of [1, 2, 3]) answer(one.monitor, 'Shared', durationMs);
    for (const durationMs of [10, 20]) answer(two.monitor, 'Shared', durationMs, true);
    two.monitor.recordError(429, 'RATE_LIMITED');
    await one.writer.write();
    await two.writer.write();
    const { figures, processes } = await one.deployment.ofAll({});
    const [shared] = serviceReport(figures).operations.filter(({ name }) => name === 'Shared');
    expect(shared).toMatchObject({ cacheHits: 2, latency: { count: 5, mean: 36 / 5, max: 20 } });
    expect(serviceReport(figures).errors).toEqual([{ status: 429, code: 'RATE_LIMITED', count: 1 }]);
    const ids = processes.map(({ id }) => id);
    expect(ids).toEqual([expect.any(String), one.own.identity.id, two.own.identity.id]);

    const all = await performance(operator, `{ performance(scope: DEPLOYMENT) { ${REPORT} } }`);
    expect(all.operations.find(({ name }: Named) => name === 'Shared').latency.count).toBe(5);
    expect(all.processes).toHaveLength(3);
    expect(all.processes[1]).toMatchObject({ id: one.own.identity.id, ...STATE, pid: process.pid });
    expect(all.errors).toContainEqual({ status: 429, code: 'RATE_LIMITED', count: 1 });
    const own = await performance(operator, `{ performance { ${REPORT} } }`);
    expect(own.operations.map(({ name }: Named) => name)).not.toContain('Shared');
    expect(own.processes.map(({ id }: { id: string }) => id)).toEqual([ids[0]]);
  });

  it('have those of the process that answers as they are, and of others as they wrote them last', async () => {
    const [one, two] = [await anotherProcess(), await anotherProcess()];
    answer(one.monitor, 'Unwritten', 1);
    const counted = async ({ deployment }: typeof one) =>
      [...(await deployment.ofAll({})).figures.operations.values()].map(({ name }) => name);
    expect(await counted(one)).toContain('Unwritten');
    expect(await counted(two)).not.toContain('Unwritten');
    await one.writer.write();
    expect(await counted(two)).toContain('Unwritten');
  });

  it('are without a process that was not seen for a minute, whose row goes after some more', async () => {
    const [one, two] = [await anotherProcess(), await anotherProcess()];
    const { id } = two.own.identity;
    const unseenFor = (time: string) =>
      sql('UPDATE service_processes SET seen_at = now() - $2::interval WHERE id = $1', [id, time]);
    const seen = async () => (await one.deployment.ofAll({})).processes.some((process) => process.id === id);
    await unseenFor('50 seconds');
    expect(await seen()).toBe(true);
    await unseenFor('61 seconds');
    expect(await seen()).toBe(false);
    await one.writer.write();
    expect(await sql('SELECT FROM service_processes WHERE id = $1', [id])).toHaveLength(1);
    await unseenFor('6 minutes');
    await one.writer.write();
    expect(await sql('SELECT FROM service_processes WHERE id = $1', [id])).toHaveLength(0);
    await two.writer.write();
    await two.writer.write();
    expect(await seen()).toBe(true);
  });

  it('are without a process that ended, or that writes them in a form of another release', async () => {
    const [one, two, three] = [await anotherProcess(), await anotherProcess(), await anotherProcess()];
    await two.writer.stop();
    await sql('UPDATE service_processes SET figures = $2 WHERE id = $1', [
      three.own.identity.id,
      gzipSync(JSON.stringify({ format: 0 })),
    ]);
    const ids = (await one.deployment.ofAll({})).processes.map(({ id }) => id);
    expect(ids).toContain(one.own.identity.id);
    expect(ids).not.toContain(two.own.identity.id);
    expect(ids).not.toContain(three.own.identity.id);
  });

  it('are not written again while they stay the same, and are after a crash of the server', async () => {
    const { own, writer } = await anotherProcess();
    const place = async () =>
      (
        await sql<{ figures: string }>('SELECT md5(figures) AS figures FROM service_processes WHERE id = $1', [
          own.identity.id,
        ])
      )[0]?.figures;
    const before = await place();
    await sql("UPDATE service_processes SET figures = '\\x00' WHERE id = $1", [own.identity.id]);
    await writer.write();
    expect(await place()).not.toBe(before);
    await sql('TRUNCATE service_processes');
    await writer.write();
    expect(await place()).toBeNull();
    await writer.write();
    expect(await place()).toBe(before);
  });

  it('fit into their row however long the statements of clients are', async () => {
    const { monitor, writer, own } = await anotherProcess();
    for (let place = 0; place < 150; place++)
      monitor.slowQueries.add({
        ...{
          sql: randomText(10_000),
          durationMs: 1,
          rows: 1,
          model: null,
          action: 'some',
          operation: null,
          requestId: null,
        },
        ...{ plan: randomText(10_000), advice: randomText(1_000), at: new Date() },
      });
    for (let place = 0; place < 200; place++)
      monitor.plans.set(randomText(10_000), { text: randomText(10_000), advice: randomText(1_000) });
    await writer.write();
    const [row] = await sql<{ bytes: number }>(
      'SELECT octet_length(figures) AS bytes FROM service_processes WHERE id = $1',
      [own.identity.id],
    );
    expect(row?.bytes).toBeGreaterThan(100);
    expect(row?.bytes).toBeLessThan(2 * 1024 * 1024);
  });

  it('are not for ANALYST and ADMIN, who see what they see of the answering process', async () => {
    const { monitor, writer } = await anotherProcess();
    answer(monitor, 'OfOthers', 1);
    await writer.write();
    for (const role of [Role.ANALYST, Role.ADMIN]) {
      const token = await service.token(role, 'acme');
      const ask = (scope: string) =>
        performance(token, `{ performance(scope: ${scope}) { ${REPORT} history { start } findings { check } } }`);
      await ask('PROCESS');
      const report = await ask('DEPLOYMENT');
      expect(report).toMatchObject({ processes: [], errors: [], bypasses: [], history: [], findings: [] });
      expect(report.operations).toEqual([{ name: '(anonymous)', latency: { count: expect.any(Number) }, queries: [] }]);
    }
  });
});

describe('the statements of an operation', () => {
  it('are shown with the text of the slowest one', async () => {
    const token = await service.token(Role.ADMIN, 'acme');
    for (let time = 0; time < 2; time++)
      await service.send(token, 'query Stated { accounts(first: 1) { nodes { id } } rateLimit { remaining } }');
    const { operations } = await performance(operator, `{ performance { ${REPORT} } }`);
    const { queries } = operations.find(({ name }: Named) => name === 'Stated');
    expect(queries).toContainEqual({
      ...{ model: 'BankAccount', action: 'page', count: expect.any(Number) },
      sql: expect.stringMatching(/SELECT[\s\S]*bank_accounts[\s\S]*\$1/),
    });
  });
});

describe('a database that cannot be used', () => {
  it('fails what is asked of the deployment, and not what is asked of the process', async () => {
    const { monitor, own } = await anotherProcess();
    const away = new TenantDatabase({
      ...{ url: 'postgresql://nobody@127.0.0.1:1/nowhere', poolSize: 1 },
      ...{ statementTimeoutMs: 1_000, takeServiceRole: false },
    });
    const deployment = new Deployment(own, monitor, away);
    await expect(deployment.ofAll({})).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(deployment.ofProcess()).toMatchObject({ figures: monitor, processes: [own.identity] });
    await away.close();
  });

  it('is told to the log, once for the rows of processes and once for the minutes', async () => {
    const logged: Record<string, unknown>[] = [];
    const logger = pino({ base: null, timestamp: false }, { write: (line) => logged.push(JSON.parse(line)) });
    const { monitor, deployment } = await anotherProcess();
    await sql('REVOKE INSERT ON service_processes, service_minutes FROM tenantry_app');
    try {
      const { database } = service.services;
      await startDeploymentWriters({ database, deployment, monitor }, logger).stop();
    } finally {
      await sql('GRANT INSERT ON service_processes, service_minutes TO tenantry_app');
    }
    expect(logged.toSorted((a, b) => (String(a.msg) < String(b.msg) ? 1 : -1))).toEqual([
      {
        level: 40,
        reason: 'permission denied for table service_processes',
        msg: expect.stringMatching(/^the figures of this process cannot be written/),
      },
      {
        level: 40,
        reason: 'permission denied for table service_minutes',
        msg: 'the figures of the last minutes are lost',
      },
    ]);
  });
});

/** That no compression makes shorter by much. */
function randomText(length: number): string {
  let text = '';
  while (text.length < length) text += Math.random().toString(36).slice(2);
  return text.slice(0, length);
}
