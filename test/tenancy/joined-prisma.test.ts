import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { AuditDraft } from '../../src/tenancy/audit-line.ts';
import { retriedTransaction } from '../../src/tenancy/retried-transaction.ts';
import { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import type { JoinedPrisma, ScopedPrisma } from '../../src/tenancy/tenant-prisma.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';
import type { TenantTransaction } from '../../src/tenancy/tenant-transaction.ts';
import { linesOf } from '../audit/audit-lines.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { insertTwins, TWINS, twinAccountId } from '../support/twin-tenants.ts';

const { sql } = Prisma;
const [OWN, THEIRS] = TWINS.map(({ id }) => TenantScope.ofVerifiedCaller(id)) as [TenantScope, TenantScope];
/** Each twin has it. */
const ID = twinAccountId(0);

let server: TestDatabase;
let database: TenantDatabase;
/** Reads that asked for the cache. */
let throughCache = 0;
beforeAll(async () => {
  server = await createTestDatabase();
  await insertTwins(server.url);
  database = new TenantDatabase({ url: server.url, poolSize: 3, statementTimeoutMs: 10_000, takeServiceRole: true });
  database.keepReadsIn(() => (_, load) => {
    throughCache++;
    return load();
  });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

const past = async (text: string, values: unknown[] = []) =>
  (await withClient(server.url, (client) => client.query(text, values))).rows;
const nameOf = async (scope: TenantScope, id = ID) => {
  const [row] = await past('SELECT bank_name FROM bank_accounts WHERE tenant_id = $1 AND id = $2', [
    scope.tenantId,
    id,
  ]);
  return row?.bank_name;
};
const keyOf = ({ tenantId }: TenantScope) => ({ tenantId_id: { tenantId, id: ID } });
const rename = (scope: TenantScope, bankName: string) => (prisma: JoinedPrisma) =>
  prisma.bankAccount.update({ where: keyOf(scope), data: { bankName } });
const find = (scope: TenantScope) => (prisma: JoinedPrisma) => prisma.bankAccount.findUnique({ where: keyOf(scope) });
const xid = { model: 'X', action: 'test', query: sql`SELECT pg_current_xact_id()::text AS xid` };
const nameBySql = ({ tenantId }: TenantScope) => ({
  model: 'X',
  action: 'test',
  query: sql`SELECT bank_name AS "bankName" FROM bank_accounts WHERE tenant_id = ${tenantId}::uuid AND id = ${ID}::uuid`,
});
const newAccount = ({ tenantId }: TenantScope) => ({
  tenantId,
  accountNumber: randomUUID(),
  bankName: 'New Bank',
  accountType: 'LOAN' as const,
  currency: 'EUR',
});

beforeEach(() => past("UPDATE bank_accounts SET bank_name = 'before' WHERE id = $1", [ID]));

describe('Prisma in a transaction that writes', () => {
  test('is committed with it: what SQL and Prisma write is one transaction, and each sees the other', async () => {
    await database.write(OWN, async (transaction) => {
      const [own] = await transaction.select<{ xid: string }>(xid);
      await transaction.prisma(rename(OWN, 'by Prisma'));
      expect(await transaction.select(nameBySql(OWN))).toEqual([{ bankName: 'by Prisma' }]);
      await transaction.select({
        ...{ model: 'X', action: 'test' },
        query: sql`UPDATE bank_accounts SET version = 77 WHERE tenant_id = ${OWN.tenantId}::uuid AND id = ${ID}::uuid`,
      });
      expect(await transaction.prisma(find(OWN))).toMatchObject({ version: 77, bankName: 'by Prisma' });
      expect(await nameOf(OWN)).toBe('before');
      expect(await transaction.select(xid)).toEqual([own]);
    });
    expect(await nameOf(OWN)).toBe('by Prisma');
  });

  test('begins it, when nothing was sent before', async () => {
    await database.write(OWN, (transaction) => transaction.prisma(rename(OWN, 'first of all')));
    expect(await nameOf(OWN)).toBe('first of all');
  });

  test.each<[string, (transaction: TenantTransaction) => Promise<unknown>]>([
    ['rejects', () => Promise.reject(new Error('by the work'))],
    ['fails in SQL', (transaction) => transaction.select({ ...xid, query: sql`SELECT 1 / 0` })],
    ['fails in Prisma', (transaction) => failingInPrisma(transaction)],
  ])('is rolled back with it, when the work %s', async (_, end) => {
    const work = database.write(OWN, async (transaction) => {
      await transaction.prisma(rename(OWN, 'never'));
      await end(transaction);
    });
    await expect(work).rejects.toThrow();
    expect(await nameOf(OWN)).toBe('before');
  });

  const failingInPrisma = (transaction: TenantTransaction) =>
    transaction.prisma(
      (prisma) => prisma.bankAccount.create({ data: { ...newAccount(OWN), id: ID } }), // its key is taken
    );

  test('is not taken for done, when the work goes on after an operation that failed', async () => {
    const work = database.write(OWN, async (transaction) => {
      await transaction.prisma(rename(OWN, 'never'));
      await failingInPrisma(transaction).catch(() => {});
    });
    await expect(work).rejects.toThrow('nothing to commit');
    expect(await nameOf(OWN)).toBe('before');
  });

  test('sends nothing when it is over, be it committed or rolled back', async () => {
    for (const ending of ['committed', 'rolled back']) {
      const over = gate();
      let late: Promise<unknown> = Promise.resolve();
      // Somebody else keeps the context of Prisma in use.
      await database.prisma(THEIRS, async () => {
        const work = database.write(OWN, (transaction) =>
          transaction.prisma(async (prisma) => {
            await rename(OWN, ending)(prisma);
            late = over.opened.then(() => rename(OWN, 'late')(prisma));
            late.catch(() => {});
            if (ending === 'rolled back') throw new Error(ending);
          }),
        );
        await work.catch(() => {});
        over.open();
        await expect(late).rejects.toThrow(/nothing may follow/);
      });
    }
    expect(await nameOf(OWN)).toBe('committed');
  });

  test.each(['40001', '40P01'])('is run again after SQLSTATE %s, as SQL is', async (state) => {
    await past(`CREATE SEQUENCE failures;
      GRANT USAGE ON failures TO tenantry_app;
      CREATE FUNCTION fail_twice() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF nextval('failures') < 3 THEN RAISE 'failed' USING ERRCODE = '${state}'; END IF; RETURN new; END $$;
      CREATE TRIGGER fail_twice BEFORE UPDATE ON bank_accounts FOR EACH ROW EXECUTE FUNCTION fail_twice()`);
    let begun = 0;
    await retriedTransaction(database, OWN, (transaction) => {
      begun++;
      return transaction.prisma(rename(OWN, `after ${state}`));
    });
    await past('DROP TRIGGER fail_twice ON bank_accounts; DROP FUNCTION fail_twice(); DROP SEQUENCE failures');
    expect([begun, await nameOf(OWN)]).toEqual([3, `after ${state}`]);
  });
});

describe('the audit line of a transaction that writes through Prisma', () => {
  const draftOf = (key: string | null = null) =>
    new AuditDraft({ scope: OWN, subject: 's', role: 'ADMIN', action: 'createAccount', key, requestId: randomUUID() });
  const lines = ({ requestId }: AuditDraft) => linesOf({ sql: past }, { requestId });
  const create = async (transaction: TenantTransaction) => {
    const { id } = await transaction.prisma((prisma) => prisma.bankAccount.create({ data: newAccount(OWN) }));
    transaction.changed(id);
    return id;
  };

  test('is there once, written by the same transaction, with the id of what was created', async () => {
    const draft = draftOf();
    const id = await database.write(OWN, create, { draft });
    const [row] = await past('SELECT xmin::text FROM bank_accounts WHERE id = $1', [id]);
    expect(await lines(draft)).toMatchObject([{ key: id, outcome: 'DONE', transaction: row.xmin }]);
    expect(draft.state).toBe('written');
  });

  test('keeps the key that it has', async () => {
    const draft = draftOf('its own');
    await database.write(OWN, create, { draft });
    expect(await lines(draft)).toMatchObject([{ key: 'its own' }]);
  });

  test('is not there when the transaction was rolled back', async () => {
    const draft = draftOf();
    const work = database.write(OWN, async (transaction) => Promise.reject(await create(transaction)), { draft });
    await expect(work).rejects.toBeDefined();
    expect([await lines(draft), draft.state]).toEqual([[], 'open']);
  });
});

describe('Prisma in a snapshot', () => {
  test('reads the moment of the snapshot, whatever is committed meanwhile, as SQL does', async () => {
    await database.snapshot(OWN, async (within) => {
      const read = async (scope: TenantScope) => {
        const [bySql] = await database.select<{ bankName: string }>(scope, nameBySql(OWN));
        const byPrisma = await database.prisma(scope, find(OWN));
        return [bySql?.bankName, byPrisma?.bankName];
      };
      expect(await read(within)).toEqual(['before', 'before']);
      await past("UPDATE bank_accounts SET bank_name = 'after' WHERE id = $1", [ID]);
      expect(await read(within)).toEqual(['before', 'before']);
      expect(await read(OWN)).toEqual(['after', 'after']);
    });
  });

  test('may be what takes it', async () => {
    await database.snapshot(OWN, async (within) => {
      await database.prisma(within, find(OWN));
      await past("UPDATE bank_accounts SET bank_name = 'after' WHERE id = $1", [ID]);
      expect(await database.select(within, nameBySql(OWN))).toEqual([{ bankName: 'before' }]);
    });
  });

  test('writes nothing', async () => {
    const work = database.snapshot(OWN, (within) => database.prisma(within, rename(OWN, 'never')));
    await expect(work).rejects.toThrow('read-only transaction');
    expect(await nameOf(OWN)).toBe('before');
  });
});

/** A promise that is opened from outside. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Both ways to join, with what runs a function of Prisma's in each. */
const JOINED: readonly [
  what: string,
  <R>(scope: TenantScope, work: (prisma: JoinedPrisma) => Promise<R>) => Promise<R>,
][] = [
  ['a transaction', (scope, work) => database.write(scope, (transaction) => transaction.prisma(work))],
  ['a snapshot', (scope, work) => database.snapshot(scope, (within) => database.prisma(within, work))],
];

describe.each(JOINED)('Prisma in %s', (_, joined) => {
  test('begins no other one, asked for or of its own accord', async () => {
    const nested: ((prisma: JoinedPrisma) => Promise<unknown>)[] = [
      (prisma) => (prisma as ScopedPrisma).$transaction((inner) => inner.bankAccount.findFirst()),
      (prisma) => prisma.bankAccount.create({ data: { ...newAccount(OWN), transactions: { create: [aTransaction] } } }),
    ];
    for (const work of nested) {
      const attempt = joined(OWN, async (prisma) => {
        await expect(work(prisma)).rejects.toThrow(/transactions do not nest/);
        return prisma.bankAccount.count();
      });
      expect(await attempt).toBe(await database.prisma(OWN, (prisma) => prisma.bankAccount.count()));
    }
  });
  const aTransaction = { direction: 'CREDIT', amount: '1', currency: 'EUR' } as const;

  test('passes the cache by', async () => {
    const read = (prisma: JoinedPrisma) =>
      prisma.bankAccount.findFirst({ where: { id: ID }, cache: { namespace: 'accounts', ttlSeconds: 60 } });
    throughCache = 0;
    expect(await joined(OWN, read)).toMatchObject({ bankName: 'before' });
    expect(throughCache).toBe(0);
    await database.prisma(OWN, read);
    expect(throughCache).toBe(1);
  });

  test('reaches no row of another tenant', async () => {
    await joined(OWN, async (prisma) => {
      expect(await find(THEIRS)(prisma)).toBeNull();
      expect(await prisma.bankAccount.findMany({ where: { tenantId: THEIRS.tenantId } })).toEqual([]);
      const all = await prisma.bankAccount.findMany({ select: { tenantId: true } });
      expect(new Set(all.map(({ tenantId }) => tenantId))).toEqual(new Set([OWN.tenantId]));
      const raw = sql`SELECT tenant_id::text AS "tenantId" FROM bank_accounts WHERE ${OWN.tenantId} <> ''`;
      expect(
        new Set(await prisma.$queryRaw<{ tenantId: string }[]>(raw).then((rows) => rows.map((row) => row.tenantId))),
      ).toEqual(new Set([OWN.tenantId]));
    });
    const writes: ((prisma: JoinedPrisma) => Promise<unknown>)[] = [
      rename(THEIRS, 'taken'),
      (prisma) => prisma.bankAccount.create({ data: newAccount(THEIRS) }),
    ];
    for (const write of writes) await expect(joined(OWN, write)).rejects.toThrow();
    expect(await nameOf(THEIRS)).toBe('before');
  });

  test('is of its own tenant, whoever’s work it runs in and beside', async () => {
    const tenantsSeen = (prisma: JoinedPrisma) =>
      prisma.bankAccount.findMany({ distinct: ['tenantId'], select: { tenantId: true } });
    const gates = [OWN, THEIRS].map(() => gate());
    const interleaved = [OWN, THEIRS].map((scope, at) =>
      joined(scope, async (prisma) => {
        const before = await tenantsSeen(prisma);
        gates[at]?.open();
        await gates[1 - at]?.opened; // both are under way
        return [...before, ...(await tenantsSeen(prisma))].map(({ tenantId }) => tenantId);
      }),
    );
    const within = await database.prisma(THEIRS, () => joined(OWN, tenantsSeen));
    expect(within).toEqual([{ tenantId: OWN.tenantId }]);
    expect(await Promise.all(interleaved)).toEqual([OWN, THEIRS].map(({ tenantId }) => [tenantId, tenantId]));
  });
});
