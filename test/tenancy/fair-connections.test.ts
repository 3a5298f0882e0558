import { setImmediate as turn } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AuditLog } from '../../src/audit/audit-log.ts';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { UsageCounts } from '../../src/monitoring/usage-counts.ts';
import { AuditOutcome } from '../../src/tenancy/audit-line.ts';
import { byOperator } from '../../src/tenancy/connection-turns.ts';
import { TurnRefused } from '../../src/tenancy/fair-queue.ts';
import { knownFailure } from '../../src/tenancy/known-failure.ts';
import { RequestAbandoned } from '../../src/tenancy/running-statements.ts';
import { asSearch, type SqlStatement } from '../../src/tenancy/sql-statement.ts';
import { TenantDatabase, type TenantDatabaseOptions } from '../../src/tenancy/tenant-database.ts';
import { NO_TENANT, TenantScope } from '../../src/tenancy/tenant-scope.ts';
import { TransactionRepository } from '../../src/transactions/transaction.repository.ts';
import { addUsage } from '../../src/usage/usage.repository.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const { sql } = Prisma;
const [A, B, C] = [1, 2, 3].map((n) => TenantScope.ofOperatorCommand(`0190c5a0-0000-7000-8000-00000000000${n}`)) as [
  TenantScope,
  TenantScope,
  TenantScope,
];

type StatementOptions = Pick<SqlStatement, 'timeoutMs' | 'isSearch'>;

const SEARCH = asSearch({ rows: 1, timeoutMs: 60_000 });

let server: TestDatabase;
const opened: { close(): Promise<unknown> }[] = [];

beforeAll(async () => {
  server = await createTestDatabase();
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});
afterAll(() => server.drop());

/** Statements that last until the gate is opened, and what was done, in order. */
async function open(poolSize: number, options: Partial<TenantDatabaseOptions> = {}) {
  const database = new TenantDatabase({
    url: server.url,
    poolSize,
    statementTimeoutMs: 30_000,
    takeServiceRole: true,
    queue: { length: 100, timeoutMs: 60_000, tenantShare: 50 },
    ...options,
  });
  opened.push(database);
  const gate = new pg.Client(server.url);
  await gate.connect();
  opened.push({ close: () => gate.end() });
  const done: string[] = [];
  const run = (name: string, scope: TenantScope, query = sql`SELECT 1 AS one`, options: StatementOptions = {}) =>
    database
      .select(scope, { model: 'Test', action: name, query, ...options })
      .then(() => done.push(name))
      .catch((error: Error) => done.push(`${name}: ${error.name}`) && Promise.reject(error));
  return {
    database,
    done,
    run,
    /** Closes gate number `n`. */
    shut: (n: number) => gate.query('SELECT pg_advisory_lock($1)', [n]),
    open: (n: number) => gate.query('SELECT pg_advisory_unlock($1)', [n]),
    /** A statement that waits at gate number `n`. */
    held: (name: string, scope: TenantScope, n: number) =>
      run(name, scope, sql`SELECT pg_advisory_xact_lock_shared(${n}::integer)`),
    /** The same of one that reads rows one by one. */
    search: (name: string, scope: TenantScope, n: number) =>
      run(name, scope, sql`SELECT pg_advisory_xact_lock_shared(${n}::integer)`, SEARCH),
    /** Resolves when so many statements wait at gates. */
    async untilHeld(count: number) {
      await until(async () => {
        const { rows } = await gate.query(
          "SELECT count(*)::integer AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted",
        );
        return rows[0].n === count;
      }, `${count} statements wait at gates`);
    },
  };
}

/** Everything that can go on without the database has done so. */
const settled = async () => {
  for (let i = 0; i < 5; i++) await turn();
};

