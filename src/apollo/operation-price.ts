import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { fieldExtensionsEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity';
import { maxScanPoints, type SearchLimits } from '../config/search-limits.ts';
import { type Reckoning, type ScanKind, type Scanned } from '../graphql/complexity.ts';
import { fragmentsOf } from '../graphql/fragments.ts';
import { KEPT_TOTAL_POINTS, OPERATION_POINTS, SCANNED_ROW_POINTS } from '../graphql/prices.ts';
import type { TenantSize } from '../tenancy/tenant-sizes.ts';
import { introspectionEstimator } from './introspection-cost.ts';

/** Spans of five minutes of a day, in which a tenant may have done something. */
const USAGE_ROWS = 288;

const ESTIMATORS = [introspectionEstimator, fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })];

/** A document has no more: `Documents` refused it. */
const MAX_NODES = 10_001;

/** What there is for a caller to read. */
export interface KnownSize extends TenantSize {
  /** Those whose usage the caller sees. */
  readonly tenants: number;
}

/** What an operation costs, whichever tenant asks. */
export interface OperationPrice {
  readonly points: number;
  /** How often rows are read one by one, which costs what the tenant's size makes it. */
  readonly scans: readonly Scans[];
  /** Whether a text among the variables decided. */
  readonly dependsOnTexts: boolean;
}

interface Scans extends ScanKind {
  /** How many statements. */
  readonly times: number;
  /** How many rows each of them reads at most; absent: all. */
  readonly upTo?: number;
}

export interface PricedOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** As the client sent them. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** With the defaults of the operation. */
  readonly coerced: Readonly<Record<string, unknown>>;
}

/**
 * @throws GraphQLError (of graphql-js) for arguments that only their variables make wrong, such as
 *   null where none may be
 */
export function operationPrice(asked: PricedOperation): OperationPrice {
  const { schema, document, coerced } = asked;
  const reckoning: Reckoning = {
    schema,
    fragments: fragmentsOf(document),
    variables: coerced,
    countedKind: null,
    scanned: new Map(),
    skipped: [],
    dependsOnTexts: false,
  };
  const points = complexity(asked, reckoning);
  // The cost grows linearly with what each kind costs: one more run tells how many there are.
  const scans = [...reckoning.scanned].map(([name, kind]) => ({
    ...kind,
    times: complexity(asked, { ...reckoning, countedKind: name }) - points,
  }));
  const skips = reckoning.skipped.map((skipped) => ({ ...skipped, reads: 1, times: 1 }));
  return {
    points: OPERATION_POINTS + points,
    scans: [...scans, ...skips],
    dependsOnTexts: reckoning.dependsOnTexts,
  };
}

/** Whether rows may be read one by one to find or to count some, beside kept totals and usage. */
export function searches({ scans }: OperationPrice): boolean {
  return scans.some(({ of, times }) => times > 0 && of !== 'dayTotals' && of !== 'usage');
}

/** The lists of which rows may be read one by one, as clients call them. */
export function searchedLists({ scans }: OperationPrice): string[] {
  const names = { accounts: 'accounts', transactions: 'transactions', ofAccount: 'transactions' } as const;
  const searched = scans.filter(({ of, times, upTo }) => times > 0 && upTo === undefined && of in names);
  return [...new Set(searched.map(({ of }) => names[of as keyof typeof names]))];
}

/** What an operation costs a tenant, where searches end as the limits say. */
export function pointsOf(
  { points, scans }: OperationPrice,
  size: Partial<KnownSize> | undefined,
  limits: SearchLimits,
): number {
  const known: KnownSize = { accounts: 0, transactions: 0, dayTotals: 0, days: 0, tenants: 0, ...size };
  return scans.reduce((sum, scan) => sum + scan.times * scanPoints(scan, known, limits), points);
}

/** One time limit ends all that a statement reads. */
function scanPoints(scan: Scans, size: KnownSize, limits: SearchLimits): number {
  const { of, reads, upTo = Number.POSITIVE_INFINITY } = scan;
  const rows = reads * Math.min(scannedRows(of, size, limits), upTo);
  const points = rows * SCANNED_ROW_POINTS + keptTotals(scan, size) * KEPT_TOTAL_POINTS;
  return Math.min(Math.ceil(points), maxScanPoints(limits));
}

/** Each day is taken to have as many as any other. */
function keptTotals({ of, days = Number.POSITIVE_INFINITY }: Scans, size: KnownSize): number {
  if (of !== 'dayTotals' && of !== 'countedTransactions') return 0;
  return size.days === 0 ? 0 : size.dayTotals * Math.min(1, days / size.days);
}

function scannedRows(of: Scanned, { accounts, transactions, tenants }: KnownSize, limits: SearchLimits): number {
  if (of === 'auditLines' || of === 'rows') return Number.POSITIVE_INFINITY; // nobody keeps a total of them
  if (of === 'dayTotals') return 0;
  if (of === 'usage') return tenants * USAGE_ROWS;
  if (of === 'countedAuditLines' || of === 'countedRows') return limits.rows;
  if (of === 'countedTransactions') return Math.min(transactions, limits.rows);
  if (of === 'ofAccount') return transactions / Math.max(accounts, 1);
  return of === 'accounts' ? accounts : transactions;
}

function complexity({ schema, document: query, operation, variables }: PricedOperation, context: Reckoning): number {
  const options = { schema, query, variables, estimators: ESTIMATORS, maxQueryNodes: MAX_NODES, context };
  const operationName = operation.name?.value;
  return getComplexity({ ...options, ...(operationName && { operationName }) });
}
