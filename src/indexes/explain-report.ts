import { formatTable } from '../cli/table.ts';
import { counted } from '../counted.ts';
import { planLines } from '../database/plan.ts';
import { type ExplainedQuery, isFaulty } from './explain-queries.ts';

const PLAN_NAMES = { custom: 'with values', generic: 'generic' } as const;

/** The plans as a table, the flagged ones in full below it. */
export function formatExplained(explained: readonly ExplainedQuery[], withPlans: boolean): string {
  const rows = explained.map(({ query, tenant, mode, plan, indexes, flagged, excused, lacking }) => [
    tenant.slug,
    query.name,
    PLAN_NAMES[mode],
    String(Math.round(plan['Total Cost'])),
    indexes.join(', ') || '-',
    [
      ...lacking.map((table) => `LACKS ITS INDEX of ${table}`),
      ...flagged.map((table) => `READS ALL OF ${table}`),
      ...excused.map(({ table, reason }) => `reads all of ${table}, rightly (${reason})`),
    ].join('; '),
  ]);
  const shown = explained.filter((one) => withPlans || isFaulty(one));
  return [
    formatTable(['tenant', 'query', 'plan', 'cost', 'indexes', 'findings'], rows),
    ...shown.map(planText),
    summary(explained),
  ].join('\n\n');
}

/** For programs. */
export function explainedAsJson(explained: readonly ExplainedQuery[]): object[] {
  return explained.map(({ query, tenant, mode, plan, indexes, flagged, excused, lacking }) => {
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
      lacking,
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
  const scanning = explained.filter((one) => one.flagged.length).length;
  const lacking = explained.filter((one) => one.lacking.length).length;
  const tenants = [
    ...new Set(explained.map(({ tenant }) => `${tenant.slug} (${counted(tenant.accounts, 'account')})`)),
  ].join(', ');
  const faults = [
    ...(scanning ? [`${scanning} read a whole table`] : []),
    ...(lacking ? [`${lacking} lack their index (npm run indexes:create)`] : []),
  ];
  const verdict = faults.join(', ') || 'every query has its index, and none reads a whole table without need';
  return `${counted(explained.length, 'plan')} of the product's queries for ${tenants}: ${verdict}.`;
}
