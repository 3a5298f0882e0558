import { ACCOUNT_RELATIONS } from '../accounts/account.relations.ts';
import { checkedSize } from '../graphql/input-checks.ts';
import { type Relation, type Relations, withRelations } from '../graphql/relation.ts';
import { fieldsBelow, namesOf } from '../graphql/selection.ts';
import { TRANSACTION_RELATIONS } from '../transactions/transaction.relations.ts';

/** A tenant has one dashboard: what hangs on it is the tenant's, and does not wait for it. */
type AnyDashboard = object;

const topAccounts: Relation<AnyDashboard> = {
  key: ({ limit }) => String(limit),
  async load(context, _dashboards, { arguments: { limit }, fields }) {
    const size = checkedSize('limit', limit as number);
    const accounts = await context.services.accounts.withHighestBalance(context.scope, size, namesOf(fields));
    return [await withRelations(context, ACCOUNT_RELATIONS, accounts, fields)];
  },
};

const recentTransactions: Relation<AnyDashboard> = {
  key: ({ limit }) => String(limit),
  async load(context, _dashboards, { arguments: { limit }, fields }) {
    const { scope, services } = context;
    const size = checkedSize('limit', limit as number);
    // With their accounts in the same statement: a dashboard with all its parts costs three.
    const ofAccount = namesOf(fieldsBelow(fields, 'account'));
    const transactions = await services.transactions.recent(scope, size, namesOf(fields), ofAccount);
    return [await withRelations(context, TRANSACTION_RELATIONS, transactions, fields)];
  },
};

/** What hangs on a dashboard. */
export const DASHBOARD_RELATIONS: Relations<AnyDashboard> = { topAccounts, recentTransactions };
