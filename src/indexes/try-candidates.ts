import pg from 'pg';
import { asTenant, type Explainable, explain, type PlanMode, type PlannerSettings } from '../database/explain.ts';
import { type IndexDefinition, keyText } from '../database/index-definition.ts';
import { indexesOf, type PlanNode } from '../database/plan.ts';
import type { Queryable } from '../database/read-indexes.ts';
import { MODELS, tablesOf } from '../database/tables.ts';
import type { StatementGain, TriedIndex, UnplannedStatement } from './advise.ts';
import { type Candidate, candidatesFor, coveringCandidates, serves, worthTrying } from './candidates.ts';
import { type ProductQuery, productQueries } from './product-queries.ts';
import type { TenantSample } from './samples.ts';
import { factsOf, PLAIN_SCANS } from './scan-facts.ts';
import type { IndexTrial } from './trial.ts';
import { findProductQuery, type WorkloadStatement } from './workload.ts';

/** Shown of a statement that is not the product's own. */
const MAX_NAME_LENGTH = 80;

/**
 * One that carries columns is larger: it must save at least a quarter of what is left without them.
 */
const COVERING_HANDICAP = 4 / 3;

/**
 * SQLSTATE classes of a lost connection, of conflicts with others, and of a server that lacks
 * something.
 */
const NOT_ABOUT_THE_STATEMENT = /^(?:08|25|28|40|53|55|57|58)/;

/** A statement of the workload as it is planned for one of the tenants. */
interface PlannedStatement {
  readonly tenant: TenantSample;
  readonly statement: Explainable;
  /** With values where they are known; else as the generic plan. */
  readonly mode: PlanMode;
}

interface Subject {
  readonly name: string;
  readonly statement: WorkloadStatement;
  readonly plans: readonly PlannedStatement[];
  readonly candidates: readonly Candidate[];
}

/** What came of a workload. */
export interface TriedWorkload {
  readonly tried: readonly TriedIndex[];
  readonly unplanned: readonly UnplannedStatement[];
  readonly method: string;
}

/**
 * Generates candidates from the workload, and tries each on the statements that it was made for. A
 * statement that cannot be planned is told of, and has no part in anything else.
 * @param existing the valid indexes of all tables
 * @param openTrial called with the tables that candidates are for
 */
export async function tryCandidates(
  client: Queryable,
  workload: readonly WorkloadStatement[],
  tenants: readonly TenantSample[],
  existing: readonly IndexDefinition[],
  openTrial: (tables: readonly string[]) => Promise<IndexTrial>,
): Promise<TriedWorkload> {
  const { subjects, unplanned } = await subjectsOf(client, workload, tenants);
  const candidates = worthTrying(
    subjects.flatMap(({ candidates }) => candidates),
    existing,
  );
  if (!candidates.length) return { tried: [], unplanned, method: 'nothing to try' };
  const trial = await openTrial([...new Set(candidates.map(({ table }) => table))]);
  try {
    const before = new Map<PlannedStatement, number>();
    const planned = await keepPlannable(subjects, unplanned, async ({ plans }) => {
      for (const one of plans) before.set(one, (await planOf(client, one))['Total Cost']);
    });
    const tried: TriedIndex[] = [];
    for (const index of candidates) {
      await trial.add(index);
      try {
        tried.push({ index, gains: await gainsOf(client, planned, index, before, trial) });
      } finally {
        await trial.clear();
      }
    }
    return { tried: withoutRivals(tried), unplanned, method: trial.method };
  } finally {
    await trial.close();
  }
}

async function subjectsOf(
  client: Queryable,
  workload: readonly WorkloadStatement[],
  tenants: readonly TenantSample[],
): Promise<{ subjects: Subject[]; unplanned: UnplannedStatement[] }> {
  const own = await Promise.all(tenants.map(async (tenant) => ({ tenant, queries: await productQueries(tenant) })));
  const columns = await columnsOfTables(client);
  const subjects: Subject[] = [];
  for (const statement of workload) {
    const plans = own.map(({ tenant, queries }) =>
      plannedAs(statement, tenant, findProductQuery(statement.sql, queries)),
    );
    const known = own[0] && findProductQuery(statement.sql, own[0].queries);
    const name = known?.name ?? nameOf(statement.sql);
    subjects.push({ name, statement, plans, candidates: [] });
  }
  const candidates = new Map<Subject, readonly Candidate[]>();
  const unplanned: UnplannedStatement[] = [];
  const planned = await keepPlannable(subjects, unplanned, async (subject) => {
    candidates.set(subject, await candidatesOf(client, subject.plans, columns));
  });
  const all = planned.map((subject) => ({ ...subject, candidates: candidates.get(subject) ?? [] }));
  return { subjects: all.filter((subject) => subject.candidates.length), unplanned };
}

/** Those that `plan` plans; what PostgreSQL says of the others is added to `unplanned`. */
async function keepPlannable(
  subjects: readonly Subject[],
  unplanned: UnplannedStatement[],
  plan: (subject: Subject) => Promise<void>,
): Promise<Subject[]> {
  const kept: Subject[] = [];
  for (const subject of subjects) {
    try {
      await plan(subject);
      kept.push(subject);
    } catch (error) {
      const { name, statement } = subject;
      unplanned.push({ name, callsPerDay: statement.callsPerDay, reason: refusalOf(error) });
    }
  }
  return kept;
}

