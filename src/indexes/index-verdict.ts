import { formatCount } from '../cli/format.ts';
import { type Explainable, explain } from '../database/explain.ts';
import { createStatement, type IndexDefinition } from '../database/index-definition.ts';
import { indexesOf, nodesOf, type PlanNode, sequentialTables } from '../database/plan.ts';
import { type Queryable, readIndexes } from '../database/read-indexes.ts';
import { modelOfTable, TABLE_OF_MODEL } from '../database/tables.ts';
import { withoutValues } from '../monitoring/sql-values.ts';
import { candidatesFor, worthTrying } from './candidates.ts';
import { conjuncts, factsOf, PLAIN_SCANS, type ScanFacts } from './scan-facts.ts';
import { smallTables } from './small-tables.ts';

const KEY_COLUMNS: ReadonlySet<string> = new Set(['tenant_id', 'id']);
/** So many are sorted in no time. */
const FEW_ROWS = 100;
/** Of the planner: two or three rows that an index finds. No other index is worth having for these. */
const CHEAP_COST = 20;

/** A statement and the plan that PostgreSQL has for it. */
export interface PlannedStatement {
  readonly statement: Explainable;
  readonly plan: PlanNode;
}

/** Whether its index serves the query. */
export interface IndexVerdict {
  readonly isServed: boolean;
  /** A sentence, without the values that are searched for. */
  readonly reason: string;
  /** Of an index that might serve it; null when none is missing. */
  readonly suggestion: string | null;
}

/**
 * Whether the statements of a query are served by indexes, and if not, which one its conditions
 * lack. Within `asTenant`; what is planned afterwards in its transaction goes without indexes.
 */
export async function indexVerdict(client: Queryable, planned: readonly PlannedStatement[]): Promise<IndexVerdict> {
  const plans = planned.map(({ plan }) => plan);
  const read = [...new Set(plans.flatMap(sequentialTables))];
  const indexes = [...new Set(plans.flatMap(indexesOf))];
  const by = indexes.length ? `It is answered by ${indexes.join(', ')}` : 'It reads no table';
  const whole = read.length ? `It reads all of ${read.join(', ')}` : undefined;
  if (whole && (await areSmall(client, read)))
    return { isServed: true, reason: `${whole}, which is small.`, suggestion: null };
  for (const missing of await missingIndexes(client, planned)) {
    const lack = lackOf(plans.flatMap(nodesOf), missing.table);
    if (!lack) continue;
    const how = lack.scan ? await wholeTable(client, lack.scan) : by;
    return { isServed: false, reason: `${how}, and no index ${lack.fits}.`, suggestion: createStatement(missing) };
  }
  const reason = whole ? `${whole}: that costs less than its indexes, for a tenant that owns much of it.` : `${by}.`;
  return { isServed: true, reason, suggestion: null };
}

/** The reason of the verdict on one statement; null for one that reads none of the product's tables. */
export async function indexAdvice(client: Queryable, statement: Explainable, plan: PlanNode): Promise<string | null> {
  const reads = nodesOf(plan).some((node) => modelOfTable(node['Relation Name'] ?? '') !== null);
  return reads ? (await indexVerdict(client, [{ statement, plan }])).reason : null;
}

async function areSmall(client: Queryable, tables: readonly string[]): Promise<boolean> {
  const small = await smallTables(client);
  return tables.every((table) => small.has(table));
}

/** What the plan of a statement does without an index. */
interface Lack {
  /** Of the whole table; absent: an index finds more rows than are asked for. */
  readonly scan?: PlanNode;
  readonly fits: string;
}

/** Undefined when its indexes find what is asked of the table, though another one could be made. */
function lackOf(nodes: readonly PlanNode[], table: string): Lack | undefined {
  const ofTable = nodes.filter((node) => node['Relation Name'] === table);
  const scan = ofTable.find((node) => node['Node Type'] === 'Seq Scan');
  const filter = (scan ? [scan] : ofTable.filter(isDear)).flatMap(checkedByRow).join(' AND ');
  const fits = filter ? `fits the filter (${filter})` : 'has its order';
  if (scan) return { scan, fits };
  const sorts = nodes.some((node) => node['Node Type'] === 'Sort' && node['Plan Rows'] > FEW_ROWS);
  return filter || sorts ? { fits } : undefined;
}

function isDear({ 'Total Cost': cost }: PlanNode): boolean {
  return cost > CHEAP_COST;
}

/** The conditions of a scan's filter, but for those of the tenant, which every statement has. */
function checkedByRow({ Filter: filter = '' }: PlanNode): string[] {
  return conjuncts(withoutValues(filter)).filter((condition) => !/current_setting|\btenant_id = /.test(condition));
}

async function wholeTable(client: Queryable, scan: PlanNode): Promise<string> {
  const { 'Relation Name': table, 'Plan Rows': found } = scan;
  const { rows } = await client.query<{ all: number }>(
    'SELECT greatest(reltuples, 0)::float8 AS all FROM pg_class WHERE oid = to_regclass(quote_ident($1))',
    [table],
  );
  const all = formatCount(rows[0]?.all ?? 0);
  return `It reads the whole table ${table}, about ${all} rows to return ${formatCount(found)}`;
}

/** What an index for the conditions would be made of, where there is none like it. */
async function missingIndexes(client: Queryable, planned: readonly PlannedStatement[]): Promise<IndexDefinition[]> {
  for (const [name, value] of Object.entries(PLAIN_SCANS)) await client.query(`SET LOCAL ${name} = ${value}`);
  const facts: ScanFacts[] = [];
  for (const { statement } of planned) facts.push(...factsOf(await explain(client, statement)));
  const existing = await readIndexes(client, Object.values(TABLE_OF_MODEL));
  return worthTrying(
    facts.map(askedFacts).flatMap(candidatesFor),
    existing.map(({ definition }) => definition),
  );
}

/**
 * Prisma sorts the first rows by the key of the table, which nobody asked for; and an index of one
 * value alone is for a workload, not for one query.
 */
function askedFacts(facts: ScanFacts): ScanFacts {
  const isOwnOrder = facts.order.every(({ name }) => KEY_COLUMNS.has(name));
  return { ...facts, constant: [], ...(isOwnOrder && { order: [] }) };
}
