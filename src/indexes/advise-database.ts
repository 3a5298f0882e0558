import { OperatorError } from '../errors.ts';
import type { Advice } from './advice-report.ts';
import { indexesToDrop, weigh, writesPerDay } from './advise.ts';
import { analyzeIndexes } from './analyze.ts';
import type { Queryable } from './inspect.ts';
import { sampleTenants } from './samples.ts';
import { MODELS, TABLE_OF_MODEL } from './tables.ts';
import { openTrial } from './trial.ts';
import { tryCandidates } from './try-candidates.ts';
import { readCountingSince, readIndexUsage, readTableUsage } from './usage.ts';
import { askService, readWorkload, type WorkloadStatement, workloadOfService } from './workload.ts';

/** A running service to ask, where PostgreSQL keeps no workload. */
export interface ServiceSource {
  readonly url: string;
  readonly token: string;
}

export interface Workload {
  readonly statements: readonly WorkloadStatement[];
  readonly source: string;
}

/**
 * Advises which indexes to create and to drop. Changes nothing.
 * @throws OperatorError when there is no workload, or no tenant with accounts
 */
export async function adviseIndexes(client: Queryable, workload: Workload, now = new Date()): Promise<Advice> {
  const tenants = await sampleTenants(client);
  if (!tenants.length)
    throw new OperatorError('No tenant has an account: there is nothing to plan for.', 'Fill it: npm run db:seed');
  const countingSince = await readCountingSince(client);
  const usage = await readIndexUsage(client, MODELS);
  const writes = writesPerDay(
    await readTableUsage(client, MODELS),
    countingSince,
    now,
    (model) => TABLE_OF_MODEL[model],
  );
  const valid = usage.filter((index) => index.valid).map(({ definition }) => definition);
  const { tried, method } = await tryCandidates(client, workload.statements, tenants, valid, (tables) =>
    openTrial(client, tables),
  );
  return {
    create: weigh(tried, writes),
    drop: indexesToDrop(analyzeIndexes(usage, countingSince), countingSince, now),
    statements: workload.statements.length,
    source: workload.source,
    method,
  };
}

/** From the service when one is given, else from pg_stat_statements. */
export async function findWorkload(client: Queryable, service: ServiceSource | undefined): Promise<Workload> {
  if (service) {
    const [sample] = await sampleTenants(client);
    const { counted, observedSeconds } = await askService(service.url, service.token);
    const statements = sample ? await workloadOfService(counted, observedSeconds, sample) : [];
    return { statements, source: `the service at ${service.url}` };
  }
  const statements = await readWorkload(client);
  if (statements) return { statements, source: 'pg_stat_statements' };
  throw new OperatorError(
    'This server does not load pg_stat_statements, which would tell the workload.',
    "Add it to shared_preload_libraries, or ask a running service: npm run indexes:advise -- --from <url of its /graphql> --token <an OPERATOR's>",
  );
}
