import { ACCOUNT_RELATIONS } from '../accounts/account.relations.ts';
import { withColumns } from '../cache/data/columns.ts';
import type { Data } from '../cache/data/data.ts';
import type { RequestContext } from '../context/request-context.ts';
import { checkedSize } from '../graphql/input-checks.ts';
import { type Relation, type Relations, withRelations } from '../graphql/relation.ts';
import { fieldsBelow, namesOf } from '../graphql/selection.ts';
import { TRANSACTION_RELATIONS } from '../transactions/transaction.relations.ts';

/** Before the names of an account's columns among those of a movement. */
const OF_ACCOUNT = 'account.';

/** A tenant has one dashboard: what hangs on it is the tenant's, and does not wait for it. */
interface AnyDashboard {
  /** How old its lists may be that a write has made old. */
  readonly maxStalenessMs?: number;
}

const topAccounts: Relation<AnyDashboard> = {
  key: ({ limit }) => String(limit),
  async load(context, dashboards, { arguments: { limit }, fields }) {
    const { scope, services } = context;
    const size = checkedSize('limit', limit as number);
    const list = { key: ['dashboard', 'top-accounts', String(size)], dependencies: ['dashboard'] } as const;
    const accounts = await kept(context, dashboards, list, namesOf(fields), (columns) =>
      services.accounts.withHighestBalance(scope, size, columns),
    );
    return [await withRelations(context, ACCOUNT_RELATIONS, accounts, fields)];
  },
};

const recentTransactions: Relation<AnyDashboard> = {
  key: ({ limit }) => String(limit),
  async load(context, dashboards, { arguments: { limit }, fields }) {
    const { scope, services } = context;
    const size = checkedSize('limit', limit as number);
    // With their accounts in the same statement: a dashboard with all its parts costs three.
    const ofAccount = [...namesOf(fieldsBelow(fields, 'account'))].map((name) => OF_ACCOUNT + name);
    const asked = new Set([...namesOf(fields), ...ofAccount]);
    const list = {
      key: ['dashboard', 'recent-transactions', String(size)],
      dependencies: ['dashboard', 'accounts'],
    } as const;
    const transactions = await kept(context, dashboards, list, asked, (columns) =>
      services.transactions.recent(scope, size, columns, columnsOfAccount(columns)),
    );
    return [await withRelations(context, TRANSACTION_RELATIONS, transactions, fields)];
  },
};

/** What hangs on a dashboard. */
export const DASHBOARD_RELATIONS: Relations<AnyDashboard> = { topAccounts, recentTransactions };

/** A list of the dashboard, kept for whoever selects it: with all columns that anybody selected. */
async function kept<Row>(
  { scope, services, policy }: RequestContext,
  [dashboard]: readonly AnyDashboard[],
  list: Pick<Data<never>, 'key' | 'dependencies'>,
  asked: ReadonlySet<string>,
  load: (columns: ReadonlySet<string>) => Promise<Row>,
): Promise<Row> {
  const { ttlSeconds } = services.config.cache;
  const kept = { ...list, ttlSeconds: ttlSeconds.dashboard, maxStalenessMs: dashboard?.maxStalenessMs };
  const { value, holdsUntilMs } = await services.data.read(scope, withColumns(kept, asked, load));
  policy.holdsUntil(holdsUntilMs);
  return value.value;
}

function columnsOfAccount(columns: ReadonlySet<string>): Set<string> {
  const names = [...columns].filter((name) => name.startsWith(OF_ACCOUNT));
  return new Set(names.map((name) => name.slice(OF_ACCOUNT.length)));
}
