import { asTenant, explain, PLAN_MODES, type PlanMode, type PlannerSettings } from '../database/explain.ts';
import { indexesOf, type PlanNode, sequentialTables } from '../database/plan.ts';
import { type Queryable, readIndexes } from '../database/read-indexes.ts';
import { MODELS, tablesOf } from '../database/tables.ts';
import { catalogEntry } from './catalog.ts';
import { type ProductQuery, productQueries } from './product-queries.ts';
import { sampleTenants, type TenantSample } from './samples.ts';
import { smallTables } from './small-tables.ts';

/** A query of the product for one tenant, in one of its two plans. */
export interface ExplainedQuery {
  readonly query: ProductQuery;
  readonly tenant: Pick<TenantSample, 'slug' | 'accounts'>;
  readonly mode: PlanMode;
  readonly plan: PlanNode;
  readonly indexes: readonly string[];
  /**
   * Tables that matter and are read from their first row to the last, though the query should not
   * have to.
   */
  readonly flagged: readonly string[];
  /** The same, but rightly so. */
  readonly excused: readonly ExcusedScan[];
  /** Tables that matter, of which none of the indexes that are meant for the query is there. */
  readonly lacking: readonly string[];
}

/** A table that is read from its first row to the last, and why it may be. */
export interface ExcusedScan {
  readonly table: string;
  readonly reason: string;
}

const PLAIN_REASON = 'a small table, or all rows of the tenant';
/** What the planner is asked to do without, so that it shows what else it could do. */
const WITHOUT_SCANS = { enable_seqscan: 'off' };

/**
 * The plans of the product's own queries for a small and the largest tenant; nothing but EXPLAIN is
 * executed.
 */
export async function explainQueries(client: Queryable): Promise<ExplainedQuery[]> {
  const small = await smallTables(client);
  const valid = (await readIndexes(client, tablesOf(MODELS))).filter(({ valid }) => valid);
  const indexes = new Set(valid.map(({ definition }) => definition.name));
  const explained: ExplainedQuery[] = [];
  for (const tenant of await sampleTenants(client)) {
    for (const query of await productQueries(tenant)) {
      const lacking = lackingTables(query, indexes).filter((table) => !small.has(table));
      for (const mode of PLAN_MODES) {
        const planned = (settings?: PlannerSettings) =>
          asTenant(client, tenant.tenantId, () => explain(client, query.query, mode), settings);
        const plan = await planned();
        const tables = sequentialTables(plan);
        const isPlain = (table: string) => query.readsAll || small.has(table);
        const without = tables.every(isPlain) ? plan : await planned(WITHOUT_SCANS);
        const reasons = tables.map((table) => ({
          table,
          reason: isPlain(table) ? PLAIN_REASON : reasonOfScan(table, query, plan, without),
        }));
        explained.push({
          query,
          tenant,
          mode,
          plan,
          indexes: indexesOf(plan),
          flagged: reasons.filter(({ reason }) => reason === null).map(({ table }) => table),
          excused: reasons.flatMap(({ table, reason }) => (reason === null ? [] : { table, reason })),
          lacking,
        });
      }
    }
  }
  return explained;
}

/** Whether a query lacks its index, or does not use it where it should. */
export function isFaulty({ flagged, lacking }: ExplainedQuery): boolean {
  return flagged.length + lacking.length > 0;
}

/**
 * Why a table is read wholly though the indexes that are meant for the query could serve it: the
 * tenant owns so much of it that the planner takes a scan to be cheaper. Null when they could not.
 */
function reasonOfScan(table: string, query: ProductQuery, plan: PlanNode, without: PlanNode): string | null {
  const indexes = indexesOf(without);
  if (!usesIntendedIndexes({ query, indexes }) || sequentialTables(without).includes(table)) return null;
  const costs = [plan, without].map((one) => Math.round(one['Total Cost']));
  return `cost ${costs[0]}, by its indexes ${costs[1]}`;
}

function lackingTables({ uses }: ProductQuery, indexes: ReadonlySet<string>): string[] {
  const lacking = uses.map((anyOf) => [anyOf].flat()).filter((anyOf) => !anyOf.some((name) => indexes.has(name)));
  return [...new Set(lacking.flatMap(([name = '']) => catalogEntry(name)?.definition.table ?? []))];
}

/** Whether the plan uses what it is meant to use. */
export function usesIntendedIndexes({ query, indexes }: Pick<ExplainedQuery, 'query' | 'indexes'>): boolean {
  return query.uses.every((anyOf) => [anyOf].flat().some((index) => indexes.includes(index)));
}
