import { KEY_PLACEHOLDER } from './load-job.ts';

/**
 * What is asked in the bench, the same of every server. The generated time comes last: it differs
 * between misses.
 */
export const DASHBOARD = `query Dashboard($date: Date!) {
  dashboard(date: $date) {
    date
    activity(days: 30) {
      totals { currency transactionCount inflow outflow net }
      series { date flows { currency transactionCount inflow outflow net } }
    }
    overview { totalAccounts activeAccounts balances { currency amount } }
    accountsByType { key count balances { currency amount } }
  }
}`;

export const NESTED_LIST = `query NestedList {
  accounts(first: 50) {
    nodes {
      id
      bankName
      accountNumber
      balance
      currency
      tenant { id name }
      recentTransactions(limit: 5) { bookedAt direction amount category }
    }
  }
}`;

export const RECORD_TRANSACTION = `mutation Record($input: RecordTransactionsInput!) {
  recordTransactions(input: $input) { transactions { balanceAfter } userErrors { message } }
}`;

/** In the answer of a write that was done. */
export const ACCEPTED = '"userErrors":[]';

/** A GraphQL request as a client sends it over HTTP/1.1 with keep-alive. */
export function graphqlRequest(
  port: number,
  token: string,
  query: string,
  variables: object = {},
  more: object = {},
): Buffer {
  const body = Buffer.from(JSON.stringify({ query, variables, ...more }));
  const head = [
    'POST /graphql HTTP/1.1',
    `host: 127.0.0.1:${port}`,
    'content-type: application/json',
    'accept: application/json',
    `authorization: Bearer ${token}`,
    `content-length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}

/** Marks what the bench writes, so that it can be taken away again. */
export const WRITE_CATEGORY = 'bench-write';

/** The variables of a write. */
export interface RecordVariables {
  readonly input: {
    readonly idempotencyKey: string;
    readonly transactions: readonly [
      {
        readonly accountId: string;
        readonly direction: 'CREDIT';
        readonly amount: string;
        readonly bookedAt: string;
        readonly category: string;
      },
    ];
  };
}

/**
 * A write: one unit of money into an account, on a day that the dashboard shows. The key is a
 * placeholder.
 */
export function recordRequest(
  port: number,
  { token, accountId }: { readonly token: string; readonly accountId: string },
  day: string,
): Buffer {
  const bookedAt = `${day}T12:00:00.000Z`;
  const transaction = { accountId, direction: 'CREDIT', amount: '1.0000', bookedAt, category: WRITE_CATEGORY } as const;
  const variables: RecordVariables = { input: { idempotencyKey: KEY_PLACEHOLDER, transactions: [transaction] } };
  return graphqlRequest(port, token, RECORD_TRANSACTION, variables);
}
