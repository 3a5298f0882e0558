import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanPiece, RetentionCleaner, removeOlder } from '../../src/app/retention.ts';
import { AuditLog } from '../../src/audit/audit-log.ts';
import { recorded } from '../../src/audit/operator-line.ts';
import { Role } from '../../src/auth/caller.ts';
import { timeOf } from '../../src/commands/audit-command.ts';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { QUERY_CANCELED } from '../../src/database/sql-state.ts';
import { OperatorError, StateError, UnavailableError } from '../../src/errors.ts';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { AuditDraft, AuditOutcome, type AuditSubject, storable } from '../../src/tenancy/audit-line.ts';
import { TurnRefused } from '../../src/tenancy/fair-queue.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient, withKeptClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const NO_TENANT_ID = '00000000-0000-0000-0000-000000000000';
const INVALIDATE = 'mutation { invalidateCache(input: {}) { namespaces } }';
const AUDIT = `query ($first: Int, $after: String, $since: DateTime, $who: String, $what: String) {
  auditLog(first: $first, after: $after, since: $since, who: $who, what: $what) {
    totalCount nodes { subject role action key outcome codes times } pageInfo { hasNextPage endCursor } } }`;

let database: TestDatabase;
let acme: string;
let rival: string;
beforeAll(async () => {
  database = await createTestDatabase();
  [acme, rival] = (await Promise.all(['acme', 'rival'].map((slug) => insertTenant(database.url, { slug })))) as [
    string,
    string,
  ];
});
afterAll(() => database?.drop());

const sql = async <Row extends object>(text: string, values: unknown[] = []) =>
  (await withKeptClient(database.url, (client) => client.query<Row>(text, values))).rows;

/** Runs with a service, which has written all its lines when it is closed. */
async function withService(work: (service: TestService) => Promise<void>, env: Record<string, string> = {}) {
  await sql('DELETE FROM audit_log');
  const service = await startService({ database, env });
  await work(service).finally(() => service.close());
  return sql('SELECT tenant_id, subject, role, action, key, outcome, codes, times FROM audit_log ORDER BY at, times');
}

test('of any number of refused tokens there is a line for each reason and minute, with their number and nothing of theirs', async () => {
  const lines = await withService(async (service) => {
    const token = await service.token(Role.VIEWER, 'acme');
    const forged = `${token.slice(0, -4)}AAAA`;
    for (let sent = 0; sent < 50; sent++) await service.send(forged, '{ viewer { id } }');
    for (let sent = 0; sent < 30; sent++) await service.send(`made up ${sent}`, '{ viewer { id } }');
  });
  const refused = { tenant_id: NO_TENANT_ID, subject: null, role: null, action: 'token', outcome: 'FAILED' };
  expect(lines.map(({ times }: { times?: number }) => times).sort()).toEqual([30, 50]);
  for (const line of lines) expect(line).toMatchObject({ ...refused, codes: ['UNAUTHENTICATED'] });
  expect(JSON.stringify(lines)).not.toContain('made up');
});

test('what may not be done is one line for each caller and minute, and refreshes are recorded, refused ones too', async () => {
  const lines = await withService(
    async (service) => {
      const [viewer, analyst] = await Promise.all(
        [Role.VIEWER, Role.ANALYST].map((role) => service.token(role, 'acme')),
      );
      for (let sent = 0; sent < 3; sent++) await service.send(viewer as string, INVALIDATE);
      for (let sent = 0; sent < 4; sent++)
        await service.send(analyst as string, '{ dashboard(refresh: true) { date } }');
    },
    { CACHE_REFRESHES_PER_MINUTE: '2' },
  );
  const own = { tenant_id: acme };
  expect(lines).toHaveLength(4);
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ ...own, role: 'VIEWER', action: 'invalidateCache', codes: ['FORBIDDEN'], times: 3 }),
      expect.objectContaining({
        ...own,
        role: 'ANALYST',
        action: 'refresh',
        key: 'dashboard',
        codes: ['RATE_LIMITED'],
        times: 2,
      }),
      expect.objectContaining({
        ...own,
        role: 'ANALYST',
        action: 'refresh',
        key: 'dashboard',
        outcome: 'DONE',
        times: 1,
      }),
    ]),
  );
});

