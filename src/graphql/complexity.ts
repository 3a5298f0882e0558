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

/**
 * One point is about one microsecond of CPU, of the service and of PostgreSQL together. `npm run
 * bench -- --only prices` measures what each of these prices stands for; docs/performance.md has
 * the table. A value of the answer costs 1, the default of every field.
 *
 * This is the price of any operation that is executed, whatever it asks for.
 */
export const OPERATION_POINTS = 250;
/** A token of a document that nobody sent lately: it is parsed and validated. */
export const NEW_TOKEN_POINTS = 15;
/** A field of an operation that is compiled, since it comes again. */
export const COMPILED_FIELD_POINTS = 100;
/** A statement of its own: its way there and back, and its plan. */
export const STATEMENT_POINTS = 250;
/** The same by Prisma Client, which builds the statement and its rows. */
export const PRISMA_STATEMENT_POINTS = 900;
/** A transaction that writes. */
export const WRITE_POINTS = 2_000;
/** A transaction that is recorded, with its totals. */
export const TRANSACTION_POINTS = 100;
/** A row that is read and shown, or a day of kept totals, beside its values. */
const ROW_POINTS = 4;
/** A kept total that is added up. */
export const KEPT_TOTAL_POINTS = 0.4;
/** What sums cost, such as groups of accounts, beside the totals that they are made of. */
const SUM_POINTS = {
  /** By PostgreSQL, for one that is not kept. */
  read: 6,
  /** By the service, whether it is shown or only added up. */
  walked: 1,
  /** In each field that shows it. */
  shown: 4,
} as const;
export type SumWork = keyof typeof SUM_POINTS;
/** So many belong to the price of the field. */
const SUMS_IN_PRICE = 500;
/** Of the tenants that the prices of a dashboard and of a count of accounts stand for. */
const TOTALS_IN_PRICE = 1_000;
/** A page of one of the rows of a level, whose statement reads those of all. */
const PROBE_POINTS = 20;
/** An answer from the cache: found and sent. */
export const HIT_POINTS = 40;
/** So many bytes of a kept answer are sent for that; the rest costs a point for each 512. */
const HIT_BYTES = 32 * 1024;
const BYTES_PER_HIT_POINT = 512;
/** A byte of an answer that is read and written anew to tell about itself. */
const REPORTED_BYTE_POINTS = 0.02;
/** A byte of an answer that was computed costs this at least, whatever its fields are priced at. */
const ANSWER_BYTE_POINTS = 0.05;
/** A millisecond of PostgreSQL, where what it was for was not asked at its price. */
const DATABASE_MS_POINTS = 500;
/** Of searches, which take longer beside others: so much belongs to their price. */
const PRICED_SEARCH_MS = 50;
/**
 * A byte of a request that is decoded: what JSON takes at worst, as for many names or deep lists.
 * Ordinary JSON takes a fifth.
 */
const READ_BYTE_POINTS = 0.1;
/** Those of an ordinary request belong to the price of its operation. */
const FREE_BYTES = 2_048;

/**
 * A small piece of a body that comes in chunks: whatever is asked for, and however short it is. A
 * client that streams has few.
 */
const PIECE_POINTS = 4;
const FREE_PIECES = 16;

/** What it costs that a body came in pieces. */
export function piecesPoints(smallPieces: number): number {
  return Math.max(0, smallPieces - FREE_PIECES) * PIECE_POINTS;
}

/** What it costs to read a request that the process does not remember. */
export function readingPoints(bytes: number): number {
  return Math.max(0, Math.ceil((bytes - FREE_BYTES) * READ_BYTE_POINTS));
}

/**
 * Rows that may have to be read one by one, to count or to find some: those of the tenant, or the
 * average account's; at most `LIMIT_COUNT_ROWS`, where every row that is read is counted.
 */
export type Scanned =
  | 'accounts'
  | 'transactions'
  | 'ofAccount'
  | 'auditLines'
  | 'countedTransactions'
  | 'countedAuditLines'
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
 * What a statement costs beside its price when it turned out to add up so many kept totals. To know
 * before would take one more statement.
 */
export function totalsBeyondPrice(totals: number): number {
  return Math.max(0, Math.ceil((totals - TOTALS_IN_PRICE) * KEPT_TOTAL_POINTS));
}

/** Likewise for sums. */
export function sumsBeyondPrice(work: SumWork, sums: number): number {
  return Math.max(0, sums - SUMS_IN_PRICE) * SUM_POINTS[work];
}

/** @param bytes of the kept answer */
export function hitPoints(bytes: number): number {
  return bytes <= HIT_BYTES ? HIT_POINTS : HIT_POINTS + Math.ceil((bytes - HIT_BYTES) / BYTES_PER_HIT_POINT);
}

/** @param bytes of the answer into which a report is put, kept or not */
export function reportPoints(bytes: number): number {
  return Math.ceil(bytes * REPORTED_BYTE_POINTS);
}

/**
 * What an answer costs at least: prices take lists whose length is not known for as long as they
 * usually are.
 * @param databaseMs of statements that took longer than their price says, or that nobody waited for
 */
export function leastPoints(bytes: number, databaseMs: number): number {
  return Math.ceil(Math.max(bytes * ANSWER_BYTE_POINTS, databaseMs * DATABASE_MS_POINTS));
}

/**
 * Searches are priced by how many rows the average account has: one that has most of its tenant's
 * takes longer.
 */
export function searchMsBeyondPrice(searchMs: number): number {
  return Math.max(0, searchMs - PRICED_SEARCH_MS);
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
