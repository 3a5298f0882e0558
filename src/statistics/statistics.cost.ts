import type { ComplexityEstimatorArgs } from 'graphql-query-complexity';
import { DEFAULT_PERIODS, type StatisticsPeriod } from '../calendar.ts';
import { daysCost, decidedByText } from '../graphql/complexity.ts';
import { MAX_BUCKETS } from './statistics.service.ts';

const DAY_MS = 86_400_000;

/** On average. */
const DAYS: Readonly<Record<StatisticsPeriod, number>> = {
  DAILY: 1,
  WEEKLY: 7,
  MONTHLY: 30.4,
  QUARTERLY: 91.3,
  YEARLY: 365.25,
};

/**
 * The period and the days between the bounds decide, which its resolver checks: what is no range
 * here is refused there.
 */
export function statisticsCost(estimator: ComplexityEstimatorArgs): number {
  const { args, context } = estimator;
  decidedByText(context);
  const period = args.period as StatisticsPeriod;
  const to = args.to == null ? Date.now() : Date.parse(args.to);
  const days = args.from == null ? DEFAULT_PERIODS[period] * DAYS[period] : (to - Date.parse(args.from)) / DAY_MS + 1;
  if (!(days >= 1)) return daysCost(1, 1, estimator);
  const buckets = Math.min(Math.ceil(days / DAYS[period]), MAX_BUCKETS);
  return Math.ceil(daysCost(Math.ceil(days), buckets, estimator));
}