describe('connections', () => {
  test('go from tenant to tenant, however many statements of one wait', async () => {
    const { shut, open: unlock, held, untilHeld, run, done } = await open(1);
    await shut(1);
    const all = [held('a1', A, 1)];
    await untilHeld(1);
    all.push(run('a2', A), run('a3', A), run('a4', A), run('b1', B), run('b2', B), run('c1', C));
    await unlock(1);
    await Promise.all(all);
    expect(done).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
  });

  test('are one tenant’s up to its share while another one comes and goes', async () => {
    const { shut, open: unlock, held, untilHeld, run, database } = await open(4);
    await run('b', B);
    await shut(1);
    const all = Array.from({ length: 8 }, (_, index) => held(`a${index}`, A, 1));
    await untilHeld(2);
    await settled();
    expect(database.queue).toMatchObject({ length: 6, tenants: 1 });
    await Promise.all([run('b', B), run('c', C)]); // nobody has to end first
    await unlock(1);
    await Promise.all(all);
    expect(database.queue.length).toBe(0);
  });

  test('are all one tenant’s while the usage of others is written, which gets its turn', async () => {
    const { shut, open: unlock, held, untilHeld, run, done, database } = await open(4);
    const counts = new UsageCounts();
    for (const { tenantId } of [B, C]) counts.request(tenantId, false, 1);
    const usage = counts.take();
    const add = () => database.withConnection((connection) => addUsage(connection, usage));
    await shut(1);
    await add();
    const all = Array.from({ length: 4 }, (_, index) => held(`a${index}`, A, 1));
    await settled();
    expect(database.queue.length).toBe(0); // none waits until the others are forgotten
    await untilHeld(4);
    const added = add().then(() => done.push('usage'));
    all.push(run('a4', A), added);
    await settled();
    expect(database.queue).toMatchObject({ length: 2, tenants: 1 }); // the service is none
    await unlock(1);
    await Promise.all(all);
    expect(done).toContain('usage');
  });

  test('are all one tenant’s while audit lines of others and of strangers are written, which get their turn', async () => {
    const { shut, open: unlock, held, untilHeld, run, done, database } = await open(4);
    const log = new AuditLog({ database, onError: () => {} });
    opened.push({ close: () => log.stop() });
    const write = (scope: TenantScope | null) => {
      log.add({ scope, subject: null, role: null, action: 'test', key: null, requestId: null }, AuditOutcome.REFUSED);
      return log.flush();
    };
    await shut(1);
    for (const scope of [B, null]) await write(scope);
    expect(log.written).toBe(2);
    const all = Array.from({ length: 4 }, (_, index) => held(`a${index}`, A, 1));
    await settled();
    expect(database.queue.length).toBe(0); // none waits until the others are forgotten
    await untilHeld(4);
    all.push(
      run('a4', A),
      write(C).then(() => done.push('lines')),
    );
    await settled();
    expect(database.queue).toMatchObject({ length: 2, tenants: 1 });
    await unlock(1);
    await Promise.all(all);
    expect([done.includes('lines'), log.written]).toEqual([true, 3]);
  });

  test('are all one tenant’s though statements of no tenant’s id are sent', async () => {
    const { shut, open: unlock, held, untilHeld, run, database } = await open(4);
    await shut(1);
    await run('nobody', NO_TENANT);
    const all = Array.from({ length: 4 }, (_, index) => held(`a${index}`, A, 1));
    await settled();
    expect(database.queue.length).toBe(0);
    await untilHeld(4);
    await unlock(1);
    await Promise.all(all);
  });

  test('are all one tenant’s though the directory is read, as for each token that is looked at again', async () => {
    const { shut, open: unlock, held, untilHeld, database } = await open(4);
    await shut(1);
    await database.directory('SELECT slug FROM tenants', []);
    const all = Array.from({ length: 4 }, (_, index) => held(`a${index}`, A, 1));
    await settled();
    expect(database.queue.length).toBe(0); // none waits until the look-up is forgotten
    await untilHeld(4);
    await unlock(1);
    await Promise.all(all);
  });

  test('tell how long was waited for them: of a search, from when it came until it has one', async () => {
    const { shut, open: unlock, held, search, untilHeld, run, database } = await open(2, { searchShare: 50 });
    const waits = () => database.queue.waits.latency();
    for (const gate of [1, 2]) await shut(gate);
    const all = [search('a1', A, 1), held('b1', B, 2)];
    await untilHeld(2);
    expect(waits().count).toBe(0); // who has one at once has not waited
    all.push(run('a2', A, undefined, SEARCH)); // for its turn to search
    await settled();
    const cameMs = performance.now();
    all.push(held('c1', C, 2)); // for a connection, which it gets before the search
    await settled();
    expect(database.queue.length).toBe(2);
    await unlock(1);
    await all[0];
    await untilHeld(2);
    expect(waits().count).toBe(1);
    const heldUntilMs = performance.now();
    await unlock(2);
    await Promise.all(all);
    expect(waits().count).toBe(2);
    expect(waits().max).toBeGreaterThanOrEqual(heldUntilMs - cameMs);
  });

  test('tell of a search that waits for its turn alone, while connections are free', async () => {
    const { shut, open: unlock, search, untilHeld, database } = await open(4, { searchShare: 25 });
    await shut(1);
    const all = [search('a1', A, 1), search('a2', A, 1)];
    await untilHeld(1);
    await settled();
    await unlock(1);
    await Promise.all(all);
    expect(database.queue.waits.latency().count).toBe(1);
  });

  test('are waited for by as many tenants as there are, whether by searches, by others, or by both', async () => {
    const { shut, open: unlock, held, search, untilHeld, run, database } = await open(2, { searchShare: 50 });
    for (const gate of [1, 2]) await shut(gate);
    const all = [search('a1', A, 1), held('b1', B, 2)];
    await untilHeld(2);
    all.push(search('a2', A, 1), search('c1', C, 1), run('a3', A), run('b2', B));
    await settled();
    expect(database.queue).toMatchObject({ length: 4, tenants: 3 });
    for (const gate of [1, 2]) await unlock(gate);
    await Promise.all(all);
    expect(database.queue).toMatchObject({ length: 0, tenants: 0 });
  });

  test('are few for searches, of one tenant fewer while others are active, and the rest is free', async () => {
    const { shut, open: unlock, search, untilHeld, run, done, database } = await open(4, { searchShare: 50 });
    for (const gate of [1, 2, 3]) await shut(gate);
    const all = [search('a1', A, 1), search('a2', A, 2), search('a3', A, 1)];
    await untilHeld(2);
    await settled();
    expect(database.queue).toMatchObject({ length: 1, tenants: 1 });
    await Promise.all([run('a', A), run('b', B)]); // of statements that search nothing
    const others = search('b1', B, 3);
    await unlock(2);
    await untilHeld(2);
    // Though A's third came first: A has a search under way, and B is active.
    await unlock(3);
    await others;
    await settled();
    expect(database.queue).toMatchObject({ length: 1, tenants: 1 });
    await unlock(1);
    await Promise.all(all);
    expect(done.at(-1)).toBe('a3');
    expect(database.queue.length).toBe(0);
  });

  test('are few for snapshots that may search as well, and free for others', async () => {
    const { shut, open: unlock, search, untilHeld, run, done, database } = await open(2, { searchShare: 50 });
    await shut(1);
    const first = search('a1', A, 1);
    await untilHeld(1);
    const snapshot = database.snapshot(B, (within) => run('b1', within), true);
    await database.snapshot(B, (within) => run('b2', within));
    expect(database.queue).toMatchObject({ length: 1, tenants: 1 });
    await unlock(1);
    await Promise.all([first, snapshot]);
    expect(done).toEqual(['b2', 'a1', 'b1']);
    await search('a2', A, 1); // the turn was given back
  });

  test('are fewer for a tenant’s searches as soon as another one is active, with whatever', async () => {
    const { shut, open: unlock, search, untilHeld, run, database } = await open(4, { searchShare: 50 });
    for (const gate of [1, 2]) await shut(gate);
    const first = search('a1', A, 1);
    await untilHeld(1);
    await run('b', B); // it searches nothing
    const second = search('a2', A, 2);
    await settled();
    expect(database.queue).toMatchObject({ length: 1, tenants: 1 });
    for (const gate of [1, 2]) await unlock(gate);
    await Promise.all([first, second]);
  });

  test('are free for counts that kept totals tell, while searches fill their share', async () => {
    const { shut, open: unlock, search, run, untilHeld, database } = await open(4, { searchShare: 25 });
    const transactions = new TransactionRepository(database, { rows: 10, timeoutMs: 60_000 });
    await shut(1);
    const all: Promise<unknown>[] = [search('a1', A, 1)];
    await untilHeld(1);
    for (const filter of [null, {}, { category: 'RENT' }])
      expect(await transactions.count(B, filter)).toEqual({ count: 0, isExact: true });
    await run('limited', B, undefined, { timeoutMs: 60_000 }); // a time limit makes no search
    expect(database.queue.length).toBe(0);
    const searched = { size: 1, backward: false, after: null, before: null, exactEnds: false, isSearched: true };
    const bookedFrom = '2026-01-01T00:00:00Z';
    all.push(
      transactions.count(B, { bookedFrom }), // the transactions of the first day are counted row by row
      transactions.count(B, { direction: 'DEBIT' }),
      transactions.countOfEach(B, [], []),
      transactions.page(B, [], searched, new Set(['id'])),
    );
    await settled();
    expect(database.queue).toMatchObject({ length: 4, tenants: 1 });
    await unlock(1);
    await Promise.all(all);
  });

  test('are few of one request, and the rest of the request does not count as waiting for the database', async () => {
    const { shut, open: unlock, held, untilHeld, database } = await open(4, { requestStatements: 2 });
    await shut(1);
    const scope = A.forRequest({});
    const all = Array.from({ length: 9 }, (_, index) => held(`a${index}`, scope, 1));
    await untilHeld(2);
    await settled();
    expect(database.queue.length).toBe(0);
    await unlock(1);
    await Promise.all(all);
  });

  test('are few of an operator’s request as well, which may read of all tenants and leaves no token waiting', async () => {
    const { shut, open: unlock, untilHeld, held, done, database } = await open(1, { requestStatements: 2 });
    await shut(1);
    const first = held('a1', A, 1);
    await untilHeld(1);
    const operator = byOperator({});
    const note = (name: string) => () => done.push(name);
    const all: Promise<unknown>[] = [
      first,
      database.directory('SELECT 1', [], operator).then(note('operator 1')),
      database.withConnection((connection) => connection.query('SELECT 1'), operator).then(note('operator 2')),
      database.directory('SELECT 1', [], operator).then(note('operator 3')),
      database.directory('SELECT 1', []).then(note('token')),
    ];
    await settled();
    expect(database.queue).toMatchObject({ length: 3, tenants: 0 });
    await unlock(1);
    await Promise.all(all);
    expect(done).toEqual(['a1', 'operator 1', 'token', 'operator 2', 'operator 3']);
  });

  test('are for Prisma as for everything else, transactions included', async () => {
    const {
      shut,
      open: unlock,
      held,
      untilHeld,
      done,
      run,
      database,
    } = await open(1, {
      queue: { length: 3, timeoutMs: 60_000, tenantShare: 50 },
    });
    await run('before', A);
    await shut(1);
    const all: Promise<unknown>[] = [held('a1', A, 1)];
    await untilHeld(1);
    all.push(run('a2', A), run('a3', A));
    const note = (name: string) => () => done.push(name);
    all.push(database.prisma(B, (prisma) => prisma.bankAccount.count()).then(note('b1')));
    await expect.poll(() => database.queue.length).toBe(3);
    const refused = database.transaction(A, (transaction) => transaction.bankAccount.count());
    const error = await refused.catch((thrown: unknown) => thrown);
    expect(knownFailure(error)).toMatchObject({
      message: 'The service is busy: 3 wait for the database already, and no more may; try again in 1 s.',
      extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } },
    });
    await unlock(1);
    await Promise.all(all);
    expect(done).toEqual(['before', 'a1', 'a2', 'b1', 'a3']);
    expect(await database.transaction(A, (transaction) => transaction.bankAccount.count())).toBe(0);
  });
});

