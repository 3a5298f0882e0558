import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, visit } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSchema } from '../../src/app/schema.ts';
import { Role } from '../../src/auth/caller.ts';
import type { Model } from '../../src/models/define-model.ts';
import { REGISTERED_MODELS } from '../../src/registered-models.ts';
import {
  AccountByNumberDocument,
  AccountDocument,
  ChangeAccountStatusDocument,
  CreateAccountDocument,
  type CreateAccountInput,
  DashboardDocument,
  InvalidateCacheDocument,
  PerformanceDocument,
  RateLimitDocument,
  RecordTransactionsDocument,
  RefreshedDashboardDocument,
  RefreshedStatisticsDocument,
  TransferDocument,
  UpdateAccountDocument,
} from '../generated/graphql.ts';
import { request } from '../support/client.ts';
import { insertTenant } from '../support/fixtures.ts';
import { startService, type TestService } from '../support/service.ts';

const OPERATIONS = path.join(import.meta.dirname, '../operations');

let service: TestService;
let token: string;
beforeAll(async () => {
  service = await startService();
  await insertTenant(service.databaseUrl, { slug: 'acme', timeZone: 'Europe/Prague' });
  token = await service.token(Role.ADMIN, 'acme');
});
afterAll(() => service.close());

async function open(input: Partial<CreateAccountInput> = {}) {
  const account = {
    bankName: 'First Bank',
    accountNumber: randomUUID(),
    accountType: 'CHECKING',
    currency: 'EUR',
  } as const;
  const { createAccount } = await request(service, token, CreateAccountDocument, { input: { ...account, ...input } });
  expect(createAccount.userErrors).toEqual([]);
  if (!createAccount.account) throw new Error('no account');
  return createAccount.account;
}

test('the typed operations use every query and mutation of the schema', () => {
  const used = new Set<string>();
  for (const file of readdirSync(OPERATIONS))
    visit(parse(readFileSync(path.join(OPERATIONS, file), 'utf8')), {
      OperationDefinition({ selectionSet }) {
        for (const field of selectionSet.selections) if (field.kind === 'Field') used.add(field.name.value);
      },
    });
  const [query, mutation] = [createSchema().getQueryType(), createSchema().getMutationType()];
  // Those of registered models are sent by their own tests.
  for (const { list } of Object.values<Model>(REGISTERED_MODELS)) used.add(list);
  expect([...used].sort()).toEqual(Object.keys({ ...query?.getFields(), ...mutation?.getFields() }).sort());
});

test('an account’s life by typed operations', async () => {
  const opened = await open({ openingBalance: '100' });
  const { updateAccount } = await request(service, token, UpdateAccountDocument, {
    input: { id: opened.id, expectedVersion: opened.version, bankName: 'Second Bank' },
  });
  const { bankName, version } = updateAccount.account ?? {};
  expect([bankName, version]).toEqual(['Second Bank', 2]);
  const { changeAccountStatus } = await request(service, token, ChangeAccountStatusDocument, {
    input: { id: opened.id, expectedVersion: 1, status: 'FROZEN' },
  });
  expect(changeAccountStatus).toMatchObject({ account: null, userErrors: [{ code: 'VERSION_CONFLICT' }] });
  const { account } = await request(service, token, AccountDocument, { id: opened.id });
  expect(account).toEqual(updateAccount.account);
  const { accountByNumber } = await request(service, token, AccountByNumberDocument, {
    accountNumber: opened.accountNumber,
    bankName: 'Second Bank',
  });
  expect(accountByNumber).toEqual(account);
});

test('money that moves by typed operations shows wherever it is looked for', async () => {
  const [from, to] = [await open({ openingBalance: '10' }), await open()];
  const { recordTransactions } = await request(service, token, RecordTransactionsDocument, {
    input: {
      idempotencyKey: randomUUID(),
      transactions: [{ accountId: from.id, direction: 'CREDIT', amount: '0.0001', category: 'interest' }],
    },
  });
  expect(recordTransactions.transactions).toMatchObject([{ amount: '0.0001', balanceAfter: '10.0001' }]);
  const { transfer } = await request(service, token, TransferDocument, {
    input: { idempotencyKey: randomUUID(), fromAccountId: from.id, toAccountId: to.id, amount: '10.0001' },
  });
  expect(transfer).toMatchObject({
    debit: { account: { id: from.id, balance: '0.0000', version: 3 } },
    credit: { account: { id: to.id, balance: '10.0001', version: 2 } },
    userErrors: [],
  });
  const { dashboard } = await request(service, token, DashboardDocument, { days: 1 });
  expect(dashboard.activity.totals).toEqual([
    { currency: 'EUR', transactionCount: 3, inflow: '10.0002', outflow: '10.0001', net: '0.0001' },
  ]);
});

test('answers are refreshed and invalidated by typed operations, and the service tells how it performs', async () => {
  const { invalidateCache } = await request(service, token, InvalidateCacheDocument, {
    input: { namespaces: ['DASHBOARD'] },
  });
  expect(invalidateCache).toEqual({ namespaces: ['DASHBOARD'], userErrors: [] });
  const refreshed = await request(service, token, RefreshedDashboardDocument, {});
  const again = await request(service, token, RefreshedDashboardDocument, {});
  expect(again.dashboard.generatedAt > refreshed.dashboard.generatedAt).toBe(true);
  await request(service, token, RefreshedStatisticsDocument, { period: 'YEARLY' });
  const { performance } = await request(service, token, PerformanceDocument);
  expect(performance.operations.map(({ name }) => name)).toContain('RefreshedDashboard');
  const { rateLimit } = await request(service, token, RateLimitDocument);
  expect(rateLimit.remaining).toBeLessThan(rateLimit.limit);
});
