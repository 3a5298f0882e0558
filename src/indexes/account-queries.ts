import { accountConditions } from '../accounts/account.filter.ts';
import { type AccountFilter, AccountOrderField } from '../accounts/account.input.ts';
import { FOR_STATE_CHANGE, lockAccounts } from '../accounts/account.locks.ts';
import { accountOrder } from '../accounts/account.order.ts';
import { AccountRepository, ALL_ACCOUNT_COLUMNS } from '../accounts/account.repository.ts';
import { AccountRows } from '../accounts/account.rows.ts';
import { updateAccount } from '../accounts/account.writes.ts';
import { AccountStatus, AccountType } from '../generated/prisma/enums.ts';
import type { Position } from '../paging/keyset.ts';
import { countedBy, type QueryCase, samplePages } from './query-case.ts';
import type { RecordingDatabase } from './record-statements.ts';
import type { TenantSample } from './samples.ts';

const CREATED = 'bank_accounts_tenant_created_idx';
const ACTIVE = 'bank_accounts_tenant_active_created_idx';
const ACTIVE_TYPE = 'bank_accounts_tenant_type_active_created_idx';
const INACTIVE = 'bank_accounts_tenant_inactive_created_idx';
const STATUS = 'bank_accounts_tenant_status_created_idx';
const TYPE = 'bank_accounts_tenant_type_created_idx';
const NUMBER = 'bank_accounts_tenant_number_idx';
const BANK = 'bank_accounts_tenant_bank_idx';
const BALANCE = 'bank_accounts_tenant_balance_idx';
const BANK_NUMBER = 'bank_accounts_tenant_bank_number_key';
/** Of few tenants with the same number it is as good as their own. */
const ANY_TENANTS_NUMBER = 'bank_accounts_number_idx';
const KEY = 'bank_accounts_pkey';
const TOTALS = 'account_totals_pkey';

const INDEX_OF_ORDER: Readonly<Record<AccountOrderField, string>> = {
  CREATED_AT: CREATED,
  UPDATED_AT: 'bank_accounts_tenant_updated_idx',
  BALANCE,
  ACCOUNT_NUMBER: NUMBER,
  BANK_NAME: BANK,
};

/**
 * A filter, and which indexes may serve a page in order of creation, and the count; none: any index
 * of the tenant.
 */
interface FilterCase {
  readonly name: string;
  readonly filter: AccountFilter;
  readonly page: readonly string[];
  readonly count: readonly string[];
}

export function accountQueries(sample: TenantSample): QueryCase[] {
  return [
    ...Object.values(AccountOrderField).flatMap((field) => orderCases(sample, field)),
    ...filterCases(sample).flatMap((filter) => filteredCases(sample, filter)),
    ...lookups(sample),
    ...writes(sample),
  ];
}

function orderCases(sample: TenantSample, field: AccountOrderField): QueryCase[] {
  const name = `accounts by ${field.toLowerCase().replace('_', ' ')}`;
  const uses = [INDEX_OF_ORDER[field]];
  const pages = samplePages(middleOf(sample, field)).map(({ name: which, page }) => ({
    name: `${name}, ${which}`,
    uses,
    call: reading((accounts, scope) => accounts.page(scope, [], accountOrder(field), page, ALL_ACCOUNT_COLUMNS)),
  }));
  const numbered = reading((accounts, scope) =>
    accounts.numberedPage(scope, [], accountOrder(field, true), { number: 2, size: 20 }, ALL_ACCOUNT_COLUMNS),
  );
  return [...pages, { name: `${name}, descending, page 2`, uses, call: numbered }];
}

