import { performance } from 'node:perf_hooks';
import { asTenant, type Explainable, explain } from '../database/explain.ts';
import { indexesOf, type PlanNode } from '../database/plan.ts';
import type { Queryable } from '../database/read-indexes.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { type PrismaStatement, prismaOver } from '../tenancy/prisma-over.ts';
import type { ScopedPrisma } from '../tenancy/tenant-prisma.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { type IndexVerdict, indexVerdict, type PlannedStatement } from './index-verdict.ts';

/** Rows of a `query` that are read at most. */
const MAX_ROWS = 1_000;

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
    const planned: PlannedStatement[] = [];
    for (const { config, ...took } of sent) {
      const statement = explainable(config);
      const plan = await explain(client, statement);
      statements.push({ sql: config.text, ...took, plan });
      planned.push({ statement, plan });
    }
    const indexes = [...new Set(statements.flatMap(({ plan }) => indexesOf(plan)))];
    return {
      ...query,
      operation,
      found,
      durationMs,
      statements,
      indexes,
      verdict: await indexVerdict(client, planned),
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

function explainable({ text, values = [] }: PrismaStatement['config']): Explainable {
  return { text, values };
}
