import { type FragmentDefinitionNode, type GraphQLSchema, getNamedType, isObjectType } from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import type { ComplexityEstimatorArgs } from 'graphql-query-complexity';
import { MAX_PAGE_SIZE } from '../paging/keyset.ts';
import { DEFAULT_PAGE_SIZE } from './input-checks.ts';

/**
 * One point is about one microsecond of CPU, of the service and of PostgreSQL together. `npm run bench -- --only prices` measures
 * what each of these prices stands for; docs/performance.md has the table. A value of the answer costs 1, the default of every field.
 *
 * This is the price of any operation that is executed, whatever it asks for.
 */
export const OPERATION_POINTS = 250;
/** A statement of its own: its way there and back, and its plan. */
export const STATEMENT_POINTS = 250;
/** A transaction that writes. */
export const WRITE_POINTS = 2_000;
/** A movement that is recorded, with its totals. */
export const MOVEMENT_POINTS = 100;
/** A row that is read and shown, or a day of kept totals, beside its values. */
const ROW_POINTS = 4;
/** A page of one of the rows of a level, whose statement reads those of all. */
const PROBE_POINTS = 20;
/** An answer from the cache: found and sent. */
export const HIT_POINTS = 40;

/** Rows that may have to be read one by one, to count or to find some: those of the tenant, or the average account's. */
export const SCANNED = ['accounts', 'transactions', 'ofAccount', 'auditLines'] as const;
export type Scanned = (typeof SCANNED)[number];

/** What estimators know of the operation beside their field. */
export interface Reckoning {
  readonly schema: GraphQLSchema;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Reading these one by one costs 1 this time, all others nothing. */
  readonly priced: Scanned | null;
  /** Which of them were met. */
  readonly scanned: Set<Scanned>;
  /** Whether a text, such as a day, decided on the cost. */
  dependsOnTexts: boolean;
}

type Estimator = (estimator: ComplexityEstimatorArgs) => number;

/**
 * A page by a statement of its own. What lies below comes as often as the page may have rows: a size out of range is refused by its
 * resolver, which names it; here it counts as the largest.
 */
export function pageCost(scans: PageScans): Estimator {
  return (args) => STATEMENT_POINTS + pageRows(args) + scanCost(args, scans);
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

/** Kept totals of days, added up to buckets that all that is selected comes as often as. */
export function daysCost(days: number, buckets: number, childComplexity: number): number {
  return STATEMENT_POINTS + days * ROW_POINTS + buckets * childComplexity;
}

type ScanOf = (args: ComplexityEstimatorArgs['args']) => Scanned | undefined;

/** What a page has to read one by one, at most; undefined where an index or kept totals answer. A text of the arguments must not decide. */
export interface PageScans {
  /** To find its rows. */
  readonly finds: ScanOf;
  /** To count those of its list. */
  readonly counts: ScanOf;
  /** The fields that show the number. */
  readonly countFields: readonly string[];
}

function pageRows({ args, childComplexity }: ComplexityEstimatorArgs): number {
  const size = args.first ?? args.last ?? args.pageSize ?? DEFAULT_PAGE_SIZE;
  return rows(size, MAX_PAGE_SIZE) * (ROW_POINTS + childComplexity);
}

function scanCost(estimator: ComplexityEstimatorArgs, { finds, counts, countFields }: PageScans): number {
  const { args, context } = estimator;
  const reckoning = context as Reckoning;
  const counted = counts(args);
  const isCounted = counted !== undefined && isSelected(estimator, countFields, reckoning);
  return oneOf(finds(args), reckoning) + (isCounted ? oneOf(counted, reckoning) : 0);
}

function oneOf(rows: Scanned | undefined, { priced, scanned }: Reckoning): number {
  if (rows === undefined) return 0;
  scanned.add(rows);
  return priced === rows ? 1 : 0;
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