function nameOf(sql: string): string {
  return sql.replace(/\s+/g, ' ').trim().slice(0, MAX_NAME_LENGTH);
}

/**
 * Why PostgreSQL does not plan a statement.
 * @throws the error itself when it is not about the statement: the connection is lost, the server
 *   has no memory left
 */
function refusalOf(error: unknown): string {
  const isAboutStatement = error instanceof pg.DatabaseError && !NOT_ABOUT_THE_STATEMENT.test(error.code ?? '');
  if (!isAboutStatement) throw error;
  return `${error.message} (SQLSTATE ${error.code})`;
}

function plannedAs(
  { sql }: WorkloadStatement,
  tenant: TenantSample,
  query: ProductQuery | undefined,
): PlannedStatement {
  if (query) return { tenant, statement: query.query, mode: 'custom' };
  const parameters = Math.max(0, ...[...sql.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
  return { tenant, statement: { text: sql, values: Array.from({ length: parameters }, () => null) }, mode: 'generic' };
}

/** @throws DatabaseError when PostgreSQL does not plan it for one of the tenants */
async function candidatesOf(
  client: Queryable,
  plans: readonly PlannedStatement[],
  columns: ReadonlyMap<string, readonly Column[]>,
): Promise<Candidate[]> {
  for (const planned of plans) await planOf(client, planned);
  const [first] = plans;
  if (!first) return [];
  const plan = await planOf(client, { ...first, mode: 'generic' }, PLAIN_SCANS);
  return factsOf(plan).flatMap((facts) => {
    const plain = candidatesFor(facts);
    return [...plain, ...coveringCandidates(plain, columnsRead(first.statement.text, columns.get(facts.table)))];
  });
}

interface Column {
  /** Quoted where SQL needs it. */
  readonly name: string;
  /** Finds it in a statement. */
  readonly pattern: RegExp;
}

async function columnsOfTables(client: Queryable): Promise<ReadonlyMap<string, readonly Column[]>> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(
    `SELECT relname AS table, array_agg(quote_ident(attname) ORDER BY attnum) AS columns
     FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE relnamespace = current_schema()::regnamespace AND relname = ANY ($1) AND attnum > 0 AND NOT attisdropped
     GROUP BY relname`,
    [tablesOf(MODELS)],
  );
  const column = (name: string) => ({ name, pattern: new RegExp(`(?<!\\w)${escaped(name)}(?!\\w)`) });
  return new Map(rows.map(({ table, columns }) => [table, columns.map(column)]));
}

/**
 * Every column that the statement names, of whichever of its tables; all of them when it has an
 * asterisk.
 */
function columnsRead(sql: string, columns: readonly Column[] = []): readonly string[] {
  const text = sql.replace(/count\(\*\)/gi, '');
  const read = text.includes('*') ? columns : columns.filter(({ pattern }) => pattern.test(text));
  return read.map(({ name }) => name);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function planOf(
  client: Queryable,
  { tenant, statement, mode }: PlannedStatement,
  settings: PlannerSettings = {},
): Promise<PlanNode> {
  return asTenant(client, tenant.tenantId, () => explain(client, statement, mode), settings);
}

/** Of those statements whose plans take the index. */
async function gainsOf(
  client: Queryable,
  subjects: readonly Subject[],
  index: IndexDefinition,
  before: ReadonlyMap<PlannedStatement, number>,
  trial: IndexTrial,
): Promise<StatementGain[]> {
  const gains: StatementGain[] = [];
  for (const { name, statement, plans, candidates } of subjects) {
    // A plan may take by chance what was made for another question; that is no reason for it.
    if (!candidates.some((candidate) => serves(index, candidate))) continue;
    const tenants = [];
    let isTaken = false;
    for (const planned of plans) {
      const plan = await planOf(client, planned);
      const takes = indexesOf(plan).some((used) => trial.nameOf(used) === index.name);
      isTaken ||= takes;
      const costBefore = before.get(planned) ?? plan['Total Cost'];
      tenants.push({ slug: planned.tenant.slug, costBefore, costAfter: takes ? plan['Total Cost'] : costBefore });
    }
    if (isTaken) gains.push({ name, ...statement, tenants });
  }
  return gains;
}

/**
 * Several candidates may serve one statement; each statement counts for the one that serves it
 * best.
 */
function withoutRivals(tried: readonly TriedIndex[]): TriedIndex[] {
  const best = new Map<string, { key: string; cost: number }>();
  for (const { index, gains } of tried) {
    for (const { sql, tenants } of gains) {
      const handicap = index.include.length ? COVERING_HANDICAP : 1;
      const cost = tenants.reduce((sum, { costAfter }) => sum + costAfter, 0) * handicap;
      const rival = best.get(sql);
      if (!rival || cost < rival.cost) best.set(sql, { key: keyText(index), cost });
    }
  }
  return tried.map(({ index, gains }) => ({
    index,
    gains: gains.filter(({ sql }) => best.get(sql)?.key === keyText(index)),
  }));
}
