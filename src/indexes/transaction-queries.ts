import { TransactionDirection } from '../generated/prisma/enums.ts';
import { OrderDirection } from '../graphql/enums.ts';
import { insertTransactions, recordAtOnce, recordedTransactions } from '../transactions/ledger.repository.ts';
import type { PlannedTransaction } from '../transactions/ledger.rules.ts';
import { isOfAccount, transactionConditions } from '../transactions/transaction.filter.ts';
import { type TransactionFilter, TransactionOrderField } from '../transactions/transaction.input.ts';
import { transactionOrder } from '../transactions/transaction.order.ts';
import { ALL_TRANSACTION_COLUMNS, TransactionRepository } from '../transactions/transaction.repository.ts';
import { countedBy, type QueryCase, samplePages } from './query-case.ts';
import type { RecordingDatabase } from './record-statements.ts';
import type { TenantSample } from './samples.ts';

const ACCOUNT = 'transactions_tenant_account_booked_idx';
const BOOKED = 'transactions_tenant_booked_idx';
const CATEGORY = 'transactions_tenant_category_booked_idx';
const AMOUNT = 'transactions_tenant_amount_idx';
const KEY = 'transactions_pkey';
const TOTALS = 'daily_totals_pkey';
const ALL = ALL_TRANSACTION_COLUMNS;

interface FilterCase {
  readonly name: string;
  readonly filter: TransactionFilter;
  readonly page: readonly string[];
  readonly count: readonly string[];
}

export function transactionQueries(sample: TenantSample): QueryCase[] {
  return [
    ...filterCases(sample).flatMap((filter) => filteredCases(sample, filter)),
    ...byAmount(sample),
    ...ofAccounts(sample),
    {
      name: 'transactions of a repeated request',
      uses: [KEY],
      call: ({ transaction }, scope) => recordedTransactions(transaction, scope, sample.transactionIds.slice(0, 2)),
    },
    {
      name: 'recording a transaction',
      uses: ['bank_accounts_pkey'],
      call: ({ transaction }, scope) =>
        recordAtOnce(transaction, scope, { key: 'key', hash: '' }, [newTransaction(sample)]),
    },
    {
      name: 'recording a transaction step by step',
      uses: ['bank_accounts_pkey', 'idempotency_keys_pkey'],
      call: ({ transaction }, scope) => insertTransactions(transaction, scope, 'key', [newTransaction(sample)]),
    },
  ];
}

function newTransaction({ accountIds: [accountId = ''], currency, category, day }: TenantSample): PlannedTransaction {
  const booking = { direction: TransactionDirection.CREDIT, amount: '1', currency, balanceAfter: '1', bookedAt: null };
  return {
    accountId,
    ...booking,
    category,
    counterpartyBank: null,
    description: null,
    accountUpdatedAt: `${day}T00:00:00.000Z`,
  };
}

function filterCases({ accountIds: [accountId = ''], category, day }: TenantSample): FilterCase[] {
  const both = (...indexes: string[]) => ({ page: indexes, count: indexes });
  const oneDay = { bookedFrom: `${day}T00:00:00.000Z`, bookedTo: `${day}T23:59:59.999Z` };
  const sinceMonths = { bookedFrom: new Date(Date.parse(`${day}T00:00:00Z`) - 90 * 86_400_000).toISOString() };
  return [
    { name: 'all', filter: {}, page: [BOOKED], count: [TOTALS] },
    { name: 'of an account', filter: { accountId }, ...both(ACCOUNT) },
    { name: 'of a category', filter: { category }, page: [CATEGORY], count: [TOTALS] },
    { name: 'of months', filter: sinceMonths, page: [BOOKED], count: [TOTALS] },
    { name: 'of a day', filter: oneDay, ...both(BOOKED) },
    { name: 'of a category on a day', filter: { category, ...oneDay }, ...both(CATEGORY, BOOKED) },
    { name: 'of an account on a day', filter: { accountId, ...oneDay }, ...both(ACCOUNT) },
    {
      name: 'debits',
      filter: { direction: TransactionDirection.DEBIT },
      page: [BOOKED],
      count: [],
    },
    {
      name: 'with large amounts',
      filter: { minAmount: '490' },
      page: [BOOKED, AMOUNT],
      count: [AMOUNT],
    },
  ];
}

function filteredCases({ booked }: TenantSample, { name, filter, page, count }: FilterCase): QueryCase[] {
  const pages = samplePages(booked).map(({ name: which, page: request }) => ({
    name: `transactions ${name}, ${which}`,
    uses: [page],
    call: reading((transactions, scope) => transactions.page(scope, transactionConditions(filter), request, ALL)),
  }));
  const counted = reading((transactions, scope) => transactions.count(scope, filter));
  return [...pages, { name: `number of transactions ${name}`, ...countedBy(count), call: counted }];
}

function byAmount({ accountIds: [accountId = ''], amount }: TenantSample): QueryCase[] {
  const largest = { field: TransactionOrderField.AMOUNT, direction: OrderDirection.DESC };
  const cases = [
    { name: 'by amount', filter: {}, uses: AMOUNT },
    { name: 'of amounts by amount', filter: { minAmount: '10' }, uses: AMOUNT },
    { name: 'of an account by amount', filter: { accountId }, uses: ACCOUNT },
  ];
  return cases.flatMap(({ name, filter, uses }) =>
    samplePages(amount).map(({ name: which, page }) => ({
      name: `transactions ${name}, ${which}`,
      uses: [uses],
      call: reading((transactions, scope) => {
        const order = transactionOrder(largest, isOfAccount(filter));
        return transactions.page(scope, transactionConditions(filter), page, ALL, order);
      }),
    })),
  );
}

/** For the accounts of a list, in one statement. */
function ofAccounts({ accountIds, booked }: TenantSample): QueryCase[] {
  const pages = samplePages(booked).map(({ name, page }) => ({
    name: `transactions of each account, ${name}`,
    uses: [ACCOUNT],
    call: reading((transactions, scope) => transactions.pageOfEach(scope, accountIds, [], page, ALL)),
  }));
  return [
    ...pages,
    {
      name: 'newest transactions of each account',
      uses: [ACCOUNT],
      call: reading((transactions, scope) => transactions.recentOfEach(scope, accountIds, 5, ALL)),
    },
    {
      name: 'number of transactions of each account',
      uses: [ACCOUNT],
      call: reading((transactions, scope) => transactions.countOfEach(scope, accountIds, [])),
    },
  ];
}

type Read = (transactions: TransactionRepository, scope: Parameters<QueryCase['call']>[1]) => Promise<unknown>;

function reading(read: Read): QueryCase['call'] {
  return ({ database }: RecordingDatabase, scope) => read(new TransactionRepository(database), scope);
}
