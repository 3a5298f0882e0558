import type { Queryable } from '../database/read-indexes.ts';
import { MODELS, TABLE_OF_MODEL } from '../database/tables.ts';
import { StateError } from '../errors.ts';
import type { Advice } from './advice-report.ts';
import { indexesToDrop, weigh, writesPerDay } from './advise.ts';
import { analyzeIndexes } from './analyze.ts';
import { sampleTenants } from './samples.ts';
import { type ReportSource, readReport, workloadOfService } from './service-workload.ts';
import { openTrial } from './trial.ts';
import { tryCandidates } from './try-candidates.ts';
import { readCountingSince, readIndexUsage, readTableUsage } from './usage.ts';
import { readWorkload, type WorkloadStatement } from './workload.ts';

export interface Workload {
  readonly statements: readonly WorkloadStatement[];
  readonly source: string;
  /** What the source has and does not tell, as sentences. */
  readonly gaps?: readonly string[];
}

/**
 * Advises which indexes to create and to drop. Changes nothing.
 * @throws OperatorError when there is no workload, or no tenant with accounts
 */
export async function adviseIndexes(client: Queryable, workload: Workload, now = new Date()): Promise<Advice> {
  const tenants = await sampleTenants(client);
  if (!tenants.length)
    throw new StateError('No tenant has an account: there is nothing to plan for.', 'Fill it: npm run db:seed');
  const countingSince = await readCountingSince(client);
  const usage = await readIndexUsage(client, MODELS);
  const writes = writesPerDay(
    await readTableUsage(client, MODELS),
    countingSince,
    now,
    (model) => TABLE_OF_MODEL[model],
  );
  const valid = usage.filter((index) => index.valid).map(({ definition }) => definition);
  const { tried, unplanned, method } = await tryCandidates(client, workload.statements, tenants, valid, (tables) =>
    openTrial(client, tables),
  );
  return {
    create: weigh(tried, writes),
    drop: indexesToDrop(analyzeIndexes(usage, countingSince), countingSince, now),
    unplanned,
    gaps: workload.gaps ?? [],
    statements: workload.statements.length,
    source: workload.source,
    method,
  };
}

/**
 * From a service's report when one is given, else from pg_stat_statements.
 * @throws OperatorError when it cannot be had
 */
export async function findWorkload(client: Queryable, report: ReportSource | undefined): Promise<Workload> {
  if (report) {
    const [sample] = await sampleTenants(client);
    const statements = sample ? await workloadOfService(await readReport(report), sample) : [];
    return { statements, source: 'file' in report ? report.file : `the service at ${report.url}` };
  }
  const found = await readWorkload(client);
  if (found) return { ...found, source: 'pg_stat_statements' };
  throw new StateError(
    'This server does not load pg_stat_statements, which would tell the workload.',
    "Add it to shared_preload_libraries, or ask a running service: npm run indexes:advise -- --from <url of its /graphql> --token <an OPERATOR's>",
  );
}
