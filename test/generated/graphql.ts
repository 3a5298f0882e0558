/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Accounts that satisfy all given conditions. Texts match exactly, bounds include their ends. */
export type AccountFilter = {
  /** Only accounts with this number. Absent: all. */
  accountNumber?: string | null | undefined;
  /**
   * Only accounts with one of these numbers.
   * Up to 100 values; an empty list matches nothing. Absent: all.
   */
  accountNumberIn?: Array<string> | null | undefined;
  /**
   * Only accounts whose number begins with this text.
   * Letters count as they are, % and _ as themselves. Absent: all.
   */
  accountNumberStartsWith?: string | null | undefined;
  /** Only accounts of this type. Absent: all. */
  accountType?: AccountType | null | undefined;
  /**
   * Only accounts of one of these types.
   * Up to 100 values; an empty list matches nothing. Absent: all.
   */
  accountTypeIn?: Array<AccountType> | null | undefined;
  /**
   * Only accounts that satisfy all of these filters.
   * Nested 3 levels deep at most, with 30 conditions in all.
   * Absent: all.
   */
  and?: Array<AccountFilter> | null | undefined;
  /** Only accounts at the bank with this name. Absent: all. */
  bankName?: string | null | undefined;
  /**
   * Only accounts at one of the banks with these names.
   * Up to 100 values; an empty list matches nothing. Absent: all.
   */
  bankNameIn?: Array<string> | null | undefined;
  /**
   * Only accounts at banks whose name begins with this text.
   * Letters count as they are, % and _ as themselves. Absent: all.
   */
  bankNameStartsWith?: string | null | undefined;
  /** Only accounts opened then or later. Absent: all. */
  createdFrom?: string | null | undefined;
  /** Only accounts opened then or earlier. Absent: all. */
  createdTo?: string | null | undefined;
  /** Only accounts in this currency, an ISO 4217 code. Absent: all. */
  currency?: string | null | undefined;
  /**
   * Only accounts in one of these currencies.
   * Up to 100 values; an empty list matches nothing. Absent: all.
   */
  currencyIn?: Array<string> | null | undefined;
  /** true: status ACTIVE; false: any other status. Absent: all. */
  isActive?: boolean | null | undefined;
  /** Highest balance, whatever its currency. Absent: any. */
  maxBalance?: string | null | undefined;
  /** Lowest balance, whatever its currency. Absent: any. */
  minBalance?: string | null | undefined;
  /**
   * Only accounts that do not satisfy this filter.
   * Nested 3 levels deep at most, with 30 conditions in all.
   * Absent: all.
   */
  not?: AccountFilter | null | undefined;
  /**
   * Only accounts that satisfy one of these filters, or more; of an empty list none do.
   * Nested 3 levels deep at most, with 30 conditions in all.
   * Absent: all.
   */
  or?: Array<AccountFilter> | null | undefined;
  /** Only accounts with this status. Absent: all. */
  status?: AccountStatus | null | undefined;
  /**
   * Only accounts with one of these statuses.
   * Up to 100 values; an empty list matches nothing. Absent: all.
   */
  statusIn?: Array<AccountStatus> | null | undefined;
  /** Only accounts that last changed then or later. Absent: all. */
  updatedFrom?: string | null | undefined;
  /** Only accounts that last changed then or earlier. Absent: all. */
  updatedTo?: string | null | undefined;
};

/** Order of a list of accounts. */
export type AccountOrder = {
  /** Ascending or descending. */
  direction?: OrderDirection;
  /** What to order by. */
  field: AccountOrderField;
};

/** What accounts are ordered by; equal ones by id. */
export type AccountOrderField =
  /** Account number as text, so that 10 comes before 9. */
  | 'ACCOUNT_NUMBER'
  /** Balance as a number, whatever its currency. */
  | 'BALANCE'
  /** Name of the bank. */
  | 'BANK_NAME'
  /** When the account was opened. */
  | 'CREATED_AT'
  /** When the account, or its balance, last changed. */
  | 'UPDATED_AT';

/** State of an account; isActive is always status = ACTIVE. */
export type AccountStatus =
  /** In use. Takes credits and debits. */
  | 'ACTIVE'
  /** No longer in use. Takes no transactions; the balance stays. */
  | 'CLOSED'
  /** Blocked. Takes credits and no debits. */
  | 'FROZEN'
  /** Not active yet. Takes credits and no debits. */
  | 'PENDING';

/** Kind of account. */
export type AccountType =
  /** Account for everyday payments. The API never overdraws it. */
  | 'CHECKING'
  /** Credit account, such as that of a credit card. Its balance may be below zero. */
  | 'CREDIT'
  /** Account for investments. The API never overdraws it. */
  | 'INVESTMENT'
  /** Account of a loan. Its balance may be below zero. */
  | 'LOAN'
  /** Account for savings. The API never overdraws it. */
  | 'SAVINGS';

/** How an action ended. */
export type AuditOutcome =
  /** It was carried out. */
  | 'DONE'
  /** It ended with an error, which codes name. */
  | 'FAILED'
  /** It broke a rule of the business; nothing was changed. */
  | 'REFUSED'
  /** The connection was lost at the commit: it may have been carried out or not. */
  | 'UNKNOWN';

