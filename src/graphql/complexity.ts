import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  type ValueNode,
} from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import type { ComplexityEstimatorArgs } from 'graphql-query-complexity';
import { MAX_PAGE_SIZE } from '../paging/keyset.ts';
import { DEFAULT_PAGE_SIZE } from './input-checks.ts';
import { PROBE_POINTS, ROW_POINTS, STATEMENT_POINTS } from './prices.ts';

/**
 * Rows that may have to be read one by one, to count or to find some: those of the tenant, or the
 * average account's; at most `LIMIT_COUNT_ROWS`, where every row that is read is counted.
 */
export type Scanned =
  | 'accounts'
  | 'transactions'
  | 'ofAccount'
  | 'auditLines'
  | 'rows'
  | 'countedTransactions'
  | 'countedAuditLines'
  | 'countedRows'
  | 'dayTotals'
  | 'usage';

/** What estimators know of the operation beside their field. */
export interface Reckoning {
  readonly schema: GraphQLSchema;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly variables: Readonly<Record<string, unknown>>;
  /**
   * Second pass: each scan of this kind counts 1 and every other kind 0; the difference of the two
   * passes is the number of scans.
   */
  readonly countedKind: string | null;
  /** Which of them were met, by their names. */
  readonly scanned: Map<string, ScanKind>;
  /** Rows that root fields pass over, met in the first pass. */
  readonly skipped: SkippedRows[];
  /** Whether a text, such as a day, decided on the cost. */
  dependsOnTexts: boolean;
}

/** Told by an estimator that an argument decides which is a text, such as a day or a name in an enum. */
export function decidedByText(context: unknown): void {
  (context as Reckoning).dependsOnTexts = true;
}

/** What one statement reads row by row. */
export interface ScanKind {
  readonly of: Scanned;
  /** How often it may read each row. */
  readonly reads: number;
  /** Of `dayTotals`: of how many days; absent: of all. */
  readonly days?: number;
}

/** Rows ahead of a page that is asked for by its number: those that there are, `upTo` at most. */
export interface SkippedRows {
  readonly of: Scanned;
  readonly upTo: number;
}

type Estimator = (estimator: ComplexityEstimatorArgs) => number;

/**
 * A page by a statement of its own. What lies below comes as often as the page may have rows: a
 * size out of range is refused by its resolver, which names it; here it counts as the largest.
 */
export function pageCost(scans: PageScans): Estimator {
  return (args) => STATEMENT_POINTS + pageRows(args) + scanCost(args, scans);
}

/**
 * A page by its number, of a root field, which nothing multiplies: the rows ahead of it are read
 * too. A search reads all rows in any case.
 */
export function numberedPageCost(of: Scanned, scans: PageScans): Estimator {
  const cost = pageCost(scans);
  return (args) => {
    const { page, pageSize } = args.args;
    const reckoning = args.context as Reckoning;
    const upTo = (rows(page, Number.MAX_SAFE_INTEGER) - 1) * rows(pageSize ?? DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
    const isSearched = scans.scannedToFind(args.args, () => {}) !== undefined;
    if (upTo > 0 && !isSearched && reckoning.countedKind === null) reckoning.skipped.push({ of, upTo });
    return cost(args);
  };
}

/** A page of each row of a level. */
export function nestedPageCost(scans: PageScans): Estimator {
  return (args) => PROBE_POINTS + pageRows(args) + scanCost(args, scans);
}

/** A list whose length an argument gives; it has at most `longest` rows. */
export function listCost(argument: string, longest = MAX_PAGE_SIZE): Estimator {
  return ({ args, childComplexity }) => PROBE_POINTS + rows(args[argument], longest) * (ROW_POINTS + childComplexity);
}

/** A list whose length is not known from the query: `length` is what it usually has. */
export function fixedCost(length: number): Estimator {
  return ({ childComplexity }) => 1 + length * (ROW_POINTS + childComplexity);
}

/** Rows that are read one by one whatever is asked for. */
export function readByRowCost(of: Scanned, reads: number, { context }: ComplexityEstimatorArgs): number {
  return scanUnits({ of, reads }, context as Reckoning);
}

/** Kept totals of days, added up to buckets that all that is selected comes as often as. */
export function daysCost(days: number, buckets: number, { childComplexity, context }: ComplexityEstimatorArgs): number {
  const rows = scanUnits({ of: 'dayTotals', reads: 1, days }, context as Reckoning);
  return STATEMENT_POINTS + rows + buckets * childComplexity;
}

/**
 * @param decides called when a text of this argument decides, as a name in an enum; no other text
 *   may
 */
type ScanOf = (args: ComplexityEstimatorArgs['args'], decides: (argument: string) => void) => Scanned | undefined;

/** What a page has to read one by one, at most; undefined where an index or kept totals answer. */
export interface PageScans {
  /** To find its rows. */
  readonly scannedToFind: ScanOf;
  /** To count those of its list. */
  readonly scannedToCount: ScanOf;
  /** The fields that show the number. */
  readonly countFields: readonly string[];
}

function pageRows({ args, childComplexity }: ComplexityEstimatorArgs): number {
  const size = args.first ?? args.last ?? args.pageSize ?? DEFAULT_PAGE_SIZE;
  return rows(size, MAX_PAGE_SIZE) * (ROW_POINTS + childComplexity);
}

function scanCost(estimator: ComplexityEstimatorArgs, scans: PageScans): number {
  const { args, context, node } = estimator;
  const reckoning = context as Reckoning;
  const decides = (argument: string) => {
    if (isByVariable(node, argument)) reckoning.dependsOnTexts = true;
  };
  const found = scans.scannedToFind(args, decides);
  const counted = scans.scannedToCount(args, decides);
  const isCounted = counted !== undefined && isSelected(estimator, scans.countFields, reckoning);
  // What lies beyond a cursor is looked for in the same statement.
  const reads = 1 + (args.after == null ? 0 : 1) + (args.before == null ? 0 : 1);
  const toFind = found === undefined ? 0 : scanUnits({ of: found, reads }, reckoning);
  return toFind + (isCounted ? scanUnits({ of: counted, reads: 1 }, reckoning) : 0);
}

function scanUnits(scan: ScanKind, { countedKind, scanned }: Reckoning): number {
  const kind = JSON.stringify(scan);
  scanned.set(kind, scan);
  return countedKind === kind ? 1 : 0;
}

/** Whether a variable gives the argument, or a part of it. */
function isByVariable({ arguments: given = [] }: FieldNode, argument: string): boolean {
  const hasVariable = (value: ValueNode): boolean =>
    value.kind === Kind.VARIABLE ||
    (value.kind === Kind.OBJECT && value.fields.some((field) => hasVariable(field.value)));
  return given.some(({ name, value }) => name.value === argument && hasVariable(value));
}

/** As the execution collects what is selected, with conditions and fragments. */
function isSelected(
  { field, node }: ComplexityEstimatorArgs,
  names: readonly string[],
  { schema, fragments, variables }: Reckoning,
): boolean {
  const type = getNamedType(field.type);
  if (!isObjectType(type)) return false;
  const selected = collectSubfields(schema, fragments, variables, type, [node]);
  return [...selected.values()].some(([first]) => names.includes(first?.name.value ?? ''));
}

function rows(size: unknown, longest: number): number {
  return typeof size === 'number' && size > 0 ? Math.min(size, longest) : 1;
}
