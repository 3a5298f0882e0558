import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { TenantScopeError } from '../../src/tenancy/scope-error.ts';
import { clientWith, createLeakDatabase, OWN, THEIRS, within } from './leak-fixture.ts';

const KEY = { tenantId: OWN.id, id: OWN.account };
const NEW_ACCOUNT = { bankName: 'new bank', accountNumber: '1', accountType: 'LOAN', currency: 'EUR' } as const;
const NEW_TRANSACTION = { direction: 'CREDIT', amount: 1, currency: 'EUR' } as const;

let database: Awaited<ReturnType<typeof createLeakDatabase>>;
// Without row-level security: what holds here is held by the extension.
let client: ReturnType<typeof clientWith>;
let prisma: (typeof client)['prisma'];
beforeAll(async () => {
  database = await createLeakDatabase();
  client = clientWith(database.url, { extension: true, rowLevelSecurity: false });
  prisma = client.prisma;
});
afterEach(async () => {
  await database.putBack();
});
afterAll(async () => {
  await client.close();
  await database.close();
});

const own = <Result>(work: () => Promise<Result>) => within(OWN, work);
const refused = (work: () => Promise<unknown>) => expect(own(work)).rejects.toThrow(TenantScopeError);

test('refuses every operation without a scope', async () => {
  await expect(prisma.bankAccount.findMany()).rejects.toThrow('BankAccount.findMany was called without a tenant scope');
  await expect(prisma.bankAccount.findUnique({ where: { tenantId_id: KEY } })).rejects.toThrow(TenantScopeError);
  await expect(prisma.$queryRaw`SELECT ${OWN.id}`).rejects.toThrow('raw.$queryRaw was called without a tenant scope');
});

test('refuses the models of no tenant', async () => {
  await refused(() => prisma.cacheOutbox.findMany());
  await refused(() => prisma.cacheTrust.count());
  await refused(() => prisma.cacheOutboxHorizon.deleteMany());
});

describe('everyday work', () => {
  test('finds what there is by its key, its filter and its relations', async () => {
    const found = await own(() =>
      prisma.bankAccount.findMany({
        where: { OR: [{ id: OWN.account }, { id: THEIRS.account }] },
        include: { tenant: true, transactions: true },
      }),
    );
    expect(found).toMatchObject([
      { id: OWN.account, tenant: { slug: 'own' }, transactions: [{ id: OWN.transaction }] },
    ]);
    expect(await own(() => prisma.bankAccount.count())).toBe(2);
    expect(await own(() => prisma.tenant.findMany({ select: { slug: true } }))).toEqual([{ slug: 'own' }]);
    const page = { cursor: { tenantId_id: KEY }, orderBy: { accountNumber: 'asc' }, skip: 1 } as const;
    expect(await own(() => prisma.bankAccount.findMany(page))).toMatchObject([{ id: OWN.emptyAccount }]);
  });

  test('creates rows with and without their tenant, alone, in numbers and within others', async () => {
    const account = await own(() =>
      prisma.bankAccount.create({
        data: {
          ...NEW_ACCOUNT,
          tenantId: OWN.id,
          transactions: { create: [NEW_TRANSACTION], createMany: { data: [NEW_TRANSACTION] } },
        },
        include: { transactions: true },
      }),
    );
    expect(account.transactions.map(({ tenantId }) => tenantId)).toEqual([OWN.id, OWN.id]);
    const connected = {
      ...NEW_TRANSACTION,
      account: { connect: { tenantId_id: { tenantId: OWN.id, id: account.id } } },
    };
    expect(await own(() => prisma.transaction.create({ data: connected }))).toMatchObject({ accountId: account.id });
    const related = { ...NEW_ACCOUNT, accountNumber: '2', tenant: { connect: { slug: 'own' } } };
    const transaction = { ...NEW_TRANSACTION, account: { create: related } };
    expect(await own(() => prisma.transaction.create({ data: transaction }))).toMatchObject({ tenantId: OWN.id });
    const withoutTenant = { ...NEW_ACCOUNT, accountNumber: '3' } as Prisma.BankAccountCreateManyInput;
    expect(await own(() => prisma.bankAccount.createManyAndReturn({ data: [withoutTenant] }))).toMatchObject([
      { tenantId: OWN.id },
    ]);
    expect(
      await own(() => prisma.bankAccount.create({ data: { ...withoutTenant, accountNumber: '4' } })),
    ).toMatchObject({ tenantId: OWN.id });
  });

  test('changes rows and what is related to them', async () => {
    const changed = await own(() =>
      prisma.tenant.update({
        where: { id: OWN.id },
        data: {
          accounts: {
            update: {
              where: { tenantId_id: KEY },
              data: { bankName: 'changed', transactions: { updateMany: { where: {}, data: { category: 'changed' } } } },
            },
            delete: { tenantId_id: { ...KEY, id: OWN.emptyAccount } },
          },
        },
        include: { accounts: { include: { transactions: true } } },
      }),
    );
    expect(changed.accounts).toMatchObject([{ bankName: 'changed', transactions: [{ category: 'changed' }] }]);
    const moved = { account: { update: { bankName: 'again', tenant: { update: { name: 'renamed' } } } } };
    const where = { tenantId_id: { tenantId: OWN.id, id: OWN.transaction } };
    const include = { account: { include: { tenant: true } } };
    const { account } = await own(() => prisma.transaction.update({ where, data: moved, include }));
    expect(account).toMatchObject({ bankName: 'again', tenant: { name: 'renamed' } });
  });

  test('lets two at once upsert the same new row', async () => {
    const where = { tenantId_id: { tenantId: OWN.id, id: THEIRS.account } };
    const create = { ...NEW_ACCOUNT, tenantId: OWN.id, id: THEIRS.account };
    const upsert = () => prisma.bankAccount.upsert({ where, create, update: { version: { increment: 1 } } });
    const rows = await own(() => Promise.all(Array.from({ length: 8 }, upsert)));
    expect(rows.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await database.putBack()).toBe(false);
  });
});