/** Kinds of cached answers. */
export type CacheNamespace =
  /** Answers with accounts, lists of them included. */
  | 'ACCOUNTS'
  /** Dashboards of all days. */
  | 'DASHBOARD'
  /** Statistics of all periods. */
  | 'STATISTICS'
  /** Answers with transactions. */
  | 'TRANSACTIONS';

/** A new status for an account. */
export type ChangeAccountStatusInput = {
  /**
   * Version that the account must still have; otherwise the change is refused with VERSION_CONFLICT.
   * Absent: any version is changed.
   */
  expectedVersion?: number | null | undefined;
  /** Id of the account to change, a UUID. */
  id: string;
  /**
   * New status. The status that the account has already changes nothing.
   * PENDING can become ACTIVE, FROZEN or CLOSED; ACTIVE can become FROZEN or CLOSED.
   * FROZEN can become ACTIVE or CLOSED; CLOSED can become ACTIVE again.
   * Closing keeps the balance, whatever it is.
   */
  status: AccountStatus;
};

/** A new account. */
export type CreateAccountInput = {
  /**
   * Number of the account, unique within the bank.
   * 1 to 100 characters without control characters; white space around them is removed.
   */
  accountNumber: string;
  /** Kind of account. */
  accountType: AccountType;
  /**
   * Name of the bank that keeps the account.
   * 1 to 200 characters without control characters; white space around them is removed.
   */
  bankName: string;
  /** ISO 4217 code, three capital letters. */
  currency: string;
  /** Balance to begin with. Below zero only for CREDIT and LOAN accounts. */
  openingBalance?: string;
  /** Status to begin with. */
  status?: AccountStatus;
};

/**
 * Give namespaces, or a pattern of the tenant's keys such as dashboard:* or statistics:daily:*;
 * neither means everything of the tenant.
 * Both together are refused.
 */
export type InvalidateCacheInput = {
  /** What to invalidate by kind, at least one. Absent: as pattern says. */
  namespaces?: Array<CacheNamespace> | null | undefined;
  /**
   * How the keys begin, part by part: dashboard:2026-01-31, statistics:daily.
   * An asterisk stands for a part, or for the end of one.
   * The smallest namespace, or part of one, that holds all these keys is invalidated.
   * Absent: as namespaces say.
   */
  pattern?: string | null | undefined;
};

/** Ascending or descending. */
export type OrderDirection =
  /** The lowest or earliest first. */
  | 'ASC'
  /** The highest or latest first. */
  | 'DESC';

/** Transactions to record together: all or none. */
export type RecordTransactionsInput = {
  /**
   * Key of the request, chosen by the client.
   * 1 to 200 characters without control characters; white space around them is removed.
   * The same key with the same input gives the first result again and changes nothing.
   * The same key with another input is refused with IDEMPOTENCY_KEY_REUSED.
   * A key is forgotten after a time that the service sets, 48 hours by default.
   */
  idempotencyKey: string;
  /** 1 to 1000 transactions, which are recorded in this order. */
  transactions: Array<TransactionInput>;
};

/** What a caller may do. The token says it. */
export type Role =
  /** What an ANALYST may; also writes, invalidates the tenant's cache and reads its audit log. */
  | 'ADMIN'
  /** What a VIEWER may; also refreshes answers and sees how the tenant's operations perform. */
  | 'ANALYST'
  /** Sees how the service performs for all tenants, and no tenant's data. */
  | 'OPERATOR'
  /** Reads the tenant's data. */
  | 'VIEWER';

/** Length of the buckets that statistics are cut into. Weeks start on Monday. */
export type StatisticsPeriod =
  /** Calendar days. */
  | 'DAILY'
  /** Calendar months. */
  | 'MONTHLY'
  /** Quarters, which begin in January, April, July and October. */
  | 'QUARTERLY'
  /** Weeks from Monday to Sunday. */
  | 'WEEKLY'
  /** Calendar years. */
  | 'YEARLY';

/** CREDIT adds to the balance, DEBIT takes from it. */
export type TransactionDirection =
  /** Adds the amount to the balance. */
  | 'CREDIT'
  /** Takes the amount from the balance. */
  | 'DEBIT';

