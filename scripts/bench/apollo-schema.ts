import DataLoader from 'dataloader';
import { buildSchema, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import type pg from 'pg';

/**
 * The part of the service's schema that the bench asks for, cached as Apollo Server's documentation
 * tells.
 */
const SDL = `
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

export interface ApolloContext {
  readonly tenantId: string;
  readonly pool: pg.Pool;
  readonly tenants: DataLoader<string, object>;
  readonly recent: DataLoader<string, object[]>;
}

type Resolver = GraphQLFieldResolver<{ readonly id: string }, ApolloContext, { date: string; first: number }>;

const ACCOUNTS = `SELECT id, bank_name AS "bankName", account_number AS "accountNumber", balance::text, currency
  FROM bank_accounts WHERE tenant_id = $1 ORDER BY created_at, id LIMIT $2`;

const RECENT = `SELECT account_id, to_char(booked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "bookedAt", direction, amount::text, category
  FROM unnest($2::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
    SELECT * FROM transactions WHERE tenant_id = $1 AND account_id = wanted.id ORDER BY booked_at DESC, id DESC LIMIT 5) recent`;

/**
 * @param dashboardSql a statement that makes the dashboard as JSON: its own loading is not what is
 *   compared
 */
export function createApolloSchema(dashboardSql: string): GraphQLSchema {
  const resolvers: Record<string, Record<string, Resolver>> = {
    Query: {
      async dashboard(_root, { date }, { pool, tenantId }) {
        const statement = { name: 'dashboard', text: dashboardSql, values: [tenantId, date] };
        const { rows } = await pool.query<{ body: string }>(statement);
        return JSON.parse(rows[0]?.body ?? '').data.dashboard;
      },
      async accounts(_root, { first }, { pool, tenantId }) {
        const { rows } = await pool.query({ name: 'accounts', text: ACCOUNTS, values: [tenantId, first] });
        return { nodes: rows };
      },
    },
    BankAccount: {
      tenant: (_account, _args, { tenants, tenantId }) => tenants.load(tenantId),
      recentTransactions: ({ id }, _args, { recent }) => recent.load(id),
    },
  };
  const schema = buildSchema(SDL);
  for (const [type, fields] of Object.entries(resolvers)) addResolvers(schema, type, fields);
  return schema;
}

/** Loaders for one request. */
export function createApolloContext(pool: pg.Pool, tenantId: string): ApolloContext {
  const tenants = new DataLoader<string, object>(async (ids) => {
    const statement = { name: 'tenants', text: 'SELECT id, name FROM tenants WHERE id = ANY($1)', values: [ids] };
    const { rows } = await pool.query<{ id: string }>(statement);
    return ids.map((id) => rows.find((row) => row.id === id) ?? new Error(`no tenant ${id}`));
  });
  const recent = new DataLoader<string, object[]>(async (ids) => {
    const { rows } = await pool.query({ name: 'recent', text: RECENT, values: [tenantId, ids] });
    const byAccount = new Map<string, object[]>(ids.map((id) => [id, []]));
    for (const row of rows) byAccount.get(row.account_id)?.push(row);
    return ids.map((id) => byAccount.get(id) ?? []);
  });
  return { tenantId, pool, tenants, recent };
}

function addResolvers(schema: GraphQLSchema, type: string, resolvers: Record<string, Resolver>): void {
  const object = schema.getType(type);
  if (!object || !('getFields' in object)) throw new Error(`no type ${type}`);
  for (const [name, resolve] of Object.entries(resolvers)) Object.assign(object.getFields()[name] ?? {}, { resolve });
}