describe('a queue that is full, or too slow', () => {
  test('refuses at once beyond its length', async () => {
    const {
      shut,
      open: unlock,
      held,
      untilHeld,
      run,
    } = await open(1, {
      queue: { length: 1, timeoutMs: 60_000, tenantShare: 50 },
    });
    await shut(1);
    const all = [held('a1', A, 1)];
    await untilHeld(1);
    all.push(run('a2', A));
    await expect(run('a3', A)).rejects.toEqual(new TurnRefused('length', 1, 'a connection'));
    await unlock(1);
    await Promise.all(all);
  });

  test('refuses a search that waits for its turn behind too many, while a connection is free', async () => {
    const queue = { length: 1, timeoutMs: 60_000, tenantShare: 50 };
    const { shut, open: unlock, search, untilHeld, run } = await open(2, { queue, searchShare: 50 });
    await shut(1);
    const all = [search('a1', A, 1)];
    await untilHeld(1);
    all.push(search('a2', A, 1));
    await settled();
    await expect(search('a3', A, 1)).rejects.toEqual(new TurnRefused('length', 1, 'a turn to search'));
    await run('a', A);
    await unlock(1);
    await Promise.all(all);
  });

  test('refuses a request with all that it has not sent yet', async () => {
    const {
      shut,
      open: unlock,
      held,
      untilHeld,
      run,
      done,
      database,
    } = await open(1, {
      queue: { length: 2, timeoutMs: 60_000, tenantShare: 50 },
      requestStatements: 2,
    });
    await shut(1);
    const first = held('b1', B, 1);
    await untilHeld(1);
    const other = run('a0', A.forRequest({}));
    const scope = A.forRequest({});
    const all = Array.from({ length: 6 }, (_, index) => run(`a${index + 1}`, scope));
    for (const each of all) await expect(each).rejects.toEqual(new TurnRefused('length', 2, 'a connection'));
    expect(database.queue).toMatchObject({ length: 1, refusals: { length: 1 } });
    await expect(run('late', scope)).rejects.toBeInstanceOf(TurnRefused);
    await unlock(1);
    await Promise.all([first, other]);
    expect(done.slice(-2)).toEqual(['b1', 'a0']);
  });

  test('refuses a search once it has waited for its turn and for a connection as long as others for that', async () => {
    const queue = { length: 10, timeoutMs: 1_500, tenantShare: 50 };
    const {
      shut,
      open: unlock,
      held,
      search,
      untilHeld,
      run,
      done,
      database,
    } = await open(2, {
      queue,
      searchShare: 50,
    });
    for (const gate of [1, 2]) await shut(gate);
    const all: Promise<unknown>[] = [search('a1', A, 1), held('b1', B, 2)];
    await untilHeld(2);
    const searched = run('a2', A, undefined, SEARCH); // waits for its turn
    await settled();
    all.push(held('c1', C, 2)); // both wait for a connection, and came later
    const later = run('b2', B);
    await settled();
    await unlock(1); // C has the connection, and the search its turn
    await all[0];
    await untilHeld(2);
    expect(database.queue.length).toBe(2);
    await expect(searched).rejects.toEqual(new TurnRefused('time', 1_500, 'a connection'));
    expect(done).not.toContain('b2: TurnRefused');
    await expect(later).rejects.toBeInstanceOf(TurnRefused);
    await unlock(2);
    await Promise.all(all);
    expect(done.slice(0, 3)).toEqual(['a1', 'a2: TurnRefused', 'b2: TurnRefused']);
  });

  test('refuses whoever waited for its time, and serves on', async () => {
    const {
      shut,
      open: unlock,
      held,
      untilHeld,
      run,
      database,
    } = await open(1, {
      queue: { length: 10, timeoutMs: 20, tenantShare: 50 },
      requestStatements: 2,
    });
    await shut(1);
    const first = held('a1', A, 1);
    await untilHeld(1);
    const scope = B.forRequest({});
    const all = ['b1', 'b2', 'b3'].map((name) => run(name, scope).catch((thrown: unknown) => thrown));
    const [error, ...others] = await Promise.all(all);
    expect(error).toEqual(new TurnRefused('time', 20, 'a connection'));
    expect(others).toEqual([error, error]);
    expect(knownFailure(error)?.message).toBe(
      'The service is busy: the database did not come to this within 20 ms, and nothing waits longer; try again in 1 s.',
    );
    expect(database.queue.refusals).toEqual({ length: 0, time: 1, unreachable: 0 });
    await unlock(1);
    await first;
    await run('b4', B.forRequest({}));
  });
});

