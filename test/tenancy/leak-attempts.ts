import { fixtureId } from '../support/fixtures.ts';
import { type clientWith, type Operations, OWN, THEIRS } from './leak-fixture.ts';

type Prisma = ReturnType<typeof clientWith>['prisma'];

/** Something that reaches another tenant's rows where nothing stops it. */
export interface Attempt {
  readonly name: string;
  readonly run: (prisma: Prisma) => Promise<unknown>;
  /** The answer is a number of rows, all of them the other tenant's. */
  readonly counts?: boolean;
}

/** What is particular about a model: its unique key, the other tenant's row, and a new row. */
interface Subject {
  readonly model: string;
  /** A field whose values tell whose the row is. */
  readonly text: string;
  readonly tenantField: string;
  readonly key: (tenantId: string) => object;
  /** A field that may be changed, and a value for it. */
  readonly change: object;
  /** A row of nobody yet, without its tenant. */
  readonly fresh: object;
}

const DAY = new Date('2025-01-01');
const FOLDED_DAY = new Date('2020-01-01');
const NEW_ID = fixtureId('leak', 'new');
const NEW_ACCOUNT = { bankName: 'new', accountNumber: 'new', accountType: 'LOAN', currency: 'EUR' };
const NEW_TRANSACTION = { direction: 'CREDIT', amount: 1, currency: 'EUR' };
const THEIR_ACCOUNT = { tenantId_id: { tenantId: THEIRS.id, id: THEIRS.account } };
const THEIR_TRANSACTION = { tenantId_id: { tenantId: THEIRS.id, id: THEIRS.transaction } };
const OWN_ACCOUNT = { tenantId_id: { tenantId: OWN.id, id: OWN.account } };
const OWN_EMPTY_ACCOUNT = { tenantId_id: { tenantId: OWN.id, id: OWN.emptyAccount } };
const OWN_TRANSACTION = { tenantId_id: { tenantId: OWN.id, id: OWN.transaction } };

const SUBJECTS: readonly Subject[] = [
  {
    model: 'tenant',
    text: 'slug',
    tenantField: 'id',
    key: (id) => ({ id }),
    change: { name: 'changed' },
    fresh: { slug: 'new', name: 'new', timeZone: 'UTC' },
  },
  {
    model: 'bankAccount',
    text: 'bankName',
    tenantField: 'tenantId',
    key: (tenantId) => ({ tenantId_id: { tenantId, id: THEIRS.account } }),
    change: { bankName: 'changed' },
    fresh: NEW_ACCOUNT,
  },
  {
    model: 'transaction',
    text: 'description',
    tenantField: 'tenantId',
    key: (tenantId) => ({ tenantId_id: { tenantId, id: THEIRS.transaction } }),
    change: { category: 'changed' },
    fresh: { ...NEW_TRANSACTION, accountId: THEIRS.account },
  },
  {
    model: 'idempotencyKey',
    text: 'key',
    tenantField: 'tenantId',
    key: (tenantId) => ({ tenantId_key: { tenantId, key: 'theirs' } }),
    change: { transactionIds: [NEW_ID] },
    fresh: { key: 'new', requestHash: new Uint8Array([1]) },
  },
  {
    model: 'dailyTotal',
    text: 'category',
    tenantField: 'tenantId',
    key: (tenantId) => ({
      tenantId_day_currency_category_slot: { tenantId, day: DAY, currency: 'EUR', category: 'theirs rent', slot: 0 },
    }),
    change: { transactionCount: 5n },
    fresh: { day: DAY, currency: 'EUR', category: 'new', slot: 1, transactionCount: 1n, inflow: 1, outflow: 1 },
  },
  {
    model: 'foldedTotal',
    text: 'category',
    tenantField: 'tenantId',
    key: (tenantId) => ({
      tenantId_day_currency_category: { tenantId, day: FOLDED_DAY, currency: 'EUR', category: 'theirs rent' },
    }),
    change: { transactionCount: 5n },
    fresh: { day: FOLDED_DAY, currency: 'EUR', category: 'new', transactionCount: 1n, inflow: 1, outflow: 1 },
  },
  {
    model: 'accountTotal',
    text: 'bankName',
    tenantField: 'tenantId',
    key: (tenantId) => ({
      tenantId_accountType_status_bankName_currency_slot: {
        ...{ tenantId, accountType: 'CHECKING', status: 'ACTIVE', bankName: 'theirs bank', currency: 'EUR', slot: 0 },
      },
    }),
    change: { accountCount: 5n },
    fresh: {
      ...{ accountType: 'LOAN', status: 'ACTIVE', bankName: 'new', currency: 'EUR', slot: 1 },
      ...{ accountCount: 1n, balance: 1 },
    },
  },
];

