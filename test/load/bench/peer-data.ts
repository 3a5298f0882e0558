import type pg from 'pg';

import { DASHBOARD_FROM_TOTALS } from './hand-written.ts';

/**
 * The part of the service's schema that the bench asks for, cached as Apollo Server's documentation
 * tells.
 */
export const SDL = `
  scalar Date
  scalar DateTime
  scalar Decimal
  enum CacheControlScope { PUBLIC PRIVATE }
  directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
  type Query {
    dashboard(date: Date!): Dashboard! @cacheControl(maxAge: 1800, scope: PRIVATE)
    accounts(first: Int!): BankAccountConnection! @cacheControl(maxAge: 1800, scope: PRIVATE)
  }
  type Dashboard @cacheControl(inheritMaxAge: true) {
    date: Date!
    activity(days: Int!): Activity!
    overview: Overview!
    accountsByType: [AccountGroup!]!
  }
  type Activity @cacheControl(inheritMaxAge: true) { totals: [CashFlow!]! series: [DailyCashFlow!]! }
  type CashFlow @cacheControl(inheritMaxAge: true) { currency: String! transactionCount: Int! inflow: Decimal! outflow: Decimal! net: Decimal! }
  type DailyCashFlow @cacheControl(inheritMaxAge: true) { date: Date! flows: [CashFlow!]! }
  type Overview @cacheControl(inheritMaxAge: true) { totalAccounts: Int! activeAccounts: Int! balances: [CurrencyAmount!]! }
  type AccountGroup @cacheControl(inheritMaxAge: true) { key: String! count: Int! balances: [CurrencyAmount!]! }
  type CurrencyAmount @cacheControl(inheritMaxAge: true) { currency: String! amount: Decimal! }
  type BankAccountConnection @cacheControl(inheritMaxAge: true) { nodes: [BankAccount!]! }
  type BankAccount @cacheControl(inheritMaxAge: true) {
    id: ID!
    bankName: String!
    accountNumber: String!
    balance: Decimal!
    currency: String!
    tenant: Tenant!
    recentTransactions(limit: Int!): [Transaction!]!
  }
  type Tenant @cacheControl(inheritMaxAge: true) { id: ID! name: String! }
  type Transaction @cacheControl(inheritMaxAge: true) { bookedAt: DateTime! direction: String! amount: Decimal! category: String }
`;

const ACCOUNTS = `SELECT id, bank_name AS "bankName", account_number AS "accountNumber", balance::text, currency
  FROM bank_accounts WHERE tenant_id = $1 ORDER BY created_at, id LIMIT $2`;

const TENANTS = 'SELECT id, name FROM tenants WHERE id = ANY($1)';

const RECENT = `SELECT account_id, to_char(booked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "bookedAt", direction, amount::text, category
  FROM unnest($2::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
    SELECT * FROM transactions WHERE tenant_id = $1 AND account_id = wanted.id ORDER BY booked_at DESC, id DESC LIMIT $3) recent`;

/** What the peers' resolvers and loaders read, by hand-written prepared statements. */
export class PeerData {
  constructor(private readonly pool: pg.Pool) {}

  /** PostgreSQL makes the whole dashboard as JSON. */
  async dashboard(tenantId: string, date: string): Promise<object> {
    const [row] = await this.#rows<{ body: string }>('dashboard', DASHBOARD_FROM_TOTALS, [tenantId, date]);
    return JSON.parse(row?.body ?? '').data.dashboard;
  }

  async accounts(tenantId: string, first: number): Promise<{ nodes: object[] }> {
    return { nodes: await this.#rows('accounts', ACCOUNTS, [tenantId, first]) };
  }

  async tenants(ids: readonly string[]): Promise<object[]> {
    const rows = await this.#rows<{ id: string }>('tenants', TENANTS, [ids]);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id) as object);
  }

  /** The latest transactions of each account. */
  async recent(tenantId: string, accountIds: readonly string[], limit: number): Promise<object[][]> {
    const rows = await this.#rows<{ account_id: string }>('recent', RECENT, [tenantId, accountIds, limit]);
    const byAccount = new Map<string, object[]>(accountIds.map((id) => [id, []]));
    for (const row of rows) byAccount.get(row.account_id)?.push(row);
    return accountIds.map((id) => byAccount.get(id) ?? []);
  }

  async #rows<Row extends object>(name: string, text: string, values: unknown[]): Promise<Row[]> {
    return (await this.pool.query<Row>({ name, text, values })).rows;
  }
}