test('a request that is abandoned leaves the queue, and what waits behind its own statements as well', async () => {
  const { shut, open: unlock, held, untilHeld, run, done, database } = await open(1, { requestStatements: 2 });
  await shut(1);
  const first = held('a1', A, 1);
  await untilHeld(1);
  const request = {};
  const left = Array.from({ length: 5 }, (_, index) => run(`gone${index}`, A.forRequest(request)));
  const next = run('a2', A);
  expect(database.queue.length).toBe(3);
  database.abandon(request);
  for (const each of left) await expect(each).rejects.toBeInstanceOf(RequestAbandoned);
  expect(database.queue.length).toBe(1);
  await expect(run('late', A.forRequest(request))).rejects.toBeInstanceOf(RequestAbandoned);
  await unlock(1);
  await Promise.all([first, next]);
  expect(done.slice(-2)).toEqual(['a1', 'a2']);
});

test('a snapshot whose request is abandoned before its first statement keeps the connection for others', async () => {
  const { database, run } = await open(1);
  await run('a1', A);
  const request = {};
  const left = database.snapshot(A.forRequest(request), (within) => run('gone', within));
  database.abandon(request);
  await expect(left).rejects.toBeInstanceOf(RequestAbandoned);
  expect(database.connections).toEqual({ open: 1, idle: 1, waiting: 0 });
});