describe('findUnique', () => {
  test('finds by every key, with what is related, and null for another tenant’s as for an unknown one', async () => {
    const byNumber = {
      tenantId_bankName_accountNumber: { tenantId: OWN.id, bankName: 'own bank', accountNumber: 'own 1' },
    };
    const found = await own(() =>
      prisma.bankAccount.findUnique({ where: byNumber, select: { id: true, tenant: true } }),
    );
    expect(found).toMatchObject({ id: OWN.account, tenant: { id: OWN.id } });
    expect(await own(() => prisma.tenant.findUnique({ where: { slug: 'own' } }))).toMatchObject({ id: OWN.id });
    expect(await own(() => prisma.tenant.findUnique({ where: { slug: 'theirs' } }))).toBeNull();
    const theirs = { tenantId_id: { tenantId: THEIRS.id, id: THEIRS.account } };
    expect(await own(() => prisma.bankAccount.findUnique({ where: theirs }))).toBeNull();
    await expect(own(() => prisma.bankAccount.findUniqueOrThrow({ where: theirs }))).rejects.toMatchObject({
      code: 'P2025',
    });
    expect(await own(() => prisma.bankAccount.findUnique({ where: { tenantId_id: KEY } }).transactions())).toHaveLength(
      1,
    );
  });

  test('sees what its own transaction wrote', async () => {
    const rolledBack = own(() =>
      prisma.$transaction(async (transaction) => {
        await transaction.bankAccount.update({ where: { tenantId_id: KEY }, data: { bankName: 'not committed' } });
        const found = await transaction.bankAccount.findUniqueOrThrow({ where: { tenantId_id: KEY } });
        throw new Error(found.bankName);
      }),
    );
    await expect(rolledBack).rejects.toThrow('not committed');
    expect(await own(() => prisma.bankAccount.findUnique({ where: { tenantId_id: KEY } }))).toMatchObject({
      bankName: 'own bank',
    });
  });

  test('answers tenants that ask in the same tick each with their own', async () => {
    const answers = await Promise.all(
      [OWN, THEIRS, OWN, THEIRS].map((tenant) =>
        within(tenant, () =>
          prisma.bankAccount.findUnique({ where: { tenantId_id: { tenantId: tenant.id, id: tenant.account } } }),
        ),
      ),
    );
    expect(answers.map((account) => account?.id)).toEqual([OWN.account, THEIRS.account, OWN.account, THEIRS.account]);
  });

  test('takes no part of a key for any row', async () => {
    const id = undefined as unknown as string;
    await refused(async () => prisma.bankAccount.findUnique({ where: { tenantId_id: { tenantId: OWN.id, id } } }));
    await refused(async () => prisma.bankAccount.findUnique({ where: { tenantId_id: undefined as never } }));
  });
});

