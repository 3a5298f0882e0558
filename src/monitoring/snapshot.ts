import { areHistogramParts, type HistogramParts } from '../latency-histogram.ts';
import type { SlowPlan } from './slow-plans.ts';
import type { SlowQuery } from './slow-queries.ts';
import type { OperationResult } from './statistics.ts';
import { amountsBy, formOf, isAmount, isInstant, isText, listOf, orNull, pairOf } from './value-checks.ts';

/** Figures as plain values. Texts of SQL are listed once, and named by their place. */
export interface Snapshot {
  readonly format: string;
  readonly since: string;
  readonly texts: readonly string[];
  readonly plans: readonly (readonly [sql: number, plan: SlowPlan])[];
  readonly operations: readonly OperationParts[];
  readonly resolvers: readonly { readonly name: string; readonly durations: HistogramParts; readonly errors: number }[];
  readonly queries: readonly QueryParts[];
  readonly caches: readonly CacheParts[];
  readonly bypasses: Readonly<Record<string, number>>;
  readonly errors: readonly (readonly [key: string, count: number])[];
  readonly slowQueries: readonly (Omit<SlowQuery, 'sql' | 'at'> & { readonly sql: number; readonly at: string })[];
}

export interface OperationParts {
  readonly name: string;
  readonly durations: Readonly<Record<OperationResult, HistogramParts>>;
  readonly statements: number;
  readonly databaseMs: number;
  readonly queries: readonly StatementParts[];
}

interface StatementParts {
  readonly key: string;
  readonly count: number;
  readonly totalMs: number;
  readonly maxMs: number;
  readonly sql: number | null;
}

interface QueryParts {
  readonly key: string;
  readonly durations: HistogramParts;
  readonly rows: number;
  readonly failures: number;
}

const CACHE_RECORDS = ['hits', 'missesBy', 'fills', 'filledBytes'] as const;
export const CACHE_COUNTS = ['joined', 'invalidations', 'errors'] as const;
export type CacheParts = {
  readonly name: string;
  readonly get: HistogramParts;
  readonly set: HistogramParts;
} & Readonly<Record<(typeof CACHE_RECORDS)[number], Readonly<Record<string, number>>>> &
  Readonly<Record<(typeof CACHE_COUNTS)[number], number>>;

type Item<List extends keyof Snapshot> = Extract<Snapshot[List], readonly object[]>[number];

/** Whether every field is what it has to be. */
export const isSnapshot = formOf<Snapshot>({
  format: isText,
  since: isInstant,
  texts: listOf(isText),
  plans: listOf(pairOf(isAmount, formOf<SlowPlan>({ text: isText, advice: orNull(isText) }))),
  operations: listOf(
    formOf<Item<'operations'>>({
      name: isText,
      durations: formOf<Item<'operations'>['durations']>({
        ok: areHistogramParts,
        error: areHistogramParts,
        cache_hit: areHistogramParts,
      }),
      statements: isAmount,
      databaseMs: isAmount,
      queries: listOf(
        formOf<Item<'operations'>['queries'][number]>({
          ...{ key: isText, count: isAmount, totalMs: isAmount, maxMs: isAmount, sql: orNull(isAmount) },
        }),
      ),
    }),
  ),
  resolvers: listOf(formOf<Item<'resolvers'>>({ name: isText, durations: areHistogramParts, errors: isAmount })),
  queries: listOf(
    formOf<Item<'queries'>>({ key: isText, durations: areHistogramParts, rows: isAmount, failures: isAmount }),
  ),
  caches: listOf(
    formOf<Item<'caches'>>({
      ...{ name: isText, get: areHistogramParts, set: areHistogramParts },
      ...{ hits: amountsBy, missesBy: amountsBy, fills: amountsBy, filledBytes: amountsBy },
      ...{ joined: isAmount, invalidations: isAmount, errors: isAmount },
    }),
  ),
  bypasses: amountsBy,
  errors: listOf(pairOf(isText, isAmount)),
  slowQueries: listOf(
    formOf<Item<'slowQueries'>>({
      ...{ sql: isAmount, at: isInstant, durationMs: isAmount, rows: orNull(isAmount), action: isText },
      ...{ model: orNull(isText), operation: orNull(isText), requestId: orNull(isText), plan: orNull(isText) },
      advice: orNull(isText),
    }),
  ),
});
