import { checkedInteger } from '../graphql/input-checks.ts';
import { MAX_BUCKETS } from '../statistics/statistics.service.ts';
import { type AskedField, listParts } from './dashboard.lists.ts';
import type { DashboardParts } from './dashboard.parts.ts';

/** Days of an activity where no number is given. */
export const DEFAULT_ACTIVITY_DAYS = 30;

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