test('what an operator’s request reads of all tenants is stopped with it, and it sends nothing more', async () => {
  const { shut, open: unlock, untilHeld, held, database } = await open(2);
  await shut(1);
  const request = {};
  const wait = 'SELECT pg_advisory_xact_lock_shared(1)';
  const went: string[] = [];
  const all = [
    database.directory(wait, [], byOperator(request)),
    database.withConnection(async (connection) => {
      await connection.query(wait).catch(() => went.push('first'));
      await connection.query('SELECT 1').then(() => went.push('second'));
    }, byOperator(request)),
    database.directory(wait, [], byOperator(request)), // it waits for a connection
  ].map((each) => expect(each).rejects.toBeInstanceOf(RequestAbandoned));
  await untilHeld(2);
  database.abandon(request);
  await Promise.all(all);
  expect(went).toEqual(['first']);
  await untilHeld(0);
  const others = [held('a1', A, 1), held('b1', B, 1)];
  await untilHeld(2);
  await unlock(1);
  await Promise.all(others);
});

describe('transactions', () => {
  test('end, however many there are and however little their tenant may hold: what they send waits for nobody', async () => {
    const { database, run, done } = await open(2, { queue: { length: 100, timeoutMs: 10_000, tenantShare: 1 } });
    await run('b', B);
    const one = { model: 'Test', action: 'in transaction', query: sql`SELECT 1 AS one` };
    const write = () =>
      database.write(A, async (transaction) => {
        for (let i = 0; i < 3; i++) await transaction.select(one);
        return transaction.finish(one);
      });
    const read = () =>
      database.snapshot(A, async (within) => {
        await Promise.all([1, 2, 3].map(() => database.select(within, one)));
      });
    const prisma = () =>
      database.transaction(A, async (transaction) => {
        await transaction.bankAccount.count();
        await transaction.tenant.count();
      });
    const all = Array.from({ length: 6 }, () => [write(), read(), prisma(), run('a', A), run('b', B)]).flat();
    await Promise.all(all);
    expect(done.filter((name) => name === 'a')).toHaveLength(6);
    expect(database.connections.idle).toBe(database.connections.open);
  });

  test('refuse what their request would send beside them, instead of waiting for themselves', async () => {
    const { database } = await open(1);
    const scope = A.forRequest({});
    const one = { model: 'Test', action: 'beside', query: sql`SELECT 1 AS one` };
    const words = 'its statements are sent through the transaction, since it could wait for itself';
    const beside: (() => Promise<unknown>)[] = [
      () => database.select(scope, one),
      () => database.prisma(scope, (prisma) => prisma.bankAccount.count()),
      () => database.snapshot(scope, async () => {}),
      () => database.write(scope, async () => {}),
      () => database.transaction(scope, async () => {}),
    ];
    for (const send of beside) {
      await expect(database.write(scope, send)).rejects.toThrow(words);
      await expect(database.transaction(scope, send)).rejects.toThrow(words);
    }
    expect(await database.select(scope, one)).toEqual([{ one: 1 }]);
  });
});