function filterCases({ bankName, accountNumber, currency }: TenantSample): FilterCase[] {
  const both = (...indexes: string[]) => ({ page: indexes, count: indexes });
  return [
    { name: 'all', filter: {}, page: [CREATED], count: [TOTALS] },
    { name: 'active', filter: { isActive: true }, page: [ACTIVE], count: [TOTALS] },
    { name: 'not active', filter: { isActive: false }, page: [INACTIVE], count: [TOTALS] },
    { name: 'frozen', filter: { status: AccountStatus.FROZEN }, page: [STATUS], count: [TOTALS] },
    { name: 'loans', filter: { accountType: AccountType.LOAN }, page: [TYPE], count: [TOTALS] },
    {
      name: 'active loans',
      filter: { accountType: AccountType.LOAN, isActive: true },
      page: [ACTIVE_TYPE],
      count: [TOTALS],
    },
    { name: 'of a bank', filter: { bankName }, page: [BANK, BANK_NUMBER, CREATED], count: [TOTALS] },
    { name: 'with a number', filter: { accountNumber }, ...both(NUMBER, ANY_TENANTS_NUMBER) },
    { name: 'in a currency', filter: { currency }, page: [CREATED], count: [TOTALS] },
    { name: 'with large balances', filter: { minBalance: '9900' }, page: [BALANCE, CREATED], count: [BALANCE] },
    { name: 'opened in a week', filter: { createdFrom: CREATED_FROM, createdTo: CREATED_TO }, ...both(CREATED) },
  ];
}

const CREATED_FROM = '2021-03-01T00:00:00.000Z';
const CREATED_TO = '2021-03-07T23:59:59.999Z';

function filteredCases(sample: TenantSample, { name, filter, page, count }: FilterCase): QueryCase[] {
  const order = accountOrder();
  const pages = samplePages(middleOf(sample, AccountOrderField.CREATED_AT)).map(({ name: which, page: request }) => ({
    name: `accounts ${name}, ${which}`,
    uses: [page],
    call: reading((accounts, scope) =>
      accounts.page(scope, accountConditions(filter), order, request, ALL_ACCOUNT_COLUMNS),
    ),
  }));
  const counted = reading((accounts, scope) => accounts.count(scope, filter));
  return [...pages, { name: `number of accounts ${name}`, ...countedBy(count), call: counted }];
}

function middleOf({ positions }: TenantSample, field: AccountOrderField): Position {
  const middle = positions[field];
  if (!middle) throw new Error(`the sample has no position in the order ${field}`);
  return middle;
}

function lookups({ accountIds, accountNumber, bankName }: TenantSample): QueryCase[] {
  const [id = ''] = accountIds;
  return [
    {
      name: 'accounts by ids',
      uses: [KEY],
      call: ({ database }, scope) => new AccountRepository(database).byIds(scope, accountIds, ALL_ACCOUNT_COLUMNS),
    },
    {
      name: 'account by id',
      uses: [KEY],
      call: ({ database }, scope) => new AccountRows(database, 1).byId(scope, id, ALL_ACCOUNT_COLUMNS),
    },
    {
      name: 'account by number',
      uses: [[NUMBER, ANY_TENANTS_NUMBER]],
      call: ({ database }, scope) => new AccountRows(database, 1).byNumber(scope, accountNumber, null),
    },
    {
      name: 'account by bank and number',
      uses: [[BANK_NUMBER, NUMBER, ANY_TENANTS_NUMBER]],
      call: ({ database }, scope) => new AccountRows(database, 1).byNumber(scope, accountNumber, bankName),
    },
  ];
}

function writes({ accountIds, bankName }: TenantSample): QueryCase[] {
  const [id = ''] = accountIds;
  const locked = { id, changeTime: CREATED_TO };
  return [
    {
      name: 'locking accounts',
      uses: [KEY],
      call: ({ transaction }, scope) => lockAccounts(transaction, scope, accountIds.slice(0, 2), FOR_STATE_CHANGE),
    },
    {
      name: 'changing an account',
      uses: [KEY],
      call: ({ transaction }, scope) => updateAccount(transaction, scope, locked, { bankName }),
    },
  ];
}

type Read = (accounts: AccountRepository, scope: Parameters<QueryCase['call']>[1]) => Promise<unknown>;

function reading(read: Read): QueryCase['call'] {
  return ({ database }: RecordingDatabase, scope) => read(new AccountRepository(database), scope);
}
