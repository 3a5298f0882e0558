import { ALL_ACCOUNT_COLUMNS } from '../accounts/account.repository.ts';
import { checkedInteger } from '../graphql/input-checks.ts';
import { MAX_BUCKETS } from '../statistics/statistics.service.ts';
import { ALL_TRANSACTION_COLUMNS } from '../transactions/transaction.repository.ts';
import { type AskedField, listParts } from './dashboard.lists.ts';
import { type DashboardParts, OF_ACCOUNT } from './dashboard.parts.ts';

/** Days of an activity where no number is given. */
export const DEFAULT_ACTIVITY_DAYS = 30;
/** Rows of the two lists, likewise. */
export const DEFAULT_TOP_ACCOUNTS = 5;
export const DEFAULT_RECENT_TRANSACTIONS = 10;

/** All that is shown of a dashboard by whoever gives no number. */
export const USUAL_PARTS: DashboardParts = {
  accounts: true,
  banks: true,
  days: DEFAULT_ACTIVITY_DAYS,
  topAccounts: { limit: DEFAULT_TOP_ACCOUNTS, columns: [...ALL_ACCOUNT_COLUMNS].sort() },
  recentTransactions: {
    limit: DEFAULT_RECENT_TRANSACTIONS,
    columns: [...ALL_TRANSACTION_COLUMNS, ...[...ALL_ACCOUNT_COLUMNS].map((name) => OF_ACCOUNT + name)].sort(),
  },
};

const ACCOUNT_PARTS = ['overview', 'accountsByType', 'accountsByStatus', 'accountsByBank'];

/**
 * The parts of a dashboard that its fields take. Several activities may be selected under aliases:
 * the longest one's days hold the others'.
 */
export function partsOf(fields: readonly AskedField[]): DashboardParts {
  const activities = fields.filter(({ name }) => name === 'activity');
  return {
    accounts: fields.some(({ name }) => ACCOUNT_PARTS.includes(name)),
    banks: fields.some(({ name }) => name === 'accountsByBank'),
    days: Math.max(
      0,
      ...activities.map((activity) => checkedInteger('days', activity.arguments.days as number, 1, MAX_BUCKETS)),
    ),
    ...listParts(fields),
  };
}