describe('refuses', () => {
  const theirTenant = { tenantId: THEIRS.id };

  test('rows that name another tenant, wherever they stand', async () => {
    const account = { ...NEW_ACCOUNT, ...theirTenant };
    await refused(() => prisma.bankAccount.create({ data: account }));
    await refused(() => prisma.bankAccount.createMany({ data: [{ ...account, tenantId: OWN.id }, account] }));
    await refused(() => prisma.bankAccount.update({ where: { tenantId_id: KEY }, data: theirTenant }));
    await refused(() => prisma.bankAccount.updateMany({ data: theirTenant }));
    await refused(() => prisma.tenant.update({ where: { id: OWN.id }, data: { id: { set: THEIRS.id } } }));
    await refused(() => prisma.bankAccount.upsert({ where: { tenantId_id: KEY }, create: account, update: {} }));
    const nested = { accounts: { create: { ...NEW_ACCOUNT, ...theirTenant } } };
    await refused(() => prisma.tenant.update({ where: { id: OWN.id }, data: nested as Prisma.TenantUpdateInput }));
  });

  test('cursors of another tenant, at any depth', async () => {
    const cursor = { tenantId_id: { tenantId: THEIRS.id, id: THEIRS.account } };
    await refused(() => prisma.bankAccount.findMany({ cursor }));
    await refused(() => prisma.bankAccount.aggregate({ cursor, _count: true }));
    await refused(() => prisma.tenant.findMany({ cursor: { slug: 'theirs' } }));
    await refused(() => prisma.tenant.findMany({ include: { accounts: { cursor } } }));
    await refused(() =>
      prisma.transaction.findMany({
        select: { account: { select: { tenant: { select: { accounts: { cursor } } } } } },
      }),
    );
    await refused(async () => prisma.tenant.findUnique({ where: { id: OWN.id } }).accounts({ cursor }));
  });

  test('transactions given as a list', async () => {
    const list = [prisma.bankAccount.count()] as unknown as () => Promise<unknown>;
    await refused(() => prisma.$transaction(list));
  });

  test('arguments and operations it does not know', async () => {
    const unchecked = prisma.bankAccount as unknown as Record<string, (args: object) => Promise<unknown>>;
    await refused(async () => unchecked.findMany?.({ having: {}, elsewhere: {} }));
    const data = { accounts: { moveTo: {} } } as Prisma.TenantUpdateInput;
    await refused(() => prisma.tenant.update({ where: { id: OWN.id }, data }));
  });
});

describe('SQL of one’s own', () => {
  test('is sent when it carries the scope’s tenant as a value', async () => {
    expect(await own(() => prisma.$queryRaw`SELECT slug FROM tenants WHERE id = ${OWN.id}::uuid`)).toEqual([
      { slug: 'own' },
    ]);
    expect(
      await own(() => prisma.$executeRaw(Prisma.sql`UPDATE tenants SET name = 'raw' WHERE id = ${OWN.id}::uuid`)),
    ).toBe(1);
    const withinTransaction = () =>
      prisma.$transaction(
        (transaction) => transaction.$queryRaw`WITH own AS (SELECT ${OWN.id} AS id) SELECT id FROM own`,
      );
    expect(await own(withinTransaction)).toEqual([{ id: OWN.id }]);
  });

  test.each([
    ['lacks the tenant', () => prisma.$queryRaw`SELECT slug FROM tenants`],
    ['has another one', () => prisma.$executeRaw`DELETE FROM tenants WHERE id = ${THEIRS.id}::uuid`],
    ['is text', () => prisma.$queryRawUnsafe('SELECT slug FROM tenants WHERE id = $1', OWN.id)],
    ['is text that writes', () => prisma.$executeRawUnsafe('DELETE FROM tenants WHERE id = $1', OWN.id)],
    ['changes the tenant', () => prisma.$queryRaw`SELECT set_config('app.tenant_id', ${THEIRS.id}, true), ${OWN.id}`],
    ['opens the directory', () => prisma.$executeRaw`SET app.directory = 'on'`],
    ['takes another role', () => prisma.$executeRaw`RESET ROLE`],
    ['runs a block', () => prisma.$executeRaw`DO 'BEGIN END'`],
  ])('is refused when it %s', async (_, send) => {
    await refused(send);
    await refused(() => prisma.$transaction(async () => send()));
  });
});