/** The models that the attempts are made on, as Prisma's client names them. */
export const ATTEMPTED_MODELS: readonly string[] = SUBJECTS.map(({ model }) => model);

/** A model's client, for operations chosen by name. */
export function operations(prisma: Prisma, model: string): Operations {
  const found = (prisma as unknown as Record<string, Operations>)[model];
  if (!found) throw new Error(`there is no model ${model}`);
  return found;
}

/** Every operation that Prisma has for a model, aimed at another tenant's rows. */
export const OPERATION_ATTEMPTS: readonly (Attempt & { readonly operation: string })[] = SUBJECTS.flatMap((subject) =>
  argumentsOf(subject).map(([operation, aim, args, counts]) => ({
    name: `${subject.model}.${operation} ${aim}`,
    operation: `${subject.model}.${operation}`,
    run: (prisma) => call(prisma, subject.model, operation, args),
    ...(counts && { counts }),
  })),
);

function argumentsOf({ model, text, tenantField, key, change, fresh }: Subject): [string, string, object, boolean?][] {
  const theirs = { [tenantField]: THEIRS.id };
  const where = key(THEIRS.id);
  const given = { ...fresh, ...theirs };
  // A tenant comes to be under its own id: there, what is new takes the place of what is the other
  // tenant's.
  const created = model === 'tenant' ? { ...given, id: NEW_ID } : given;
  return [
    ['findUnique', 'by their key', { where }],
    ['findUniqueOrThrow', 'by their key', { where }],
    ['findFirst', 'of theirs', { where: theirs }],
    ['findFirstOrThrow', 'of theirs', { where: theirs }],
    ['findMany', 'of all', {}],
    ['findMany', 'of either', { where: { OR: [theirs, { NOT: theirs }] } }],
    ['findMany', 'of all but own', { where: { NOT: { [tenantField]: OWN.id } } }],
    ['findMany', 'from their cursor', { cursor: where }],
    ['count', 'of theirs', { where: theirs }, true],
    ['aggregate', 'of all', { _min: { [text]: true }, _max: { [text]: true } }],
    ['aggregate', 'of theirs', { where: theirs, _count: true }, true],
    ['groupBy', 'tenant', { by: [tenantField], _count: true }],
    ['create', 'as theirs', { data: created }],
    ['createMany', 'as theirs', { data: [created] }],
    ['createManyAndReturn', 'as theirs', { data: [created] }],
    ['update', 'by their key', { where, data: change }],
    ['updateMany', 'of all', { data: change }],
    ['updateManyAndReturn', 'of theirs', { where: theirs, data: change }],
    ['upsert', 'by their key', { where, update: change, create: { ...fresh, ...ownOf(model) } }],
    ['delete', 'by their key', { where }],
    ['deleteMany', 'of all', {}],
  ];
}

function ownOf(model: string): object {
  return model === 'tenant' ? { id: OWN.id } : { tenantId: OWN.id };
}

function call(prisma: Prisma, model: string, operation: string, args: object): Promise<unknown> {
  const method = operations(prisma, model)[operation];
  if (!method) throw new Error(`there is no ${model}.${operation}`);
  return method(args);
}

