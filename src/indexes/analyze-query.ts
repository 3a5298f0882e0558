import { performance } from 'node:perf_hooks';
import { asTenant, type Explainable, explain } from '../database/explain.ts';
import { createStatement, type IndexDefinition } from '../database/index-definition.ts';
import { indexesOf, type PlanNode, sequentialTables } from '../database/plan.ts';
import { type Queryable, readIndexes } from '../database/read-indexes.ts';
import { TABLE_OF_MODEL } from '../database/tables.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { type PrismaStatement, prismaOver } from '../tenancy/prisma-over.ts';
import type { ScopedPrisma } from '../tenancy/tenant-prisma.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { candidatesFor, worthTrying } from './candidates.ts';
import { factsOf, PLAIN_SCANS, type ScanFacts } from './scan-facts.ts';
import { smallTables } from './small-tables.ts';

/** Rows of a `query` that are read at most. */
const MAX_ROWS = 1_000;

const KEY_COLUMNS: ReadonlySet<string> = new Set(['tenant_id', 'id']);

export const OPERATIONS = ['query', 'count', 'exists'] as const;
export type AnalyzedOperation = (typeof OPERATIONS)[number];

/** Rows of a model by a condition, as Prisma Client takes it. */
export interface ModelQuery {
  readonly model: Prisma.ModelName;
  readonly where: object;
}

/** A statement as it was sent, and the plan that PostgreSQL has for it. */
export interface AnalyzedStatement {
  readonly sql: string;
  readonly durationMs: number;
  readonly rows: number;
  readonly plan: PlanNode;
}

/** What a query did and took. */
export interface QueryAnalysis extends ModelQuery {
  readonly operation: AnalyzedOperation;
  /** Rows found, at most 1,000; the number; or whether there is one. */
  readonly found: number | boolean;
  /** From Prisma's call to its result, the statements included. */
  readonly durationMs: number;
  readonly statements: readonly AnalyzedStatement[];
  readonly indexes: readonly string[];
  readonly verdict: IndexVerdict;
}

/** Whether its index serves the query. */
export interface IndexVerdict {
  readonly isServed: boolean;
  readonly reason: string;
  /** Of an index that might serve it; null when none is missing. */
  readonly suggestion: string | null;
}

/**
 * Runs a query for a tenant and says what it took: held to row-level security, by the statements
 * that Prisma Client makes of it. Nothing is changed, and nothing comes from the cache.
 * @throws Prisma's validation error for a condition that the model does not have
 */
export async function analyzeQuery(
  client: Queryable,
  scope: TenantScope,
  query: ModelQuery,
  operation: AnalyzedOperation,
): Promise<QueryAnalysis> {
  const sent: Sent[] = [];
  const prisma = prismaOver(async ({ config }) => {
    const startedAt = performance.now();
    const result = await client.query(config);
    sent.push({ config, durationMs: performance.now() - startedAt, rows: result.rowCount ?? 0 });
    return result;
  });
  return asTenant(client, scope.tenantId, async () => {
    const startedAt = performance.now();
    const found = await prisma(scope, (client) => run(client, query, operation));
    const durationMs = performance.now() - startedAt;
    const statements: AnalyzedStatement[] = [];
    for (const { config, ...took } of sent) {
      const plan = await explain(client, explainable(config));
      statements.push({ sql: config.text, ...took, plan });
    }
    const indexes = [...new Set(statements.flatMap(({ plan }) => indexesOf(plan)))];
    return {
      ...query,
      operation,
      found,
      durationMs,
      statements,
      indexes,
      verdict: await verdictOf(client, sent, statements),
    };
  });
}

interface Sent {
  readonly config: PrismaStatement['config'];
  readonly durationMs: number;
  readonly rows: number;
}

/** What of a model's client is called; each model has it. */
interface ModelClient {
  findMany(args: object): Promise<unknown[]>;
  findFirst(args: object): Promise<unknown>;
  count(args: object): Promise<number>;
}

async function run(prisma: ScopedPrisma, { model, where }: ModelQuery, operation: AnalyzedOperation) {
  const of = (prisma as unknown as Record<string, ModelClient>)[uncapitalized(model)] as ModelClient;
  if (operation === 'count') return of.count({ where });
  if (operation === 'exists') return (await of.findFirst({ where })) !== null;
  return (await of.findMany({ where, take: MAX_ROWS })).length;
}

function uncapitalized(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}

async function verdictOf(
  client: Queryable,
  sent: readonly Sent[],
  statements: readonly AnalyzedStatement[],
): Promise<IndexVerdict> {
  const indexes = [...new Set(statements.flatMap(({ plan }) => indexesOf(plan)))];
  const read = [...new Set(statements.flatMap(({ plan }) => sequentialTables(plan)))];
  const by = indexes.length ? `It is answered by ${indexes.join(', ')}.` : 'It reads no table.';
  const whole = read.length ? `It reads all of ${read.join(', ')}` : undefined;
  const small = await smallTables(client);
  if (whole && read.every((table) => small.has(table)))
    return { isServed: true, reason: `${whole}, which is small.`, suggestion: null };
  const [missing] = await missingIndexes(client, sent);
  if (missing) {
    const reason = `${whole ?? by.slice(0, -1)}, and no index has its conditions.`;
    return { isServed: false, reason, suggestion: createStatement(missing) };
  }
  const reason = whole ? `${whole}: that costs less than its indexes, for a tenant that owns much of it.` : by;
  return { isServed: true, reason, suggestion: null };
}

/** What an index for the conditions would be made of, where there is none like it. */
async function missingIndexes(client: Queryable, sent: readonly Sent[]): Promise<IndexDefinition[]> {
  for (const [name, value] of Object.entries(PLAIN_SCANS)) await client.query(`SET LOCAL ${name} = ${value}`);
  const facts: ScanFacts[] = [];
  for (const { config } of sent) facts.push(...factsOf(await explain(client, explainable(config))));
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

function explainable({ text, values = [] }: PrismaStatement['config']): Explainable {
  return { text, values };
}
