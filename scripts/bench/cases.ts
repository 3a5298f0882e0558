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
   * The bare server that is asked the same: told beside the ratio where the baseline is another.
   */
  readonly bare?: SubjectKey;
}

/** What runs side by side, in turn: between two of these all servers are stopped. */
export interface Phase {
  readonly sections: readonly Section[];
  /** The service as it answers in this phase; the others must answer the same. */
  readonly reference: SubjectKey;
  readonly cases: readonly BenchCase[];
}

/** As DESIGN wants it held. */
const WRITE_SHARE = 0.05;

const hot = (section: Section, operation: OperationName): BenchCase[] => [
  { section, operation, subject: 'redis', baseline: 'limitRedis' },
  { section, operation, subject: 'limitRedis', baseline: 'limitRedis' },
  { section, operation, subject: 'memory', baseline: 'limitMap' },
  { section, operation, subject: 'limitMap', baseline: 'limitMap' },
  { section, operation, subject: 'apollo', baseline: 'limitRedis' },
];

const coldDashboard = (section: Section): BenchCase[] =>
  (['cold', 'limitAggregating', 'limitTotals'] as const).map((subject) => ({
    section,
    operation: 'Dashboard',
    subject,
    baseline: 'limitAggregating',
  }));

const withAndWithoutWrites = (subject: SubjectKey, bare?: SubjectKey): BenchCase[] => {
  const reads = { section: 'mixed', operation: 'Dashboard', subject, baseline: subject } as const;
  return [reads, { ...reads, writeShare: WRITE_SHARE, ...(bare && { bare }) }];
};

/** The mixed phase comes last: it changes the data. */
export const PHASES: readonly Phase[] = [
  {
    sections: ['hot-dashboard', 'hot-list'],
    reference: 'redis',
    cases: [...hot('hot-dashboard', 'Dashboard'), ...hot('hot-list', 'NestedList')],
  },
  {
    sections: ['cold-dashboard', 'cold-largest', 'cold-list', 'row-security'],
    reference: 'cold',
    cases: [
      ...coldDashboard('cold-dashboard'),
      ...coldDashboard('cold-largest').map((benchCase) => ({ ...benchCase, largestOnly: true })),
      { section: 'cold-list', operation: 'NestedList', subject: 'cold', baseline: 'limitAggregating' },
      { section: 'cold-list', operation: 'NestedList', subject: 'limitAggregating', baseline: 'limitAggregating' },
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

/** Whether a case is what its bare server is asked in another. */
export function isBareOf(candidate: BenchCase, { section, bare, writeShare }: BenchCase): boolean {
  return candidate.section === section && candidate.subject === bare && candidate.writeShare === writeShare;
}