/** Writes that reach the other tenant's rows from within writes of other rows. */
const NESTED: readonly (readonly [string, string, string, object])[] = [
  [
    'connects a new account to their tenant',
    'bankAccount',
    'create',
    { data: { ...NEW_ACCOUNT, tenant: { connect: { slug: 'theirs' } } } },
  ],
  [
    'connects or creates their tenant',
    'bankAccount',
    'create',
    {
      data: {
        ...NEW_ACCOUNT,
        tenant: { connectOrCreate: { where: { id: THEIRS.id }, create: { slug: 'x', name: 'x', timeZone: 'UTC' } } },
      },
    },
  ],
  [
    'gives an account to their tenant',
    'bankAccount',
    'update',
    { where: OWN_EMPTY_ACCOUNT, data: { tenant: { connect: { id: THEIRS.id } } } },
  ],
  [
    'books a transaction on their account',
    'transaction',
    'create',
    { data: { ...NEW_TRANSACTION, account: { connect: THEIR_ACCOUNT } } },
  ],
  [
    'books a transaction on their account or a new one',
    'transaction',
    'create',
    {
      data: {
        ...NEW_TRANSACTION,
        account: {
          connectOrCreate: { where: THEIR_ACCOUNT, create: { ...NEW_ACCOUNT, tenant: { connect: { id: OWN.id } } } },
        },
      },
    },
  ],
  [
    'moves a transaction to their account',
    'transaction',
    'update',
    { where: OWN_TRANSACTION, data: { account: { connect: THEIR_ACCOUNT } } },
  ],
  [
    'creates an account of theirs for a transaction',
    'transaction',
    'create',
    { data: { ...NEW_TRANSACTION, account: { create: { ...NEW_ACCOUNT, tenant: { connect: { id: THEIRS.id } } } } } },
  ],
  [
    'takes their transaction',
    'bankAccount',
    'update',
    { where: OWN_ACCOUNT, data: { transactions: { connect: THEIR_TRANSACTION } } },
  ],
  [
    'sets their transaction',
    'bankAccount',
    'update',
    { where: OWN_EMPTY_ACCOUNT, data: { transactions: { set: [THEIR_TRANSACTION] } } },
  ],
  [
    'takes their transaction or a new one',
    'bankAccount',
    'update',
    {
      where: OWN_ACCOUNT,
      data: { transactions: { connectOrCreate: [{ where: THEIR_TRANSACTION, create: NEW_TRANSACTION }] } },
    },
  ],
  [
    'takes their transaction two levels down',
    'tenant',
    'update',
    {
      where: { id: OWN.id },
      data: { accounts: { update: { where: OWN_ACCOUNT, data: { transactions: { connect: [THEIR_TRANSACTION] } } } } },
    },
  ],
  [
    'takes their account for a new tenant',
    'tenant',
    'create',
    {
      data: {
        slug: 'new',
        name: 'new',
        timeZone: 'UTC',
        accounts: { connect: { tenantId_id: { tenantId: THEIRS.id, id: THEIRS.emptyAccount } } },
      },
    },
  ],
  ...Object.entries({
    create: NEW_ACCOUNT,
    createMany: { data: [NEW_ACCOUNT] },
    connectOrCreate: { where: { tenantId_id: { tenantId: THEIRS.id, id: NEW_ID } }, create: NEW_ACCOUNT },
    update: { where: THEIR_ACCOUNT, data: { bankName: 'changed', transactions: { deleteMany: {} } } },
    updateMany: { where: {}, data: { bankName: 'changed' } },
    upsert: { where: THEIR_ACCOUNT, update: { bankName: 'changed' }, create: NEW_ACCOUNT },
    delete: THEIR_ACCOUNT,
    deleteMany: [{ id: THEIRS.account }],
  }).map(
    ([operation, value]) =>
      [
        `${operation} in their tenant`,
        'tenant',
        'update',
        { where: { id: THEIRS.id }, data: { accounts: { [operation]: value } } },
      ] as const,
  ),
  [
    'changes their tenant from their transaction',
    'transaction',
    'update',
    { where: THEIR_TRANSACTION, data: { account: { update: { tenant: { update: { name: 'changed' } } } } } },
  ],
  [
    'changes their account from an upsert',
    'transaction',
    'upsert',
    {
      where: THEIR_TRANSACTION,
      update: { account: { update: { bankName: 'changed' } } },
      create: { ...NEW_TRANSACTION, account: { connect: OWN_ACCOUNT } },
    },
  ],
];

/** What the scoped client's types do not take. */
function inBatch(prisma: Prisma, operations: readonly unknown[]): Promise<unknown> {
  return prisma.$transaction(operations as unknown as () => Promise<unknown>);
}