describe('auditLog', () => {
  test('shows an ADMIN the own tenant’s lines in pages, newest first, and nobody else anything', async () => {
    await withService(async (service) => {
      for (const [tenantId, action, count] of [
        [acme, 'transfer', 3],
        [acme, 'refresh', 2],
        [rival, 'secret', 2],
      ] as const)
        for (let line = 0; line < count; line++)
          await sql(
            `INSERT INTO audit_log VALUES ($1, now() - $2 * interval '1 hour', gen_random_uuid(), 'ann', 'ADMIN', $3, $4, NULL, 'DONE', '{}', 1)`,
            [tenantId, line, action, String(line)],
          );
      const admin = await service.token(Role.ADMIN, 'acme');
      const first = (await service.send(admin, AUDIT, { first: 4 })).data.auditLog;
      const rest = (await service.send(admin, AUDIT, { first: 4, after: first.pageInfo.endCursor })).data.auditLog;
      expect([first.totalCount, first.nodes.length, rest.nodes.length]).toEqual([5, 4, 1]);
      expect(first.nodes.concat(rest.nodes).map(({ key }: { key: string }) => key)).toEqual(['0', '0', '1', '1', '2']);
      expect(JSON.stringify([first, rest])).not.toContain('secret');
      const count = async (asked: object) => (await service.send(admin, AUDIT, asked)).data.auditLog.totalCount;
      expect(await count({ what: 'refresh' })).toBe(2);
      expect(await count({ who: 'bob' })).toBe(0);
      expect(await count({ since: new Date(Date.now() - 30 * 60_000).toISOString() })).toBe(2);
      for (const role of [Role.VIEWER, Role.ANALYST]) {
        const { errors } = await service.send(await service.token(role, 'acme'), AUDIT);
        expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
      }
      const { errors } = await service.send(await service.token(Role.OPERATOR), AUDIT);
      expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    });
  });
});

/** The service's database, past the service. */
async function withDatabase<Result>(work: (database: TenantDatabase) => Promise<Result>): Promise<Result> {
  const own = new TenantDatabase({ url: database.url, poolSize: 2, statementTimeoutMs: 10_000, takeServiceRole: true });
  return work(own).finally(() => own.close());
}

const subject = (key: string, tenantId = acme): AuditSubject => {
  const scope = TenantScope.ofVerifiedCaller(tenantId);
  return { scope, subject: 'ann', role: 'ADMIN', action: 'transfer', key, requestId: null };
};
const refuse = (log: AuditLog, key: string, tenantId = acme) =>
  log.add(subject(key, tenantId), AuditOutcome.REFUSED, ['SAME_ACCOUNT']);

test('lines wait while they cannot be written; those that find no place are counted, and a line tells of them', async () => {
  await sql('DELETE FROM audit_log');
  await sql(`REVOKE INSERT ON audit_log FROM ${SERVICE_ROLE}`);
  await withDatabase(async (own) => {
    const log = new AuditLog({ database: own, onError: () => {} });
    for (let line = 0; line < 10_003; line++) log.add(subject(String(line)), AuditOutcome.REFUSED, ['SAME_ACCOUNT']);
    await expect(log.flush()).rejects.toThrow('permission denied');
    expect([log.waiting, log.dropped, log.written]).toEqual([10_000, 3, 0]);
    await sql(`GRANT INSERT ON audit_log TO ${SERVICE_ROLE}`);
    await log.stop();
    expect([log.waiting, log.written]).toEqual([0, 10_000]);
  });
  expect(
    await sql('SELECT action, count(*)::integer, max(times) AS times FROM audit_log GROUP BY action ORDER BY action'),
  ).toEqual([
    { action: 'audit:lost', count: 1, times: 3 },
    { action: 'transfer', count: 10_000, times: 1 },
  ]);
});

