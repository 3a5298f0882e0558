import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BackgroundWriters, startBackgroundWriters } from '../../src/app/background-writers.ts';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { UsageCounts } from '../../src/monitoring/usage-counts.ts';
import { AuditOutcome } from '../../src/tenancy/audit-line.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { UsageWriter } from '../../src/usage/usage-writer.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient, withKeptClient } from '../support/postgres.ts';

let database: TestDatabase;
let acme: string;
let own: TenantDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  acme = await insertTenant(database.url, { slug: 'acme' });
  own = new TenantDatabase({ url: database.url, poolSize: 2, statementTimeoutMs: 10_000, takeServiceRole: true });
});
afterAll(async () => {
  await own?.close();
  await database?.drop();
});

const asOwner = (text: string) => withKeptClient(database.url, (client) => client.query(text));

/** What is logged while one answer is counted, and two lines are added, without a right of the service. */
async function loggedWithout(right: string): Promise<Record<string, unknown>[]> {
  await asOwner(`REVOKE ${right} FROM ${SERVICE_ROLE}`);
  const logged: Record<string, unknown>[] = [];
  await startWriters(logged).stop();
  await asOwner(`GRANT ${right} TO ${SERVICE_ROLE}`);
  return logged;
}

/** One answer is counted, and two lines are added. */
function startWriters(logged: Record<string, unknown>[]): BackgroundWriters {
  const logger = pino(
    { level: 'info', base: null, timestamp: false },
    { write: (line) => logged.push(JSON.parse(line)) },
  );
  const counts = new UsageCounts();
  const writers = startBackgroundWriters(own, counts, { auditDays: 400, idempotencyHours: 48 }, logger);
  counts.request(acme, false, 1);
  const subject = {
    scope: TenantScope.ofVerifiedCaller(acme),
    subject: 'ann',
    role: 'ADMIN',
    key: null,
    requestId: null,
  };
  for (const code of ['SAME_ACCOUNT', 'FORBIDDEN'])
    writers.audit.add({ ...subject, action: 'transfer' }, AuditOutcome.REFUSED, [code]);
  return writers;
}

test('an outage is told of the one that fails alone, and at the end how many lines are lost', async () => {
  const reason = 'permission denied for table audit_log';
  expect(await loggedWithout('INSERT ON audit_log')).toEqual([
    { level: 40, reason, msg: expect.stringMatching(/^the audit lines .* cannot be written/) },
    { level: 50, reason, lines: 2, msg: 'audit lines of what was refused or failed are lost' },
  ]);
});

test('what cannot be written in time is told, too, before it is known whether it ever can be', async () => {
  await withClient(database.url, async (holder) => {
    await holder.query('BEGIN; LOCK TABLE audit_log, tenant_usage IN ACCESS EXCLUSIVE MODE');
    const logged: Record<string, unknown>[] = [];
    const writers = startWriters(logged);
    await writers.save(200);
    const reason = 'not done within 200 ms';
    expect(logged).toEqual([
      { level: 50, reason, lines: 2, msg: 'audit lines of what was refused or failed are lost' },
      { level: 50, reason, tenants: 1, msg: 'what tenants cost in the last seconds is lost' },
    ]);
    await holder.query('ROLLBACK');
    await writers.stop();
    expect(logged).toHaveLength(2);
  });
});

test('so is what tenants cost', async () => {
  const reason = 'permission denied for function tenant_usage_add';
  expect(await loggedWithout('EXECUTE ON FUNCTION tenant_usage_add')).toEqual([
    { level: 40, reason, msg: expect.stringMatching(/^what tenants cost cannot be written/) },
    { level: 50, reason, tenants: 1, msg: 'what tenants cost in the last seconds is lost' },
  ]);
});

test('usage works again when something was written, and not when there was nothing to write', async () => {
  let works = 0;
  const counts = new UsageCounts();
  const writer = new UsageWriter(
    own,
    counts,
    () => {},
    () => works++,
  );
  await writer.flush();
  expect(works).toBe(0);
  counts.request(acme, false, 1);
  await writer.stop();
  expect(works).toBe(1);
});
