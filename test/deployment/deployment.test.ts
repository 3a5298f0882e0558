import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startDeploymentWriters } from '../../src/app/deployment-writers.ts';
import { Role } from '../../src/auth/caller.ts';
import { Deployment } from '../../src/deployment/deployment.ts';
import { OwnProcess } from '../../src/deployment/own-process.ts';
import { ProcessWriter } from '../../src/deployment/process-writer.ts';
import { parseSnapshot, snapshotOf } from '../../src/monitoring/figures-snapshot.ts';
import { Monitor } from '../../src/monitoring/monitor.ts';
import type { Snapshot } from '../../src/monitoring/snapshot.ts';
import { serviceReport } from '../../src/performance/performance-report.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { insertTenant } from '../support/fixtures.ts';
import { withKeptClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { until } from '../support/until.ts';

const STATE = {
  ...{ cacheTrusted: true, isRelay: false, outboxLagMs: null, memoryBytes: 1e8, cpu: 0.5, eventLoopP99Ms: 1 },
  ...{ databaseConnections: 3, databaseQueueLength: 0, requestQueueLength: 0 },
};
const REPORT = `processes { id host pid version startedAt seenAt cacheTrusted isRelay outboxLagMs memoryBytes cpu
  eventLoopP99Ms databaseConnections databaseQueueLength requestQueueLength }
  operations { name latency { count } queries { model action count sql } } errors { status code count } bypasses { reason count }`;
const FINDINGS = '{ performance { findings { check status found remedy } } }';

let service: TestService;
let operator: string;
beforeAll(async () => {
  service = await startService();
  await insertTenant(service.databaseUrl, { slug: 'acme' });
  operator = await service.token(Role.OPERATOR);
  // The processes are listed by the time of their first row.
  await until(async () => (await sql('SELECT FROM service_processes')).length > 0);
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
  const logged: Record<string, unknown>[] = [];
  const logger = pino({ base: null, timestamp: false }, { write: (line) => logged.push(JSON.parse(line)) });
  let nowMs = 0;
  const clock = { passMs: (ms: number) => (nowMs += ms) };
  const deployment = new Deployment(own, monitor, database, logger, () => nowMs);
  const ofAll = () => {
    clock.passMs(1_000); // a sum is kept for so long
    return deployment.ofAll();
  };
  return { monitor, own, writer, errors, deployment, ofAll, logged, clock };
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
    const { figures, processes } = await one.ofAll();
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
    const counted = async ({ ofAll }: typeof one) =>
      [...(await ofAll()).figures.operations.values()].map(({ name }) => name);
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
    const seen = async () => (await one.ofAll()).processes.some((process) => process.id === id);
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
    const ids = (await one.ofAll()).processes.map(({ id }) => id);
    expect(ids).toContain(one.own.identity.id);
    expect(ids).not.toContain(two.own.identity.id);
    expect(ids).not.toContain(three.own.identity.id);
  });

  it('are without a row that is damaged, of which nothing is added, and which is logged once', async () => {
    const one = await anotherProcess();
    const sums = async () => {
      const { figures, processes } = await one.ofAll();
      const { since: _, ...report } = serviceReport(figures);
      return { report, ids: processes.map(({ id }) => id) };
    };
    const before = await sums();
    const snapshot = snapshotOf(one.monitor);
    const zipped = (value: unknown) => gzipSync(JSON.stringify(value));
    const durations = { counts: Array(1_000).fill(1), sumMs: 1, maxMs: 1 };
    const damages: [column: string, value: unknown][] = [
      ['figures', Buffer.from([0])],
      ['figures', gzipSync(Buffer.alloc(33 * 1024 * 1024, ' '))],
      ['figures', zipped({ ...snapshot, errors: [['500 X', 1]], resolvers: [{ name: 'A', durations, errors: 1 }] })],
      ['figures', zipped({ ...snapshot, errors: [['500 X', 1]], slowQueries: null })],
      ['state', JSON.stringify({ ...STATE, memoryBytes: undefined })],
      ['state', JSON.stringify({ ...STATE, databaseConnections: 1e12 })],
    ];
    const ids: string[] = [];
    for (const [column, value] of damages) {
      const { own, monitor, writer } = await anotherProcess();
      answer(monitor, 'OfDamaged', 1);
      await writer.write();
      await sql(`UPDATE service_processes SET ${column} = $2 WHERE id = $1`, [own.identity.id, value]);
      ids.push(own.identity.id);
    }
    expect(await sums()).toEqual(before);
    expect(await sums()).toEqual(before);
    expect(one.logged.map(({ process }) => process)).toEqual(ids);
    expect(one.logged[0]).toMatchObject({ level: 40, reason: 'unexpected end of file' });
  });

  it('are added up once for all who ask within a second', async () => {
    const { deployment, clock } = await anotherProcess();
    const [first, second] = await Promise.all([deployment.ofAll(), deployment.ofAll()]);
    expect(second).toBe(first);
    clock.passMs(999);
    expect(await deployment.ofAll()).toBe(first);
    clock.passMs(1);
    expect(await deployment.ofAll()).not.toBe(first);
  });

  it('are written in one round of three, and how the process is in each', async () => {
    const { own, writer, monitor } = await anotherProcess();
    const row = async () =>
      (
        await sql<{ figures: string; seenAt: Date }>(
          'SELECT md5(figures) AS figures, seen_at AS "seenAt" FROM service_processes WHERE id = $1',
          [own.identity.id],
        )
      )[0];
    const before = await row();
    answer(monitor, 'Later', 1);
    await writer.round(); // the second: the first was at the start
    await writer.round();
    const meanwhile = await row();
    expect(meanwhile?.figures).toBe(before?.figures);
    expect(Number(meanwhile?.seenAt)).toBeGreaterThan(Number(before?.seenAt));
    await writer.round();
    expect((await row())?.figures).not.toBe(before?.figures);
    await sql('TRUNCATE service_processes');
    await writer.round();
    await writer.round();
    expect((await row())?.figures).toEqual(expect.any(String));
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
    answer(monitor, 'Kept', 1);
    for (let place = 0; place < 200; place++)
      monitor.plans.set(randomText(10_000), { text: randomText(10_000), advice: null });
    await writer.write();
    const [row] = await sql<{ figures: Buffer }>('SELECT figures FROM service_processes WHERE id = $1', [
      own.identity.id,
    ]);
    expect(row?.figures.length).toBeLessThan(2 * 1024 * 1024);
    const { operations, plans } = parseSnapshot(String(gunzipSync(row?.figures ?? ''))) as Snapshot;
    expect(operations.map(({ name }) => name)).toEqual(['Kept']);
    expect(plans).toEqual([]);
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
    const deployment = new Deployment(own, monitor, away, pino({ level: 'silent' }));
    await expect(deployment.ofAll()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
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

describe('findings', () => {
  it('tell an OPERATOR what is wrong with the database, and what to do, as the doctor does', async () => {
    await withKeptClient(service.databaseUrl, async (client) => {
      await client.query('ALTER TABLE bank_accounts DISABLE TRIGGER keep_totals_update');
      // Databases of tests list none.
      await client.query(
        `CREATE TABLE _prisma_migrations AS SELECT migration_name, now() AS finished_at, NULL::timestamptz AS rolled_back_at
           FROM unnest($1::text[]) migration_name`,
        [readdirSync('prisma/migrations').filter((name) => /^\d/.test(name))],
      );
    });
    const { data, errors } = await service.send(operator, FINDINGS);
    expect(errors).toBeUndefined();
    expect(data.performance.findings).toContainEqual({
      check: 'triggers, policies, functions, keys',
      status: 'FAULT',
      found: 'trigger keep_totals_update on bank_accounts is disabled',
      remedy: expect.stringMatching(
        /^As the owner of the tables: ALTER TABLE bank_accounts ENABLE ALWAYS TRIGGER keep_totals_update; Then: npm run statistics:check$/,
      ),
    });
    for (const { status } of data.performance.findings) expect(['WARNING', 'FAULT']).toContain(status);
  });
});

/** That no compression makes shorter by much. */
function randomText(length: number): string {
  return randomBytes(length).toString('base64').slice(0, length);
}