/** Transactions that satisfy all given conditions. Texts match exactly, bounds include their ends. */
export type TransactionFilter = {
  /** Only transactions of this account, a UUID. Absent: all. */
  accountId?: string | null | undefined;
  /**
   * Only transactions of one of these accounts.
   * Up to 100 values; an empty list matches nothing. Absent: all.
   */
  accountIdIn?: Array<string> | null | undefined;
  /**
   * Only transactions that satisfy all of these filters.
   * Nested 3 levels deep at most, with 30 conditions in all.
   * Absent: all.
   */
  and?: Array<TransactionFilter> | null | undefined;
  /** Only transactions booked then or later. Absent: all. */
  bookedFrom?: string | null | undefined;
  /** Only transactions booked then or earlier. Absent: all. */
  bookedTo?: string | null | undefined;
  /** Only transactions of this category. Absent: all. */
  category?: string | null | undefined;
  /**
   * Only transactions of one of these categories.
   * Up to 100 values; an empty list matches nothing. Absent: all.
   */
  categoryIn?: Array<string> | null | undefined;
  /**
   * Only transactions whose category begins with this text.
   * Letters count as they are, % and _ as themselves. Absent: all.
   */
  categoryStartsWith?: string | null | undefined;
  /** Only transactions with the bank of this name on the other side. Absent: all. */
  counterpartyBank?: string | null | undefined;
  /**
   * Only transactions with one of the banks of these names on the other side.
   * Up to 100 values; an empty list matches nothing. Absent: all.
   */
  counterpartyBankIn?: Array<string> | null | undefined;
  /**
   * Only transactions with a bank on the other side whose name begins with this text.
   * Letters count as they are, % and _ as themselves. Absent: all.
   */
  counterpartyBankStartsWith?: string | null | undefined;
  /** Only transactions in this currency, an ISO 4217 code. Absent: all. */
  currency?: string | null | undefined;
  /**
   * Only transactions in one of these currencies.
   * Up to 100 values; an empty list matches nothing. Absent: all.
   */
  currencyIn?: Array<string> | null | undefined;
  /**
   * Only transactions whose description begins with this text.
   * Letters count as they are, % and _ as themselves. Absent: all.
   */
  descriptionStartsWith?: string | null | undefined;
  /** Only credits or only debits. Absent: both. */
  direction?: TransactionDirection | null | undefined;
  /**
   * Only transactions of one of these directions.
   * Up to 100 values; an empty list matches nothing. Absent: all.
   */
  directionIn?: Array<TransactionDirection> | null | undefined;
  /** true: only transactions with a category; false: only those without one. Absent: all. */
  hasCategory?: boolean | null | undefined;
  /** Highest amount, whatever its currency. Absent: any. */
  maxAmount?: string | null | undefined;
  /** Lowest amount, whatever its currency. Absent: any. */
  minAmount?: string | null | undefined;
  /**
   * Only transactions that do not satisfy this filter, those without the value in question among
   * them.
   * Nested 3 levels deep at most, with 30 conditions in all.
   * Absent: all.
   */
  not?: TransactionFilter | null | undefined;
  /**
   * Only transactions that satisfy one of these filters, or more; of an empty list none do.
   * Nested 3 levels deep at most, with 30 conditions in all.
   * Absent: all.
   */
  or?: Array<TransactionFilter> | null | undefined;
};

/** One transaction to record, in the currency of its account. */
export type TransactionInput = {
  /** Id of the account, a UUID. */
  accountId: string;
  /** Greater than 0, in the currency of the account. */
  amount: string;
  /**
   * When the transaction was booked. Absent: when it is recorded.
   * From 0001-01-02T00:00:00.000Z on and before 9999-12-31T00:00:00.000Z.
   */
  bookedAt?: string | null | undefined;
  /**
   * What it is for. Absent: no category.
   * 1 to 200 characters without control characters; white space around them is removed.
   */
  category?: string | null | undefined;
  /**
   * Name of the bank on the other side. Absent: unknown.
   * 1 to 200 characters without control characters; white space around them is removed.
   */
  counterpartyBank?: string | null | undefined;
  /**
   * Free text. Absent: none.
   * 1 to 10000 characters without control characters; white space around them is removed.
   */
  description?: string | null | undefined;
  /** CREDIT adds to the balance, DEBIT takes from it. */
  direction: TransactionDirection;
};

/** An amount to transfer from one account of the tenant to another of the same currency. */
export type TransferInput = {
  /** Greater than 0, in the currency of the account. */
  amount: string;
  /**
   * Free text. Absent: none.
   * 1 to 10000 characters without control characters; white space around them is removed.
   */
  description?: string | null | undefined;
  /** Id of the account that is debited, a UUID. */
  fromAccountId: string;
  /**
   * Key of the request, chosen by the client.
   * 1 to 200 characters without control characters; white space around them is removed.
   * The same key with the same input gives the first result again and changes nothing.
   * The same key with another input is refused with IDEMPOTENCY_KEY_REUSED.
   * A key is forgotten after a time that the service sets, 48 hours by default.
   */
  idempotencyKey: string;
  /** Id of the account that is credited, a UUID. */
  toAccountId: string;
};

/** What to change of an account. A field that is absent or null stays as it is. */
export type UpdateAccountInput = {
  /** New type of the account. Absent: unchanged. */
  accountType?: AccountType | null | undefined;
  /**
   * New name of the bank. Absent: unchanged.
   * 1 to 200 characters without control characters; white space around them is removed.
   */
  bankName?: string | null | undefined;
  /**
   * Version that the account must still have; otherwise the change is refused with VERSION_CONFLICT.
   * Absent: any version is changed.
   */
  expectedVersion?: number | null | undefined;
  /** Id of the account to change, a UUID. */
  id: string;
};

export type AccountFieldsFragment = { id: string, bankName: string, accountNumber: string, accountType: AccountType, status: AccountStatus, isActive: boolean, currency: string, balance: string, version: number, createdAt: string, updatedAt: string };

export type AccountQueryVariables = Exact<{
  id: string;
}>;


export type AccountQuery = { account: { id: string, bankName: string, accountNumber: string, accountType: AccountType, status: AccountStatus, isActive: boolean, currency: string, balance: string, version: number, createdAt: string, updatedAt: string } | null };

export type AccountByNumberQueryVariables = Exact<{
  accountNumber: string;
  bankName?: string | null | undefined;
}>;


export type AccountByNumberQuery = { accountByNumber: { id: string, bankName: string, accountNumber: string, accountType: AccountType, status: AccountStatus, isActive: boolean, currency: string, balance: string, version: number, createdAt: string, updatedAt: string } | null };