test('what finds no place is of the tenant with the most, of lines and of kinds of refusals, and so is the line that tells', async () => {
  await sql('DELETE FROM audit_log');
  await sql(`REVOKE INSERT ON audit_log FROM ${SERVICE_ROLE}`);
  await withDatabase(async (own) => {
    const log = new AuditLog({ database: own, onError: () => {} });
    for (let line = 0; line < 10_003; line++) refuse(log, String(line));
    for (let line = 0; line < 5; line++) refuse(log, String(line), rival);
    const forbid = (name: string, tenantId: string) =>
      log.add({ ...subject('x', tenantId), subject: name }, AuditOutcome.FAILED, ['FORBIDDEN']);
    for (let kind = 0; kind < 1_002; kind++) forbid(`caller ${kind}`, acme);
    for (let times = 0; times < 3; times++) forbid('bob', rival);
    for (let times = 0; times < 2; times++) forbid('caller 999', acme);
    await expect(log.flush()).rejects.toThrow('permission denied');
    expect([log.waiting, log.lost]).toEqual([11_000, 11_000 + 3 + 5 + 2 + 1 + 2]);
    await sql(`GRANT INSERT ON audit_log TO ${SERVICE_ROLE}`);
    await log.flush();
    await log.stop();
  });
  const lines = await sql<{ slug: string; action: string; code: string; lines: number; times: number }>(
    `SELECT slug, action, codes[1] AS code, count(*)::integer AS lines, sum(times)::integer AS times
     FROM audit_log LEFT JOIN tenants ON tenants.id = tenant_id GROUP BY slug, action, codes[1] ORDER BY slug, action, code`,
  );
  expect(lines).toEqual([
    { slug: 'acme', action: 'audit:lost', code: null, lines: 1, times: 3 + 5 + 2 + 1 + 2 },
    { slug: 'acme', action: 'transfer', code: 'FORBIDDEN', lines: 999, times: 999 },
    { slug: 'acme', action: 'transfer', code: 'SAME_ACCOUNT', lines: 9_995, times: 9_995 },
    { slug: 'rival', action: 'transfer', code: 'FORBIDDEN', lines: 1, times: 3 },
    { slug: 'rival', action: 'transfer', code: 'SAME_ACCOUNT', lines: 5, times: 5 },
  ]);
});

/** What writes the line `third`, or one that tells of lost ones, waits until the lock is released. */
const WAIT_FOR_LOCK = `
  CREATE FUNCTION wait_for_lock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$;
  CREATE TRIGGER wait_for_lock BEFORE INSERT ON audit_log FOR EACH ROW WHEN (NEW.key = 'third' OR NEW.action = 'audit:lost')
    EXECUTE FUNCTION wait_for_lock()`;