test('no connection is lost by what fails', async () => {
  const queue = { length: 100, timeoutMs: 60_000, tenantShare: 100 };
  const { database, shut, open: unlock, held, untilHeld } = await open(3, { requestStatements: 3, queue });
  const request = {};
  const scope = A.forRequest(request);
  const bad = { model: 'Test', action: 'bad', query: sql`SELECT 1 / 0` };
  const failures = () => [
    database.select(scope, bad),
    database.select(A, bad),
    database.snapshot(scope, (within) => database.select(within, bad)),
    database.snapshot(A, () => Promise.reject(new Error('by the work'))),
    database.write(A, (transaction) => transaction.finish(bad)),
    database.write(A, () => Promise.reject(new Error('by the work'))),
    database.prisma(A, (prisma) => prisma.$queryRaw`SELECT 1 / 0`),
    database.transaction(A, () => Promise.reject(new Error('by the work'))),
    database.directory('SELECT 1 / 0', []),
    database.withConnection((client) => client.query('SELECT 1 / 0')),
  ];
  for (let round = 0; round < 3; round++)
    for (const { status } of await Promise.allSettled(failures())) expect(status).toBe('rejected');
  await shut(1);
  const all = [1, 2, 3].map((n) => held(`a${n}`, n === 1 ? scope : A.forRequest({}), 1));
  await untilHeld(3);
  await unlock(1);
  await Promise.all(all);
});

