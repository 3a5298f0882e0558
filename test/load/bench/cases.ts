import type { DataSetSize } from './data-set.ts';
import type { Section } from './options.ts';
import type { OperationName, SUBJECTS } from './subjects.ts';

export type SubjectKey = keyof typeof SUBJECTS;

/** One row of the table. */
export interface BenchCase {
  readonly section: Section;
  readonly subject: SubjectKey;
  readonly operation: OperationName;
  /** The row of the same section that its figures are divided by. */
  readonly baseline: SubjectKey;
  /** Asks for the largest tenant alone; absent: for all in turn. */
  readonly largestOnly?: boolean;
  /** Share of the requests that write. The baseline is then the same subject without writes. */
  readonly writeShare?: number;
  /**
   * Others that are asked the same in the same section, told beside this one in a table of its own.
   */
  readonly beside?: readonly SubjectKey[];
}

/** What runs side by side, in turn: between two of these all servers are stopped. */
export interface Phase {
  readonly sections: readonly Section[];
  /** The service as it answers in this phase; the others must answer the same. */
  readonly reference: SubjectKey;
  /** Of a data set of its own; absent: the one that all others share. */
  readonly dataSet?: { readonly database: string; readonly size: DataSetSize };
  readonly cases: readonly BenchCase[];
}

/** As DESIGN wants it held. */
const WRITE_SHARE = 0.05;

const hot = (section: Section, operation: OperationName): BenchCase[] => [
  { section, operation, subject: 'redis', baseline: 'limitRedis', beside: ['apollo', 'mercuriusCached'] },
  { section, operation, subject: 'limitRedis', baseline: 'limitRedis' },
  { section, operation, subject: 'memory', baseline: 'limitMap' },
  { section, operation, subject: 'limitMap', baseline: 'limitMap' },
  { section, operation, subject: 'apollo', baseline: 'limitRedis' },
  { section, operation, subject: 'mercuriusCached', baseline: 'limitRedis' },
];

/** The service first, beside each of the others. */
const cold = (section: Section, operation: OperationName, beside: readonly SubjectKey[]): BenchCase[] => {
  const common = { section, operation, baseline: 'limitAggregating' } as const;
  return [{ ...common, subject: 'cold', beside }, ...beside.map((subject) => ({ ...common, subject }))];
};

const withAndWithoutWrites = (subject: SubjectKey, ...beside: SubjectKey[]): BenchCase[] => {
  const reads = { section: 'mixed', operation: 'Dashboard', subject, baseline: subject } as const;
  return [reads, { ...reads, writeShare: WRITE_SHARE, beside }];
};

const ofLargest = (benchCase: BenchCase): BenchCase => ({ ...benchCase, largestOnly: true });

/** So many that each is asked for again long after the leases on its versions have ended. */
const RARE_TENANTS = {
  tenants: 8_000,
  accounts: 16_000,
  transactions: 200_000,
  accountsPerTenant: 2,
  data: 'life',
} as const;

/** The mixed phase comes last: it changes the data. */
export const PHASES: readonly Phase[] = [
  {
    sections: ['hot-dashboard', 'hot-list'],
    reference: 'redis',
    cases: [...hot('hot-dashboard', 'Dashboard'), ...hot('hot-list', 'NestedList')],
  },
  {
    sections: ['rare-tenants'],
    reference: 'redis',
    dataSet: { database: 'tenantry_bench_rare', size: RARE_TENANTS },
    cases: [
      { section: 'rare-tenants', operation: 'Dashboard', subject: 'redis', baseline: 'limitRedis' },
      { section: 'rare-tenants', operation: 'Dashboard', subject: 'limitRedis', baseline: 'limitRedis' },
    ],
  },
  {
    sections: ['cold-dashboard', 'cold-largest', 'cold-list', 'row-security'],
    reference: 'cold',
    cases: [
      ...cold('cold-dashboard', 'Dashboard', ['limitAggregating', 'limitTotals', 'mercurius']),
      ...cold('cold-largest', 'Dashboard', ['limitAggregating', 'limitTotals']).map(ofLargest),
      ...cold('cold-list', 'NestedList', ['limitAggregating', 'mercurius']),
      { section: 'row-security', operation: 'NestedList', subject: 'cold', baseline: 'open' },
      { section: 'row-security', operation: 'NestedList', subject: 'open', baseline: 'open' },
      { section: 'row-security', operation: 'NestedList', subject: 'limitScoped', baseline: 'limitAggregating' },
      { section: 'row-security', operation: 'NestedList', subject: 'limitAggregating', baseline: 'limitAggregating' },
    ],
  },
  {
    sections: ['mixed'],
    reference: 'redis',
    cases: [
      ...withAndWithoutWrites('redis', 'limitRedisWrites'),
      ...withAndWithoutWrites('limitRedisWrites'),
      ...withAndWithoutWrites('memory', 'limitMapWrites'),
      ...withAndWithoutWrites('limitMapWrites'),
    ],
  },
];

/** Whether two cases are the same row. */
export function isBaselineOf(candidate: BenchCase, { section, baseline }: BenchCase): boolean {
  return candidate.section === section && candidate.subject === baseline && candidate.writeShare === undefined;
}

/** The same row of another subject. */
export function isCaseOf(candidate: BenchCase, { section, writeShare }: BenchCase, subject: SubjectKey): boolean {
  return candidate.section === section && candidate.subject === subject && candidate.writeShare === writeShare;
}