export type AccountsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  filter?: AccountFilter | null | undefined;
  orderBy?: AccountOrder | null | undefined;
}>;


export type AccountsQuery = { accounts: { totalCount: number, edges: Array<{ cursor: string, node: { id: string, bankName: string, accountNumber: string, accountType: AccountType, status: AccountStatus, isActive: boolean, currency: string, balance: string, version: number, createdAt: string, updatedAt: string } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type AccountListQueryVariables = Exact<{
  page?: number;
  pageSize?: number;
  filter?: AccountFilter | null | undefined;
  orderBy?: AccountOrder | null | undefined;
}>;


export type AccountListQuery = { accountList: { count: number, page: number, pageSize: number, totalPages: number, results: Array<{ id: string, bankName: string, accountNumber: string, accountType: AccountType, status: AccountStatus, isActive: boolean, currency: string, balance: string, version: number, createdAt: string, updatedAt: string }> } };

export type AccountsWithTransactionsQueryVariables = Exact<{
  first: number;
  limit: number;
}>;


export type AccountsWithTransactionsQuery = { accounts: { nodes: Array<{ id: string, tenant: { id: string, slug: string, name: string, timeZone: string, createdAt: string }, recentTransactions: Array<{ id: string, bookedAt: string, direction: TransactionDirection, amount: string, currency: string, balanceAfter: string | null, category: string | null, counterpartyBank: string | null, description: string | null }> }> } };

export type AuditLogQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  since?: string | null | undefined;
}>;


export type AuditLogQuery = { auditLog: { nodes: Array<{ id: string, at: string, subject: string | null, role: string | null, action: string, key: string | null, requestId: string | null, outcome: AuditOutcome, codes: Array<string>, times: number }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CashFlowFieldsFragment = { currency: string, transactionCount: number, inflow: string, outflow: string, net: string };

export type AccountGroupFieldsFragment = { key: string, count: number, balances: Array<{ currency: string, amount: string }> };

export type DashboardQueryVariables = Exact<{
  date?: string | null | undefined;
  days?: number;
}>;


export type DashboardQuery = { dashboard: { date: string, generatedAt: string, overview: { totalAccounts: number, activeAccounts: number, balances: Array<{ currency: string, amount: string }> }, accountsByType: Array<{ key: string, count: number, balances: Array<{ currency: string, amount: string }> }>, accountsByStatus: Array<{ key: string, count: number, balances: Array<{ currency: string, amount: string }> }>, accountsByBank: Array<{ key: string, count: number, balances: Array<{ currency: string, amount: string }> }>, activity: { totals: Array<{ currency: string, transactionCount: number, inflow: string, outflow: string, net: string }>, series: Array<{ date: string, flows: Array<{ currency: string, transactionCount: number, inflow: string, outflow: string, net: string }> }> } } };

export type DashboardListsQueryVariables = Exact<{
  topAccounts?: number;
  recentTransactions?: number;
}>;


export type DashboardListsQuery = { dashboard: { topAccounts: Array<{ id: string, bankName: string, accountNumber: string, accountType: AccountType, status: AccountStatus, isActive: boolean, currency: string, balance: string, version: number, createdAt: string, updatedAt: string }>, recentTransactions: Array<{ id: string, bookedAt: string, direction: TransactionDirection, amount: string, currency: string, balanceAfter: string | null, category: string | null, counterpartyBank: string | null, description: string | null, account: { id: string, accountNumber: string } }> } };

export type RefreshedDashboardQueryVariables = Exact<{
  date?: string | null | undefined;
}>;


export type RefreshedDashboardQuery = { dashboard: { generatedAt: string, overview: { totalAccounts: number } } };

export type UserErrorFieldsFragment = { field: Array<string> | null, code: string, message: string };

export type CreateAccountMutationVariables = Exact<{
  input: CreateAccountInput;
}>;


export type CreateAccountMutation = { createAccount: { account: { id: string, bankName: string, accountNumber: string, accountType: AccountType, status: AccountStatus, isActive: boolean, currency: string, balance: string, version: number, createdAt: string, updatedAt: string } | null, userErrors: Array<{ field: Array<string> | null, code: string, message: string }> } };

export type UpdateAccountMutationVariables = Exact<{
  input: UpdateAccountInput;
}>;


export type UpdateAccountMutation = { updateAccount: { account: { id: string, bankName: string, accountNumber: string, accountType: AccountType, status: AccountStatus, isActive: boolean, currency: string, balance: string, version: number, createdAt: string, updatedAt: string } | null, userErrors: Array<{ field: Array<string> | null, code: string, message: string }> } };

export type ChangeAccountStatusMutationVariables = Exact<{
  input: ChangeAccountStatusInput;
}>;


export type ChangeAccountStatusMutation = { changeAccountStatus: { account: { id: string, bankName: string, accountNumber: string, accountType: AccountType, status: AccountStatus, isActive: boolean, currency: string, balance: string, version: number, createdAt: string, updatedAt: string } | null, userErrors: Array<{ field: Array<string> | null, code: string, message: string }> } };

export type RecordTransactionsMutationVariables = Exact<{
  input: RecordTransactionsInput;
}>;


export type RecordTransactionsMutation = { recordTransactions: { transactions: Array<{ id: string, bookedAt: string, direction: TransactionDirection, amount: string, currency: string, balanceAfter: string | null, category: string | null, counterpartyBank: string | null, description: string | null, account: { id: string, balance: string, version: number } }>, userErrors: Array<{ field: Array<string> | null, code: string, message: string }> } };

export type TransferMutationVariables = Exact<{
  input: TransferInput;
}>;


export type TransferMutation = { transfer: { debit: { id: string, bookedAt: string, direction: TransactionDirection, amount: string, currency: string, balanceAfter: string | null, category: string | null, counterpartyBank: string | null, description: string | null, account: { id: string, balance: string, version: number } } | null, credit: { id: string, bookedAt: string, direction: TransactionDirection, amount: string, currency: string, balanceAfter: string | null, category: string | null, counterpartyBank: string | null, description: string | null, account: { id: string, balance: string, version: number } } | null, userErrors: Array<{ field: Array<string> | null, code: string, message: string }> } };

export type InvalidateCacheMutationVariables = Exact<{
  input: InvalidateCacheInput;
}>;


export type InvalidateCacheMutation = { invalidateCache: { namespaces: Array<CacheNamespace>, userErrors: Array<{ field: Array<string> | null, code: string, message: string }> } };

export type LatencyFieldsFragment = { count: number, mean: number, p50: number, p95: number, p99: number, max: number };

export type PerformanceQueryVariables = Exact<{ [key: string]: never; }>;


export type PerformanceQuery = { performance: { since: string, operations: Array<{ name: string, errors: number, cacheHits: number, latency: { count: number, mean: number, p50: number, p95: number, p99: number, max: number } }>, resolvers: Array<{ coordinate: string, errors: number, latency: { count: number, mean: number, p50: number, p95: number, p99: number, max: number } }>, queries: Array<{ model: string | null, action: string, rows: number, latency: { count: number, mean: number, p50: number, p95: number, p99: number, max: number } }>, cache: Array<{ namespace: string, hits: number, misses: number, hitRate: number, invalidations: number, errors: number }>, resources: { rssBytes: number, heapUsedBytes: number, cpuPercent: number, eventLoopDelayMs: number, cacheMemoryBytes: number, redisMemoryBytes: number | null, databaseConnections: number } } };

export type StatisticsQueryVariables = Exact<{
  period?: StatisticsPeriod;
  from?: string | null | undefined;
  to?: string | null | undefined;
}>;


export type StatisticsQuery = { statistics: { period: StatisticsPeriod, from: string, to: string, generatedAt: string, totals: Array<{ currency: string, transactionCount: number, inflow: string, outflow: string, net: string }>, buckets: Array<{ start: string, end: string, flows: Array<{ currency: string, transactionCount: number, inflow: string, outflow: string, net: string }> }>, byCategory: Array<{ category: string | null, flows: Array<{ currency: string, transactionCount: number, inflow: string, outflow: string, net: string }> }> } };

export type RefreshedStatisticsQueryVariables = Exact<{
  period?: StatisticsPeriod;
  from?: string | null | undefined;
  to?: string | null | undefined;
}>;


export type RefreshedStatisticsQuery = { statistics: { generatedAt: string, totals: Array<{ currency: string, transactionCount: number, inflow: string, outflow: string, net: string }> } };

export type TransactionFieldsFragment = { id: string, bookedAt: string, direction: TransactionDirection, amount: string, currency: string, balanceAfter: string | null, category: string | null, counterpartyBank: string | null, description: string | null };

export type PageInfoFieldsFragment = { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null };

export type TransactionsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  filter?: TransactionFilter | null | undefined;
}>;


export type TransactionsQuery = { transactions: { totalCount: number, edges: Array<{ cursor: string, node: { id: string, bookedAt: string, direction: TransactionDirection, amount: string, currency: string, balanceAfter: string | null, category: string | null, counterpartyBank: string | null, description: string | null, account: { id: string, accountNumber: string } } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type TransactionsOfAccountsQueryVariables = Exact<{
  accounts: number;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  filter?: TransactionFilter | null | undefined;
}>;


export type TransactionsOfAccountsQuery = { accounts: { nodes: Array<{ id: string, transactions: { totalCount: number, edges: Array<{ cursor: string, node: { id: string, bookedAt: string, direction: TransactionDirection, amount: string, currency: string, balanceAfter: string | null, category: string | null, counterpartyBank: string | null, description: string | null } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } }> } };

export type TenantFieldsFragment = { id: string, slug: string, name: string, timeZone: string, createdAt: string };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { id: string, name: string, role: Role, tenant: { id: string, slug: string, name: string, timeZone: string, createdAt: string } | null } };

export type TenantQueryVariables = Exact<{ [key: string]: never; }>;


export type TenantQuery = { tenant: { id: string, slug: string, name: string, timeZone: string, createdAt: string } };

export type RateLimitQueryVariables = Exact<{ [key: string]: never; }>;


export type RateLimitQuery = { rateLimit: { limit: number, cost: number, remaining: number, resetAt: string, tenant: { limit: number, remaining: number, resetAt: string } | null } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const AccountFieldsFragmentDoc = new TypedDocumentString(`
    fragment AccountFields on BankAccount {
  id
  bankName
  accountNumber
  accountType
  status
  isActive
  currency
  balance
  version
  createdAt
  updatedAt
}
    `, {"fragmentName":"AccountFields"}) as unknown as TypedDocumentString<AccountFieldsFragment, unknown>;
export const CashFlowFieldsFragmentDoc = new TypedDocumentString(`
    fragment CashFlowFields on CashFlow {
  currency
  transactionCount
  inflow
  outflow
  net
}
    `, {"fragmentName":"CashFlowFields"}) as unknown as TypedDocumentString<CashFlowFieldsFragment, unknown>;
export const AccountGroupFieldsFragmentDoc = new TypedDocumentString(`
    fragment AccountGroupFields on AccountGroup {
  key
  count
  balances {
    currency
    amount
  }
}
    `, {"fragmentName":"AccountGroupFields"}) as unknown as TypedDocumentString<AccountGroupFieldsFragment, unknown>;
export const UserErrorFieldsFragmentDoc = new TypedDocumentString(`
    fragment UserErrorFields on UserError {
  field
  code
  message
}
    `, {"fragmentName":"UserErrorFields"}) as unknown as TypedDocumentString<UserErrorFieldsFragment, unknown>;
export const LatencyFieldsFragmentDoc = new TypedDocumentString(`
    fragment LatencyFields on Latency {
  count
  mean
  p50
  p95
  p99
  max
}
    `, {"fragmentName":"LatencyFields"}) as unknown as TypedDocumentString<LatencyFieldsFragment, unknown>;
export const TransactionFieldsFragmentDoc = new TypedDocumentString(`
    fragment TransactionFields on Transaction {
  id
  bookedAt
  direction
  amount
  currency
  balanceAfter
  category
  counterpartyBank
  description
}
    `, {"fragmentName":"TransactionFields"}) as unknown as TypedDocumentString<TransactionFieldsFragment, unknown>;
export const PageInfoFieldsFragmentDoc = new TypedDocumentString(`
    fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
    `, {"fragmentName":"PageInfoFields"}) as unknown as TypedDocumentString<PageInfoFieldsFragment, unknown>;
export const TenantFieldsFragmentDoc = new TypedDocumentString(`
    fragment TenantFields on Tenant {
  id
  slug
  name
  timeZone
  createdAt
}
    `, {"fragmentName":"TenantFields"}) as unknown as TypedDocumentString<TenantFieldsFragment, unknown>;
export const AccountDocument = new TypedDocumentString(`
    query Account($id: ID!) {
  account(id: $id) {
    ...AccountFields
  }
}
    fragment AccountFields on BankAccount {
  id
  bankName
  accountNumber
  accountType
  status
  isActive
  currency
  balance
  version
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<AccountQuery, AccountQueryVariables>;
export const AccountByNumberDocument = new TypedDocumentString(`
    query AccountByNumber($accountNumber: String!, $bankName: String) {
  accountByNumber(accountNumber: $accountNumber, bankName: $bankName) {
    ...AccountFields
  }
}
    fragment AccountFields on BankAccount {
  id
  bankName
  accountNumber
  accountType
  status
  isActive
  currency
  balance
  version
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<AccountByNumberQuery, AccountByNumberQueryVariables>;
export const AccountsDocument = new TypedDocumentString(`
    query Accounts($first: Int, $after: String, $last: Int, $before: String, $filter: AccountFilter, $orderBy: AccountOrder) {
  accounts(
    first: $first
    after: $after
    last: $last
    before: $before
    filter: $filter
    orderBy: $orderBy
  ) {
    edges {
      cursor
      node {
        ...AccountFields
      }
    }
    pageInfo {
      ...PageInfoFields
    }
    totalCount
  }
}
    fragment AccountFields on BankAccount {
  id
  bankName
  accountNumber
  accountType
  status
  isActive
  currency
  balance
  version
  createdAt
  updatedAt
}
fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}`) as unknown as TypedDocumentString<AccountsQuery, AccountsQueryVariables>;
export const AccountListDocument = new TypedDocumentString(`
    query AccountList($page: Int! = 1, $pageSize: Int! = 20, $filter: AccountFilter, $orderBy: AccountOrder) {
  accountList(
    page: $page
    pageSize: $pageSize
    filter: $filter
    orderBy: $orderBy
  ) {
    results {
      ...AccountFields
    }
    count
    page
    pageSize
    totalPages
  }
}
    fragment AccountFields on BankAccount {
  id
  bankName
  accountNumber
  accountType
  status
  isActive
  currency
  balance
  version
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<AccountListQuery, AccountListQueryVariables>;
export const AccountsWithTransactionsDocument = new TypedDocumentString(`
    query AccountsWithTransactions($first: Int!, $limit: Int!) {
  accounts(first: $first) {
    nodes {
      id
      tenant {
        ...TenantFields
      }
      recentTransactions(limit: $limit) {
        ...TransactionFields
      }
    }
  }
}
    fragment TransactionFields on Transaction {
  id
  bookedAt
  direction
  amount
  currency
  balanceAfter
  category
  counterpartyBank
  description
}
fragment TenantFields on Tenant {
  id
  slug
  name
  timeZone
  createdAt
}`) as unknown as TypedDocumentString<AccountsWithTransactionsQuery, AccountsWithTransactionsQueryVariables>;
export const AuditLogDocument = new TypedDocumentString(`
    query AuditLog($first: Int, $after: String, $since: DateTime) {
  auditLog(first: $first, after: $after, since: $since) {
    nodes {
      id
      at
      subject
      role
      action
      key
      requestId
      outcome
      codes
      times
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<AuditLogQuery, AuditLogQueryVariables>;
export const DashboardDocument = new TypedDocumentString(`
    query Dashboard($date: Date, $days: Int! = 30) {
  dashboard(date: $date) {
    date
    generatedAt
    overview {
      totalAccounts
      activeAccounts
      balances {
        currency
        amount
      }
    }
    accountsByType {
      ...AccountGroupFields
    }
    accountsByStatus {
      ...AccountGroupFields
    }
    accountsByBank {
      ...AccountGroupFields
    }
    activity(days: $days) {
      totals {
        ...CashFlowFields
      }
      series {
        date
        flows {
          ...CashFlowFields
        }
      }
    }
  }
}
    fragment CashFlowFields on CashFlow {
  currency
  transactionCount
  inflow
  outflow
  net
}
fragment AccountGroupFields on AccountGroup {
  key
  count
  balances {
    currency
    amount
  }
}`) as unknown as TypedDocumentString<DashboardQuery, DashboardQueryVariables>;
export const DashboardListsDocument = new TypedDocumentString(`
    query DashboardLists($topAccounts: Int! = 5, $recentTransactions: Int! = 10) {
  dashboard {
    topAccounts(limit: $topAccounts) {
      ...AccountFields
    }
    recentTransactions(limit: $recentTransactions) {
      ...TransactionFields
      account {
        id
        accountNumber
      }
    }
  }
}
    fragment AccountFields on BankAccount {
  id
  bankName
  accountNumber
  accountType
  status
  isActive
  currency
  balance
  version
  createdAt
  updatedAt
}
fragment TransactionFields on Transaction {
  id
  bookedAt
  direction
  amount
  currency
  balanceAfter
  category
  counterpartyBank
  description
}`) as unknown as TypedDocumentString<DashboardListsQuery, DashboardListsQueryVariables>;
export const RefreshedDashboardDocument = new TypedDocumentString(`
    query RefreshedDashboard($date: Date) {
  dashboard(date: $date, refresh: true) {
    generatedAt
    overview {
      totalAccounts
    }
  }
}
    `) as unknown as TypedDocumentString<RefreshedDashboardQuery, RefreshedDashboardQueryVariables>;
export const CreateAccountDocument = new TypedDocumentString(`
    mutation CreateAccount($input: CreateAccountInput!) {
  createAccount(input: $input) {
    account {
      ...AccountFields
    }
    userErrors {
      ...UserErrorFields
    }
  }
}
    fragment AccountFields on BankAccount {
  id
  bankName
  accountNumber
  accountType
  status
  isActive
  currency
  balance
  version
  createdAt
  updatedAt
}
fragment UserErrorFields on UserError {
  field
  code
  message
}`) as unknown as TypedDocumentString<CreateAccountMutation, CreateAccountMutationVariables>;
export const UpdateAccountDocument = new TypedDocumentString(`
    mutation UpdateAccount($input: UpdateAccountInput!) {
  updateAccount(input: $input) {
    account {
      ...AccountFields
    }
    userErrors {
      ...UserErrorFields
    }
  }
}
    fragment AccountFields on BankAccount {
  id
  bankName
  accountNumber
  accountType
  status
  isActive
  currency
  balance
  version
  createdAt
  updatedAt
}
fragment UserErrorFields on UserError {
  field
  code
  message
}`) as unknown as TypedDocumentString<UpdateAccountMutation, UpdateAccountMutationVariables>;
export const ChangeAccountStatusDocument = new TypedDocumentString(`
    mutation ChangeAccountStatus($input: ChangeAccountStatusInput!) {
  changeAccountStatus(input: $input) {
    account {
      ...AccountFields
    }
    userErrors {
      ...UserErrorFields
    }
  }
}
    fragment AccountFields on BankAccount {
  id
  bankName
  accountNumber
  accountType
  status
  isActive
  currency
  balance
  version
  createdAt
  updatedAt
}
fragment UserErrorFields on UserError {
  field
  code
  message
}`) as unknown as TypedDocumentString<ChangeAccountStatusMutation, ChangeAccountStatusMutationVariables>;
export const RecordTransactionsDocument = new TypedDocumentString(`
    mutation RecordTransactions($input: RecordTransactionsInput!) {
  recordTransactions(input: $input) {
    transactions {
      ...TransactionFields
      account {
        id
        balance
        version
      }
    }
    userErrors {
      ...UserErrorFields
    }
  }
}
    fragment UserErrorFields on UserError {
  field
  code
  message
}
fragment TransactionFields on Transaction {
  id
  bookedAt
  direction
  amount
  currency
  balanceAfter
  category
  counterpartyBank
  description
}`) as unknown as TypedDocumentString<RecordTransactionsMutation, RecordTransactionsMutationVariables>;
export const TransferDocument = new TypedDocumentString(`
    mutation Transfer($input: TransferInput!) {
  transfer(input: $input) {
    debit {
      ...TransactionFields
      account {
        id
        balance
        version
      }
    }
    credit {
      ...TransactionFields
      account {
        id
        balance
        version
      }
    }
    userErrors {
      ...UserErrorFields
    }
  }
}
    fragment UserErrorFields on UserError {
  field
  code
  message
}
fragment TransactionFields on Transaction {
  id
  bookedAt
  direction
  amount
  currency
  balanceAfter
  category
  counterpartyBank
  description
}`) as unknown as TypedDocumentString<TransferMutation, TransferMutationVariables>;
export const InvalidateCacheDocument = new TypedDocumentString(`
    mutation InvalidateCache($input: InvalidateCacheInput!) {
  invalidateCache(input: $input) {
    namespaces
    userErrors {
      ...UserErrorFields
    }
  }
}
    fragment UserErrorFields on UserError {
  field
  code
  message
}`) as unknown as TypedDocumentString<InvalidateCacheMutation, InvalidateCacheMutationVariables>;
export const PerformanceDocument = new TypedDocumentString(`
    query Performance {
  performance {
    since
    operations {
      name
      errors
      cacheHits
      latency {
        ...LatencyFields
      }
    }
    resolvers {
      coordinate
      errors
      latency {
        ...LatencyFields
      }
    }
    queries {
      model
      action
      rows
      latency {
        ...LatencyFields
      }
    }
    cache {
      namespace
      hits
      misses
      hitRate
      invalidations
      errors
    }
    resources {
      rssBytes
      heapUsedBytes
      cpuPercent
      eventLoopDelayMs
      cacheMemoryBytes
      redisMemoryBytes
      databaseConnections
    }
  }
}
    fragment LatencyFields on Latency {
  count
  mean
  p50
  p95
  p99
  max
}`) as unknown as TypedDocumentString<PerformanceQuery, PerformanceQueryVariables>;
export const StatisticsDocument = new TypedDocumentString(`
    query Statistics($period: StatisticsPeriod! = DAILY, $from: Date, $to: Date) {
  statistics(period: $period, from: $from, to: $to) {
    period
    from
    to
    generatedAt
    totals {
      ...CashFlowFields
    }
    buckets {
      start
      end
      flows {
        ...CashFlowFields
      }
    }
    byCategory {
      category
      flows {
        ...CashFlowFields
      }
    }
  }
}
    fragment CashFlowFields on CashFlow {
  currency
  transactionCount
  inflow
  outflow
  net
}`) as unknown as TypedDocumentString<StatisticsQuery, StatisticsQueryVariables>;
export const RefreshedStatisticsDocument = new TypedDocumentString(`
    query RefreshedStatistics($period: StatisticsPeriod! = DAILY, $from: Date, $to: Date) {
  statistics(period: $period, from: $from, to: $to, refresh: true) {
    generatedAt
    totals {
      ...CashFlowFields
    }
  }
}
    fragment CashFlowFields on CashFlow {
  currency
  transactionCount
  inflow
  outflow
  net
}`) as unknown as TypedDocumentString<RefreshedStatisticsQuery, RefreshedStatisticsQueryVariables>;
export const TransactionsDocument = new TypedDocumentString(`
    query Transactions($first: Int, $after: String, $last: Int, $before: String, $filter: TransactionFilter) {
  transactions(
    first: $first
    after: $after
    last: $last
    before: $before
    filter: $filter
  ) {
    edges {
      cursor
      node {
        ...TransactionFields
        account {
          id
          accountNumber
        }
      }
    }
    pageInfo {
      ...PageInfoFields
    }
    totalCount
  }
}
    fragment TransactionFields on Transaction {
  id
  bookedAt
  direction
  amount
  currency
  balanceAfter
  category
  counterpartyBank
  description
}
fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}`) as unknown as TypedDocumentString<TransactionsQuery, TransactionsQueryVariables>;
export const TransactionsOfAccountsDocument = new TypedDocumentString(`
    query TransactionsOfAccounts($accounts: Int!, $first: Int, $after: String, $last: Int, $before: String, $filter: TransactionFilter) {
  accounts(first: $accounts) {
    nodes {
      id
      transactions(
        first: $first
        after: $after
        last: $last
        before: $before
        filter: $filter
      ) {
        edges {
          cursor
          node {
            ...TransactionFields
          }
        }
        pageInfo {
          ...PageInfoFields
        }
        totalCount
      }
    }
  }
}
    fragment TransactionFields on Transaction {
  id
  bookedAt
  direction
  amount
  currency
  balanceAfter
  category
  counterpartyBank
  description
}
fragment PageInfoFields on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}`) as unknown as TypedDocumentString<TransactionsOfAccountsQuery, TransactionsOfAccountsQueryVariables>;
export const ViewerDocument = new TypedDocumentString(`
    query Viewer {
  viewer {
    id
    name
    role
    tenant {
      ...TenantFields
    }
  }
}
    fragment TenantFields on Tenant {
  id
  slug
  name
  timeZone
  createdAt
}`) as unknown as TypedDocumentString<ViewerQuery, ViewerQueryVariables>;
export const TenantDocument = new TypedDocumentString(`
    query Tenant {
  tenant {
    ...TenantFields
  }
}
    fragment TenantFields on Tenant {
  id
  slug
  name
  timeZone
  createdAt
}`) as unknown as TypedDocumentString<TenantQuery, TenantQueryVariables>;
export const RateLimitDocument = new TypedDocumentString(`
    query RateLimit {
  rateLimit {
    limit
    cost
    remaining
    resetAt
    tenant {
      limit
      remaining
      resetAt
    }
  }
}
    `) as unknown as TypedDocumentString<RateLimitQuery, RateLimitQueryVariables>;