const WAITING = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`;

/** `cutAfter` ends the connection when what `send` commits is there, and before the answer is. */
async function withCutDatabase(
  work: (
    own: TenantDatabase,
    cutAfter: (send: () => Promise<void>, committed: string) => Promise<void>,
  ) => Promise<void>,
): Promise<void> {
  await sql('DELETE FROM audit_log');
  const way = await startTcpProxy(Number(new URL(database.url).port));
  const url = new URL(database.url);
  url.port = String(way.port);
  const own = new TenantDatabase({ url: url.href, poolSize: 1, statementTimeoutMs: 10_000, takeServiceRole: true });
  const untilThere = (query: string) => until(async () => (await sql(query)).length > 0, query);
  const cutAfter = (send: () => Promise<void>, committed: string) =>
    withClient(database.url, async (holder) => {
      await holder.query('SELECT pg_advisory_lock(42)');
      const failed = expect(send()).rejects.toThrow();
      await untilThere(WAITING);
      way.holdAnswers();
      await holder.query('SELECT pg_advisory_unlock(42)');
      await untilThere(committed);
      way.cut();
      await failed;
      way.mend();
    });
  await sql(WAIT_FOR_LOCK);
  try {
    await work(own, cutAfter);
  } finally {
    await sql('DROP FUNCTION wait_for_lock CASCADE');
    await own.close();
    await way.close();
  }
}

test('lines whose COMMIT came through without its answer are there once, and keep none behind them back', async () => {
  await withCutDatabase(async (own, cutAfter) => {
    const log = new AuditLog({ database: own, onError: () => {} });
    refuse(log, 'first');
    await log.flush();
    const send = () => {
      for (const key of ['second', 'third']) refuse(log, key);
      return log.flush();
    };
    await cutAfter(send, "SELECT FROM audit_log WHERE key = 'third'");
    refuse(log, 'behind');
    await log.flush();
    expect([log.waiting, log.written]).toEqual([0, 4]);
    await log.stop();
  });
  expect(await sql('SELECT key FROM audit_log ORDER BY key')).toEqual(
    ['behind', 'first', 'second', 'third'].map((key) => ({ key })),
  );
});

const lossesTold = () => sql("SELECT times FROM audit_log WHERE action = 'audit:lost' ORDER BY at");

test('the line that tells of lost ones is there once, too', async () => {
  await withCutDatabase(async (own, cutAfter) => {
    const log = new AuditLog({ database: own, onError: () => {} });
    await log.flush();
    const send = () => {
      for (let line = 0; line < 10_002; line++) refuse(log, 'many');
      return log.flush();
    };
    await cutAfter(send, "SELECT FROM audit_log WHERE action = 'audit:lost'");
    for (let line = 0; line < 10_001; line++) refuse(log, 'more');
    await log.stop();
    expect([log.lost, log.dropped]).toEqual([0, 3]);
  });
  expect(await lossesTold()).toEqual([{ times: 2 }, { times: 1 }]);
});

test('what is lost while the line that tells of losses cannot be written is told as well', async () => {
  await sql('DELETE FROM audit_log');
  await sql(`ALTER TABLE audit_log ADD CONSTRAINT no_telling CHECK (action <> 'audit:lost')`);
  await withDatabase(async (own) => {
    const log = new AuditLog({ database: own, onError: () => {} });
    for (const lines of [10_002, 10_001]) {
      for (let line = 0; line < lines; line++) refuse(log, 'many');
      await expect(log.flush()).rejects.toThrow('no_telling');
    }
    expect([log.waiting, log.lost]).toEqual([0, 3]);
    await sql('ALTER TABLE audit_log DROP CONSTRAINT no_telling');
    await log.stop();
    expect(log.lost).toBe(0);
  });
  expect(await lossesTold()).toEqual([{ times: 2 }, { times: 1 }]);
});

test('lines that PostgreSQL refuses keep back neither other tenants’ nor the next ones of their own', async () => {
  await sql('DELETE FROM audit_log');
  await sql(`ALTER TABLE audit_log ADD CONSTRAINT no_bad CHECK (key <> 'bad')`);
  await withDatabase(async (own) => {
    let works = 0;
    const told: Error[] = [];
    const log = new AuditLog({ database: own, onError: (error) => told.push(error), onWorks: () => works++ });
    await log.flush();
    expect(works).toBe(0);
    const lines = Array.from({ length: 700 }, (_, n) => (n % 230 === 7 ? 'bad' : 'good'));
    for (const key of lines) refuse(log, key);
    refuse(log, 'good', rival);
    await log.flush();
    expect([log.waiting, log.written, log.dropped, works]).toEqual([0, 697, 4, 0]);
    expect(told).toHaveLength(4);
    for (const error of told) expect(error.message).toContain('no_bad');
    const good = await sql<{ tenant_id: string }>("SELECT tenant_id FROM audit_log WHERE key = 'good'");
    expect(good.filter(({ tenant_id }) => tenant_id === rival)).toHaveLength(1);
    expect(good).toHaveLength(697);
    expect(await lossesTold()).toEqual([{ times: 4 }]);
    // They are not tried again.
    await sql('ALTER TABLE audit_log DROP CONSTRAINT no_bad');
    await log.flush();
    refuse(log, 'good');
    await log.flush();
    expect([log.waiting, log.written, told.length, works]).toEqual([0, 698, 4, 1]);
    expect(await sql("SELECT FROM audit_log WHERE key = 'bad'")).toEqual([]);
    await log.stop();
  });
});

describe('a tenant whose lines cannot be written now keeps back no other tenant’s:', () => {
  const keys = () => sql('SELECT key FROM audit_log ORDER BY key');

  /** The tenant that cannot write comes first, and has more than one batch. */
  async function refuseBoth(log: AuditLog): Promise<void> {
    await log.flush();
    for (let line = 0; line < 501; line++) refuse(log, 'third', acme);
    refuse(log, 'theirs', rival);
  }

  /** None waits for a connection: it is refused at once. */
  const noQueue = () =>
    new TenantDatabase({
      url: database.url,
      poolSize: 2,
      statementTimeoutMs: 10_000,
      queue: { length: 0, timeoutMs: 10_000, tenantShare: 50 },
      takeServiceRole: true,
    });

  /** Has a connection from when it resolves until `end` is called. */
  async function hold(own: TenantDatabase, tenantId: string) {
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    let held: Promise<void> | undefined;
    await new Promise<void>((begin) => {
      held = own.write(TenantScope.ofVerifiedCaller(tenantId), () => {
        begin();
        return ended;
      });
    });
    return async () => {
      end();
      await held;
    };
  }

  test('its share of the connections is for its requests, and none of them for its lines', async () => {
    await sql('DELETE FROM audit_log');
    const own = noQueue();
    const log = new AuditLog({ database: own, onError: () => {} });
    await refuseBoth(log);
    const end = await hold(own, acme); // all that it may have while another one is active
    const one = { model: 'Test', action: 'test', query: Prisma.sql`SELECT 1 AS one` };
    await own.select(TenantScope.ofVerifiedCaller(rival), one);
    await log.flush();
    expect(log.waiting).toBe(0);
    expect(await keys()).toHaveLength(502);
    await end();
    await log.stop();
    await own.close();
  });

  test('all wait while the service gets no turn, which is asked for once in a while', async () => {
    await sql('DELETE FROM audit_log');
    const own = noQueue();
    const ends = [await hold(own, acme), await hold(own, rival)];
    const log = new AuditLog({ database: own, onError: () => {} });
    await refuseBoth(log);
    await expect(log.flush()).rejects.toBeInstanceOf(TurnRefused);
    expect(own.queue.refusals.length).toBe(1);
    expect(log.waiting).toBe(502);
    for (const end of ends) await end();
    await log.stop();
    expect(await keys()).toHaveLength(502);
    await own.close();
  });

  test('its statement is stopped for its time', async () => {
    await sql('DELETE FROM audit_log');
    await sql(WAIT_FOR_LOCK);
    const own = new TenantDatabase({ url: database.url, poolSize: 2, statementTimeoutMs: 200, takeServiceRole: true });
    const log = new AuditLog({ database: own, onError: () => {} });
    await withClient(database.url, async (holder) => {
      await holder.query('SELECT pg_advisory_lock(42)');
      await refuseBoth(log);
      await expect(log.flush()).rejects.toMatchObject({ code: QUERY_CANCELED });
      expect(log.waiting).toBe(501);
      expect(await keys()).toEqual([{ key: 'theirs' }]);
    });
    await sql('DROP FUNCTION wait_for_lock CASCADE');
    await log.stop();
    expect(await keys()).toHaveLength(502);
    await own.close();
  });
});

test('a COMMIT that came through after all has no second line', async () => {
  await sql('DELETE FROM audit_log');
  await withDatabase(async (own) => {
    const log = new AuditLog({ database: own, onError: () => {} });
    const [through, lost] = [new AuditDraft(subject('through')), new AuditDraft(subject('lost'))];
    await own.write(TenantScope.ofVerifiedCaller(acme), async () => {}, { draft: through });
    for (const draft of [through, lost]) log.add(draft, AuditOutcome.UNKNOWN, ['SERVICE_UNAVAILABLE']);
    await log.stop();
  });
  expect(await sql('SELECT key, outcome FROM audit_log ORDER BY key')).toEqual([
    { key: 'lost', outcome: 'UNKNOWN' },
    { key: 'through', outcome: 'DONE' },
  ]);
});

test('a token’s text never keeps a line from being written', () => {
  expect(storable('a\0b\ud800c')).toBe('abc');
  expect([...(storable('😀'.repeat(300)) ?? '')]).toHaveLength(200);
  expect(storable(null)).toBeNull();
});

describe('retention', () => {
  test('removes lines and keys that are past their time, in pieces, and no others', async () => {
    await sql('DELETE FROM audit_log');
    const age = "now() - $2 * interval '1 day'";
    for (const [tenantId, days] of [
      [acme, 401],
      [rival, 402],
      [NO_TENANT_ID, 403],
      [acme, 399],
      [acme, 0],
    ] as const)
      await sql(
        `INSERT INTO audit_log VALUES ($1, ${age}, gen_random_uuid(), NULL, NULL, 'x', NULL, NULL, 'DONE', '{}', 1)`,
        [tenantId, days],
      );
    for (const [key, days] of [
      ['old', 3],
      ['older', 4],
      ['new', 1.9],
    ] as const)
      await sql(`INSERT INTO idempotency_keys VALUES ($1, $3, '\\x00', '{}', ${age})`, [acme, days, key]);
    const removed = await withDatabase(async (own) => {
      const config = { auditDays: 400, idempotencyHours: 48 };
      const pieces: number[] = [];
      for (let piece = -1; piece !== 0; pieces.push(piece)) piece = (await cleanPiece(own, config, 2)).removed;
      return pieces;
    });
    expect(removed).toEqual([4, 1, 0]);
    expect(await sql('SELECT key FROM idempotency_keys')).toEqual([{ key: 'new' }]);
    expect(await sql("SELECT count(*)::integer AS lines FROM audit_log WHERE action = 'x'")).toEqual([{ lines: 2 }]);
  });

  test('is kept up by every service, of usage too', async () => {
    for (const table of ['audit_log', 'idempotency_keys', 'tenant_usage']) await sql(`DELETE FROM ${table}`);
    const old = "now() - interval '500 days'";
    await sql(
      `INSERT INTO audit_log VALUES ($1, ${old}, gen_random_uuid(), NULL, NULL, 'x', NULL, NULL, 'DONE', '{}', 1)`,
      [acme],
    );
    await sql(`INSERT INTO idempotency_keys VALUES ($1, 'old', '\\x00', '{}', ${old})`, [acme]);
    await sql(`INSERT INTO tenant_usage VALUES ($1, ${old}, 1, 0, 1, 0, 0, 0, '{}')`, [acme]);
    await withDatabase(async (own) => {
      await new Promise<void>((resolve, reject) => {
        const cleaner = new RetentionCleaner(own, { auditDays: 400, idempotencyHours: 48 }, reject, () => {
          cleaner.stop().then(resolve, reject);
        });
      });
    });
    for (const table of ['audit_log', 'idempotency_keys', 'tenant_usage'])
      expect(await sql(`SELECT FROM ${table}`)).toEqual([]);
  });

  test.each([
    'audit_log_clean(interval, integer)',
    'idempotency_keys_clean(interval, integer)',
    'tenant_usage_clean(interval, integer)',
  ])('of the other kinds goes on where one cannot be removed: %s', async (call) => {
    const old = "now() - interval '500 days'";
    await sql('DELETE FROM audit_log');
    for (let row = 0; row < 3; row++) {
      await sql(
        `INSERT INTO audit_log VALUES ($1, ${old}, gen_random_uuid(), NULL, NULL, 'x', NULL, NULL, 'DONE', '{}', 1)`,
        [acme],
      );
      await sql(`INSERT INTO idempotency_keys VALUES ($1, $2, '\\x00', '{}', ${old})`, [acme, `old ${row}`]);
      await sql(`INSERT INTO tenant_usage VALUES ($1, ${old} + $2 * interval '1 hour', 1, 0, 1, 0, 0, 0, '{}')`, [
        acme,
        row,
      ]);
    }
    await sql(`REVOKE EXECUTE ON FUNCTION ${call} FROM tenantry_app`);
    try {
      await withDatabase(async (own) => {
        const { errors } = await cleanPiece(own, { auditDays: 400, idempotencyHours: 48 });
        expect(errors.map(({ message }) => message)).toEqual([
          `permission denied for function ${call.replace(/\(.*/, '')}`,
        ]);
        const left = async (table: string) => (await sql(`SELECT FROM ${table}`)).length;
        for (const table of ['audit_log', 'idempotency_keys', 'tenant_usage'])
          expect([table, await left(table)]).toEqual([table, call.startsWith(table) ? 3 : 0]);
        // A loop tells it, and does not say that it works.
        const told = await new Promise((resolve, reject) => {
          const cleaner = new RetentionCleaner(own, { auditDays: 400, idempotencyHours: 48 }, resolve, () =>
            reject(new Error('said to work')),
          );
          void cleaner.stop();
        });
        expect(told).toMatchObject({ code: '42501' });
      });
    } finally {
      await sql(`GRANT EXECUTE ON FUNCTION ${call} TO tenantry_app`);
      for (const table of ['audit_log', 'idempotency_keys', 'tenant_usage']) await sql(`DELETE FROM ${table}`);
    }
  });

  test('is never shorter than 30 days for whoever has the service’s login, which changes no line and removes none younger', async () => {
    await sql('DELETE FROM audit_log');
    for (const [key, days] of [
      ['younger', 29.9],
      ['older', 30.1],
    ] as const)
      await sql(
        `INSERT INTO audit_log VALUES ($1, now() - $2 * interval '1 day', gen_random_uuid(), NULL, NULL, 'x', $3, NULL, 'DONE', '{}', 1)`,
        [acme, days, key],
      );
    await withDatabase(async (own) => {
      await cleanPiece(own, { auditDays: 30, idempotencyHours: 48 });
      expect(await sql('SELECT key FROM audit_log')).toEqual([{ key: 'younger' }]);
      await expect(removeOlder(own, 'audit_log', 29 * 86_400_000, 10)).rejects.toThrow('kept for 30 days at least');
      for (const statement of ["UPDATE audit_log SET subject = 'x'", 'DELETE FROM audit_log', 'TRUNCATE audit_log'])
        await expect(own.withConnection((client) => client.query(statement))).rejects.toThrow('permission denied');
      await own.withConnection(async (client) => {
        await client.query('BEGIN');
        await client.query("SET LOCAL app.maintenance = 'on'");
        expect((await client.query('SELECT * FROM audit_log')).rows).toEqual([]);
        await client.query('ROLLBACK');
      });
    });
  });
});

test('an operator’s command leaves who ran it and what came of it, also as the owner that row-level security holds', async () => {
  await sql('DELETE FROM audit_log');
  const action = { action: 'statistics:rebuild', tenantId: acme, key: null } as const;
  await withClient(database.url, async (client) => {
    await client.query(`SET ROLE ${SERVICE_ROLE}`);
    await recorded(client, action, async () => {});
    const failing = recorded(client, action, () => client.query('SELECT 1/0'));
    await expect(failing).rejects.toThrow('division by zero');
    const errors = [OperatorError, StateError, UnavailableError].map((Refusal) => new Refusal('No.', 'Do.'));
    for (const error of [...errors, new RangeError('a fault')])
      await expect(recorded(client, action, () => Promise.reject(error))).rejects.toBe(error);
    await client.query('SELECT 1');
  });
  const own = { tenant_id: acme, subject: `operator:${userInfo().username}`, action: 'statistics:rebuild' };
  expect(await sql('SELECT tenant_id, subject, action, outcome, codes FROM audit_log ORDER BY at')).toEqual([
    { ...own, outcome: 'DONE', codes: [] },
    { ...own, outcome: 'FAILED', codes: ['22012'] },
    { ...own, outcome: 'FAILED', codes: ['BAD_USER_INPUT'] },
    { ...own, outcome: 'FAILED', codes: ['FAILED_PRECONDITION'] },
    { ...own, outcome: 'FAILED', codes: ['SERVICE_UNAVAILABLE'] },
    { ...own, outcome: 'FAILED', codes: ['INTERNAL_SERVER_ERROR'] },
  ]);
});

test('--since is a span of time or a date', () => {
  const now = Date.parse('2026-11-29T12:00:00Z');
  expect(timeOf('since', '2h', now)).toBe('2026-11-29T10:00:00.000Z');
  expect(timeOf('until', '2026-11-01', now)).toBe('2026-11-01T00:00:00.000Z');
  for (const wrong of ['yesterday', '2 h', '', `${randomUUID()}`])
    for (const name of ['since', 'until'] as const)
      expect(() => timeOf(name, wrong, now)).toThrow(`--${name} must be a span of time`);
});

test.each([
  '2026-02-31',
  '2025-02-29T08:00:00Z',
  '2026-04-31',
  '2026-13-01',
  '2026-00-10',
  '2026-01-00T10:00:00+02:00',
])('--since %s is refused by name: there is no such day', (wrong) => {
  expect(() => timeOf('since', wrong, Date.now())).toThrow(
    `--since must be a day of the calendar, but ${wrong.slice(0, 10)} does not exist, in: "${wrong}".`,
  );
});