/** Reads through relations, several at once, and SQL. */
const OTHERS: readonly Attempt[] = [
  {
    name: 'filters by their tenant',
    run: (prisma) => prisma.bankAccount.findMany({ where: { tenant: { slug: 'theirs' } } }),
  },
  {
    name: 'filters by their account',
    run: (prisma) => prisma.transaction.findMany({ where: { account: { is: { bankName: 'theirs bank' } } } }),
  },
  {
    name: 'filters by what they have',
    run: (prisma) =>
      prisma.tenant.findMany({
        where: { accounts: { some: { transactions: { some: { description: { startsWith: 'theirs' } } } } } },
      }),
  },
  {
    name: 'includes all below',
    run: (prisma) =>
      prisma.tenant.findMany({ include: { accounts: { include: { transactions: true } }, idempotencyKeys: true } }),
  },
  {
    name: 'selects all above',
    run: (prisma) =>
      prisma.transaction.findMany({ select: { account: { select: { tenant: { select: { slug: true } } } } } }),
  },
  {
    name: 'counts what they have',
    run: (prisma) => prisma.tenant.findMany({ select: { slug: true, _count: { select: { accounts: true } } } }),
  },
  {
    name: 'follows their account',
    run: async (prisma) => prisma.bankAccount.findUnique({ where: THEIR_ACCOUNT }).transactions(),
  },
  {
    name: 'orders by a relation',
    run: (prisma) =>
      prisma.bankAccount.findFirst({ where: { NOT: { tenantId: OWN.id } }, orderBy: { tenant: { name: 'asc' } } }),
  },
  {
    name: 'groups having theirs',
    run: (prisma) => prisma.bankAccount.groupBy({ by: ['bankName'], having: { bankName: { contains: 'theirs' } } }),
  },
  {
    name: 'changes theirs in a batch',
    run: (prisma) =>
      inBatch(prisma, [prisma.bankAccount.count(), prisma.bankAccount.deleteMany({ where: { tenantId: THEIRS.id } })]),
  },
  {
    name: 'reads theirs in a batch',
    run: (prisma) =>
      inBatch(prisma, [prisma.tenant.findMany(), prisma.bankAccount.findUnique({ where: THEIR_ACCOUNT })]),
  },
  {
    name: 'changes theirs in a transaction',
    run: (prisma) =>
      prisma.$transaction(async (transaction) => transaction.tenant.updateMany({ data: { name: 'changed' } })),
  },
  {
    name: 'reads theirs in a transaction',
    run: (prisma) =>
      prisma.$transaction(async (transaction) => transaction.bankAccount.findUnique({ where: THEIR_ACCOUNT })),
  },
  {
    name: 'reads by SQL',
    run: (prisma) => prisma.$queryRaw`SELECT * FROM bank_accounts WHERE tenant_id = ${THEIRS.id}::uuid`,
  },
  {
    name: 'reads by SQL without a tenant',
    run: (prisma) => prisma.$queryRaw`SELECT slug, description FROM tenants, transactions`,
  },
  { name: 'writes by SQL', run: (prisma) => prisma.$executeRaw`UPDATE bank_accounts SET bank_name = 'changed'` },
  { name: 'deletes by SQL', run: (prisma) => prisma.$executeRaw`DELETE FROM tenants WHERE id = ${THEIRS.id}::uuid` },
  {
    name: 'inserts by SQL',
    run: (prisma) =>
      prisma.$queryRaw`INSERT INTO idempotency_keys VALUES (${THEIRS.id}::uuid, 'new', '', '{}') RETURNING 1`,
  },
  { name: 'reads by text', run: (prisma) => prisma.$queryRawUnsafe('SELECT * FROM bank_accounts') },
  {
    name: 'writes by text',
    run: (prisma) => prisma.$executeRawUnsafe('DELETE FROM bank_accounts WHERE tenant_id = $1::uuid', THEIRS.id),
  },
];

export const NESTED_ATTEMPTS: readonly Attempt[] = NESTED.map(([aim, model, operation, args]) => ({
  name: `${model}.${operation} ${aim}`,
  run: (prisma) => call(prisma, model, operation, args),
}));

export const OTHER_ATTEMPTS: readonly Attempt[] = OTHERS;
