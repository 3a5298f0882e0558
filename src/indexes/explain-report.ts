import { formatTable } from '../cli/table.ts';
import type { ExplainedQuery } from './explain-queries.ts';
import { planLines } from './plan.ts';

const PLAN_NAMES = { custom: 'with values', generic: 'generic' } as const;

/** The plans as a table, the flagged ones in full below it. */
export function formatExplained(explained: readonly ExplainedQuery[], withPlans: boolean): string {
  const rows = explained.map(({ query, tenant, mode, plan, indexes, flagged, excused }) => [
    tenant.slug,
    query.name,
    PLAN_NAMES[mode],
    String(Math.round(plan['Total Cost'])),
    indexes.join(', ') || '-',
    [...flagged.map((table) => `READS ALL OF ${table}`), ...excused.map((table) => `reads ${table} (rightly)`)].join(
      ', ',
    ),
  ]);
  const shown = explained.filter(({ flagged }) => withPlans || flagged.length);
  return [
    formatTable(['tenant', 'query', 'plan', 'cost', 'indexes', 'sequential scans'], rows),
    ...shown.map(planText),
    summary(explained),
  ].join('\n\n');
}

/** For programs. */
export function explainedAsJson(explained: readonly ExplainedQuery[]): object[] {
  return explained.map(({ query, tenant, mode, plan, indexes, flagged, excused }) => {
    const { name, model, action } = query;
    return {
      tenant: tenant.slug,
      query: name,
      model,
      action,
      mode,
      sql: query.query.text,
      indexes,
      flagged,
      excused,
      plan,
    };
  });
}

function planText({ query, tenant, mode, plan }: ExplainedQuery): string {
  return [`${query.name}, ${tenant.slug}, ${PLAN_NAMES[mode]}:`, ...planLines(plan).map((line) => `  ${line}`)].join(
    '\n',
  );
}

function summary(explained: readonly ExplainedQuery[]): string {
  const flagged = explained.filter((one) => one.flagged.length).length;
  const tenants = [...new Set(explained.map(({ tenant }) => `${tenant.slug} (${tenant.accounts} accounts)`))].join(
    ', ',
  );
  const verdict = flagged ? `${flagged} read a whole table` : 'none reads a whole table without need';
  return `${explained.length} plans of the product's queries for ${tenants}: ${verdict}.`;
}
