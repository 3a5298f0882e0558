import { asTenant, explain, PLAN_MODES, type PlanMode } from './explain.ts';
import type { Queryable } from './inspect.ts';
import { indexesOf, type PlanNode, sequentialTables } from './plan.ts';
import { type ProductQuery, productQueries } from './product-queries.ts';
import { sampleTenants, type TenantSample } from './samples.ts';
import { MODELS, tablesOf } from './tables.ts';

/** Up to this size a table is read as fast as any index of it: 8 pages. */
const SMALL_TABLE_BYTES = 64 * 1024;

/** A query of the product for one tenant, in one of its two plans. */
export interface ExplainedQuery {
  readonly query: ProductQuery;
  readonly tenant: Pick<TenantSample, 'slug' | 'accounts'>;
  readonly mode: PlanMode;
  readonly plan: PlanNode;
  readonly indexes: readonly string[];
  /** Tables that are read from their first row to the last and should not be. */
  readonly flagged: readonly string[];
  /** The same, but rightly so: a small table, or a query that looks at all rows of a tenant that owns much of it. */
  readonly excused: readonly string[];
}

/** The plans of the product's own queries for a small and the largest tenant; nothing but EXPLAIN is executed. */
export async function explainQueries(client: Queryable): Promise<ExplainedQuery[]> {
  const small = await smallTables(client);
  const explained: ExplainedQuery[] = [];
  for (const tenant of await sampleTenants(client)) {
    for (const query of await productQueries(tenant)) {
      for (const mode of PLAN_MODES) {
        const plan = await asTenant(client, tenant.tenantId, () => explain(client, query.query, mode));
        const sequential = sequentialTables(plan);
        const isExcused = (table: string) => query.readsAll || small.has(table);
        explained.push({
          query,
          tenant,
          mode,
          plan,
          indexes: indexesOf(plan),
          flagged: sequential.filter((table) => !isExcused(table)),
          excused: sequential.filter(isExcused),
        });
      }
    }
  }
  return explained;
}

/** Whether the plan uses what it is meant to use. */
export function usesIntendedIndexes({ query, indexes }: Pick<ExplainedQuery, 'query' | 'indexes'>): boolean {
  return query.uses.every((anyOf) => [anyOf].flat().some((index) => indexes.includes(index)));
}

async function smallTables(client: Queryable): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT name FROM unnest($1::text[]) AS name WHERE pg_relation_size(to_regclass(quote_ident(name))) <= $2',
    [tablesOf(MODELS), SMALL_TABLE_BYTES],
  );
  return new Set(rows.map(({ name }) => name));
}
