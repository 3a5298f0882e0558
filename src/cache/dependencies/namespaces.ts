import { StatisticsPeriod } from '../../calendar.ts';

/**
 * What answers depend on and what is invalidated. Each tenant has a version of its own for every
 * one of them.
 */
export const NAMESPACES = ['accounts', 'transactions', 'dashboard', 'statistics', 'tenant'] as const;
export type Namespace = (typeof NAMESPACES)[number];

/**
 * Parts of a namespace that can be invalidated alone: an answer of the part depends on the whole as
 * well.
 */
export type NamespacePart = 'accounts:list' | `statistics:${Lowercase<StatisticsPeriod>}`;

export type CacheDependency = Namespace | NamespacePart;

export const PARTS: readonly NamespacePart[] = [
  'accounts:list',
  ...Object.values(StatisticsPeriod).map((period) => statisticsPart(period)),
];

/** The part of the statistics that a period's answers belong to. */
export function statisticsPart(period: StatisticsPeriod): NamespacePart {
  return `statistics:${period.toLowerCase() as Lowercase<StatisticsPeriod>}`;
}

/** What a change of rows invalidates, by the table changed. */
export const DEPENDENTS = {
  accounts: ['accounts', 'dashboard'],
  transactions: ['accounts', 'transactions', 'dashboard', 'statistics'],
} as const satisfies Record<string, readonly Namespace[]>;
