import { getIntrospectionQuery } from 'graphql';
import type { DataSet } from './data-set.ts';
import { KEY_PLACEHOLDER } from './load-job.ts';
import { DASHBOARD, NESTED_LIST, RECORD_TRANSACTION, WRITE_CATEGORY } from './operations.ts';
import type { KnownTenant } from './subjects.ts';

const DAY_MS = 86_400_000;
/** Of one mutation that records many. */
const MANY_TRANSACTIONS = 50;
/** Nobody has moved so much. */
const NO_AMOUNT = '99999999999';

const ACCOUNT = 'id bankName accountNumber balance currency createdAt';
const TRANSACTION = 'id bookedAt direction amount currency category';
const FLOWS = '{ currency transactionCount inflow outflow net }';

const STATISTICS = `query Statistics($period: StatisticsPeriod!, $from: Date!, $to: Date!) {
  statistics(period: $period, from: $from, to: $to) {
    totals ${FLOWS}
    buckets { start end flows ${FLOWS} }
    byCategory { category flows ${FLOWS} }
  }
}`;

/** What a tenant asks for, again and again. */
export interface PricedRequest {
  readonly title: string;
  readonly query: string;
  readonly variables?: object;
  /** Members of the body beside these. */
  readonly more?: object;
  /**
   * Priced by the most that it may take, of which this takes little: shown beside the others, and
   * not judged.
   */
  readonly isCheap?: boolean;
}

/** At least one of each way in which prices are reckoned. */
export function pricedRequests({ lastDay }: DataSet, { accountId }: KnownTenant): PricedRequest[] {
  const daysBefore = (days: number) => new Date(Date.parse(lastDay) - days * DAY_MS).toISOString().slice(0, 10);
  const statistics = (title: string, period: string, days: number) => ({
    title: `statistics, ${title}`,
    query: STATISTICS,
    variables: { period, from: daysBefore(days), to: lastDay },
  });
  const byAmount = (minAmount: string, selection: string) =>
    `{ transactions(first: 1, filter: { minAmount: "${minAmount}" }) { ${selection} } }`;
  return [
    { title: 'no statement', query: '{ viewer { id name role } }' },
    { title: 'tenant', query: '{ tenant { id slug name timeZone } }' },
    { title: 'a body of 1 MiB, of many names', query: '{ viewer { id name role } }', more: { padding: manyNames() } },
    { title: 'account by id', query: `{ account(id: "${accountId}") { ${ACCOUNT} } }` },
    { title: 'accounts, 50', query: `{ accounts(first: 50) { nodes { ${ACCOUNT} } pageInfo { endCursor } } }` },
    { title: 'accounts, 50, with 5 transactions each', query: NESTED_LIST },
    {
      title: 'accounts, 20, with a page of 10 each',
      query: `{ accounts(first: 20) { nodes { id transactions(first: 10) { nodes { ${TRANSACTION} } } } } }`,
    },
    {
      title: 'accounts, 20, each counted',
      query: '{ accounts(first: 20) { nodes { id transactions(first: 1) { totalCount nodes { id } } } } }',
    },
    { title: 'transactions, 20', query: `{ transactions(first: 20) { nodes { ${TRANSACTION} } } }` },
    { title: 'transactions, 100', query: `{ transactions(first: 100) { nodes { ${TRANSACTION} } } }` },
    {
      title: 'transactions, 100, with accounts',
      query: `{ transactions(first: 100) { nodes { ${TRANSACTION} account { bankName accountNumber } } } }`,
    },
    { title: 'dashboard, 30 days', query: DASHBOARD, variables: { date: lastDay } },
    {
      title: 'dashboard, lists',
      query: `{ dashboard { topAccounts(limit: 10) { ${ACCOUNT} } recentTransactions(limit: 10) { ${TRANSACTION} account { id bankName } } } }`,
    },
    {
      title: 'dashboard, groups',
      query:
        '{ dashboard { accountsByType { key count } accountsByStatus { key count } accountsByBank { key count balances { currency amount } } } }',
    },
    statistics('30 days', 'DAILY', 29),
    statistics('a year of days', 'DAILY', 364),
    statistics('a year of weeks', 'WEEKLY', 364),
    statistics('two years by quarter', 'QUARTERLY', 729),
    { title: 'count from kept totals', query: '{ transactions(first: 1) { totalCount nodes { id } } }' },
    {
      title: 'count of a range, its days cut',
      query: `{ transactions(first: 1, filter: { bookedFrom: "${daysBefore(90)}T06:00:00Z", bookedTo: "${lastDay}T06:00:00Z" }) { totalCount } }`,
      isCheap: true,
    },
    { title: 'accounts, page 3 of 50', query: `{ accountList(page: 3, pageSize: 50) { results { ${ACCOUNT} } } }` },
    { title: 'by amount, none found', query: byAmount(NO_AMOUNT, 'nodes { id }') },
    {
      title: 'by amount, none found, counted',
      query: byAmount(NO_AMOUNT, 'totalCount totalCountIsExact nodes { id }'),
    },
    {
      title: 'by amount, all counted',
      query: byAmount('0', 'totalCount totalCountIsExact nodes { id }'),
      isCheap: true,
    },
    {
      title: 'accounts by balance, none found, counted',
      query: `{ accounts(first: 1, filter: { minBalance: "${NO_AMOUNT}" }) { totalCount nodes { id } } }`,
    },
    { title: 'a document that is new, 60 fields', query: newDocument(6) },
    { title: 'a document that is new, 4 fields', query: newDocument(0) },
    { title: 'the whole schema', query: getIntrospectionQuery() },
    { title: 'one transaction recorded', ...recording(1, accountId, lastDay) },
    { title: `${MANY_TRANSACTIONS} transactions recorded`, ...recording(MANY_TRANSACTIONS, accountId, lastDay) },
  ];
}

/** Nearly as much as a body may have, of what JSON takes longest to read. */
function manyNames(): object {
  return Object.fromEntries(Array.from({ length: 85_000 }, (_, index) => [`n${100_000 + index}`, 0]));
}

/** Another text each time, by the name of the operation. */
function newDocument(pages: number): string {
  const page = (index: number) =>
    `p${index}: accounts(first: 1, filter: { accountNumber: "none" }) { nodes { ${ACCOUNT} accountType status } }`;
  return `query Q${KEY_PLACEHOLDER} { viewer { id name role } ${Array.from({ length: pages }, (_, index) => page(index)).join(' ')} }`;
}

function recording(count: number, accountId: string, day: string) {
  const transaction = {
    ...{ accountId, direction: 'CREDIT', amount: '1.0000' },
    ...{ bookedAt: `${day}T12:00:00.000Z`, category: WRITE_CATEGORY },
  };
  const transactions = Array.from({ length: count }, () => transaction);
  return { query: RECORD_TRANSACTION, variables: { input: { idempotencyKey: KEY_PLACEHOLDER, transactions } } };
}