test('a database that cannot be reached is told from one that is busy', async () => {
  const { hostname, port } = new URL(server.url);
  expect(hostname).toBe('127.0.0.1');
  const proxy = await startTcpProxy(Number(port));
  opened.push(proxy);
  const url = new URL(server.url);
  url.port = String(proxy.port);
  const { run, database } = await open(1, { url: url.href });
  await run('a', A);
  proxy.cut();
  const failures = await Promise.all([1, 2, 3].map((n) => run(`a${n}`, A).catch((error: unknown) => error)));
  for (const failure of failures)
    expect(knownFailure(failure)?.message).toBe(
      'The service cannot reach its database at the moment; try again shortly.',
    );
  expect(database.queue.refusals).toMatchObject({ length: 0, time: 0 });
  expect(database.queue.refusals.unreachable).toBeGreaterThan(0);
  proxy.mend();
  await run('a', A);
});

test('a connection that cannot be prepared is closed, and serves nobody', async () => {
  const { run, database } = await open(2);
  const own = new pg.Client(server.url);
  await own.connect();
  opened.push({ close: () => own.end() });
  // Another one has prepared a statement of that name already: those behind it are not prepared.
  await own.query(`CREATE FUNCTION spoil() RETURNS event_trigger LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE 'PREPARE begin_snapshot AS SELECT 1'; END $$`);
  await own.query('CREATE EVENT TRIGGER spoil ON login EXECUTE FUNCTION spoil()');
  const one = { model: 'Test', action: 'one', query: sql`SELECT 1 AS one` };
  const attempts = [
    () => run('a', A),
    () => database.snapshot(A, (within) => database.select(within, one)),
    () => database.write(A, (transaction) => transaction.finish(one)),
    () => database.prisma(A, (prisma) => prisma.bankAccount.count()),
    () => database.transaction(A, (transaction) => transaction.bankAccount.count()),
    () => database.directory('SELECT 1', []),
    () => database.withConnection((connection) => connection.query('SELECT 1')),
  ];
  for (const attempt of attempts) {
    await expect(attempt()).rejects.toThrow('prepared statement "begin_snapshot" already exists');
    expect(database.connections).toMatchObject({ open: 0, idle: 0, waiting: 0 });
  }
  const sessions = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tenantry'";
  await expect.poll(async () => (await own.query(sessions)).rowCount).toBe(0);
  await own.query('DROP EVENT TRIGGER spoil');
  await Promise.all(attempts.map((attempt) => attempt()));
});
