import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, expectTypeOf, test } from 'vitest';
import { AccountRepository } from '../../src/accounts/account.repository.ts';
import type { TenantDatabase } from '../../src/tenancy/tenant-database.ts';
import type { ScopedPrisma, ScopedTransaction } from '../../src/tenancy/tenant-prisma.ts';
import { TenantScope } from '../../src/tenancy/tenant-scope.ts';

const SOURCES = path.resolve(import.meta.dirname, '../../src');
const ID = '0190c5a0-0000-7000-8000-000000000001';

/**
 * What `npm run typecheck` is to refuse, and never runs: each line without an error there is one
 * itself.
 */
function mustNotCompile(database: TenantDatabase, prisma: ScopedPrisma, transaction: ScopedTransaction): void {
  // @ts-expect-error a scope is made by those who verified it
  new TenantScope(ID);
  // @ts-expect-error what looks like a scope is none
  const imitated: TenantScope = { tenantId: ID };
  // @ts-expect-error nor is a copy of one
  const copied: TenantScope = { ...TenantScope.ofVerifiedCaller(ID) };
  // @ts-expect-error a scope's tenant does not change
  TenantScope.ofVerifiedCaller(ID).tenantId = ID;
  // @ts-expect-error Prisma is lent for a scope, not for an id
  database.prisma(ID, async () => copied ?? imitated);
  // @ts-expect-error a transaction is of a scope
  database.transaction(async () => undefined);
  // @ts-expect-error a statement is of a scope
  database.select({ model: 'BankAccount', action: 'all', query: { text: '', values: [] } });
  // @ts-expect-error a repository's method takes a scope, not an id
  new AccountRepository(database).count(ID, null);
  // @ts-expect-error the client without the extension is not to be had from the one with it
  prisma.$parent;
  // @ts-expect-error nor within a transaction
  transaction.$parent;
  // @ts-expect-error the pool and the client without a scope are the database's own
  database.pool ?? database.client;
  // @ts-expect-error Prisma mixes lists of several tenants up
  prisma.$transaction([prisma.bankAccount.count()]);
}

test('what imitates a scope is none', () => {
  expect(mustNotCompile).toBeTypeOf('function');
  expect(TenantScope.isScope(TenantScope.ofVerifiedCaller(ID))).toBe(true);
  const imitations = [
    { tenantId: ID },
    { ...TenantScope.ofVerifiedCaller(ID) },
    Object.create(TenantScope.prototype),
    ID,
    null,
  ];
  for (const imitation of imitations) expect(TenantScope.isScope(imitation)).toBe(false);
});

test('what findUnique gives has Prisma’s own types', () => {
  type Found = Awaited<ReturnType<ScopedPrisma['bankAccount']['findUnique']>>;
  expectTypeOf<NonNullable<Found>['bankName']>().toEqualTypeOf<string>();
  expectTypeOf<null>().toExtend<Found>();
});

test.each([
  ['TenantScope.ofVerifiedCaller(', ['auth/token-verifier.ts']],
  [
    'TenantScope.ofOperatorCommand(',
    [
      'commands/inspect-command.ts',
      'commands/analyze-command.ts',
      'commands/tenant-services.ts',
      'indexes/product-queries.ts',
    ],
  ],
  ['TenantScope.ofOutboxRow(', ['cache/']],
  ['new PrismaClient(', ['tenancy/tenant-database.ts', 'tenancy/prisma-over.ts']],
  ['new TenantPool(', ['tenancy/tenant-database.ts']],
  ['scopedPrisma(', ['tenancy/tenant-database.ts', 'tenancy/tenant-prisma.ts', 'tenancy/prisma-over.ts']],
  ['statementContext.run(', ['tenancy/statement-context.ts', 'tenancy/tenant-prisma.ts']],
  ['inStatementContext(', ['tenancy/']],
  ['.enterWith(', []],
])('in the sources, %s stands only in %j', (text, allowed) => {
  const found = sources().filter((file) => readFileSync(path.join(SOURCES, file), 'utf8').includes(text));
  expect(found.filter((file) => !allowed.some((place) => file.startsWith(place)))).toEqual([]);
});

function sources(): string[] {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).map((file) =>
    file.split(path.sep).join('/'),
  );
  return files.filter((file) => /\.m?ts$/.test(file) && !file.startsWith('generated/'));
}
