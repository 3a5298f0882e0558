import type { ComplexityEstimatorArgs } from 'graphql-query-complexity';
import { MAX_PAGE_SIZE } from '../paging/keyset.ts';
import { DEFAULT_PAGE_SIZE } from './input-checks.ts';

/**
 * Cost is about the number of values in the answer: a field costs 1, and what lies below a list costs as often as the
 * list may have rows. A size out of range is refused by its resolver, which names it; here it counts as the largest.
 */
export function pageCost({ args, childComplexity }: ComplexityEstimatorArgs): number {
  return 1 + rows(args.first ?? args.last ?? args.pageSize ?? DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE) * childComplexity;
}

/** Cost of a list whose length an argument gives; it has at most `longest` rows. */
export function listCost(argument: string, longest = MAX_PAGE_SIZE): (estimator: ComplexityEstimatorArgs) => number {
  return ({ args, childComplexity }) => 1 + rows(args[argument], longest) * childComplexity;
}

/** Cost of a list whose length is not known from the query: `length` is what it usually has. */
export function fixedCost(length: number): (estimator: ComplexityEstimatorArgs) => number {
  return ({ childComplexity }) => 1 + length * childComplexity;
}

function rows(size: unknown, longest: number): number {
  return typeof size === 'number' && size > 0 ? Math.min(size, longest) : 1;
}
