import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const TESTS = path.resolve(import.meta.dirname, '..');

/** Files that take fifteen seconds or more with others beside them, the longest first. */
const LONG_FILES = [
  'model-new/model-new.system.test.ts',
  'startup/main.system.test.ts',
  'graphql/fuzz.system.test.ts',
  'real-data.system.test.ts',
  'database/migrating-logins.system.test.ts',
  'doctor/doctor.system.test.ts',
  'startup/rolling-restart.system.test.ts',
  'prisma/own-migrations.system.test.ts',
  'http/hostile/hostile-suite.system.test.ts',
  'ops/ops-page.system.test.ts',
  'startup/workers.system.test.ts',
  'telemetry/export.system.test.ts',
  'embedded/bare-machine.system.test.ts',
  'live/subscriptions.system.test.ts',
  'cache/change-feed/shared-redis.system.test.ts',
  'embedded/embedded-postgres.system.test.ts',
  'http/graphiql.system.test.ts',
  'indexes/plans-and-advice.system.test.ts',
  'cache/data/data-entries.test.ts',
  'indexes/explain-command.system.test.ts',
  'statistics/every-writer.system.test.ts',
  'database/grant-command.system.test.ts',
  'transactions/transaction-order.system.test.ts',
  'audit/records.test.ts',
  'prisma/schema-engine.system.test.ts',
  'usage/tenant-usage.test.ts',
  'bootstrap/run.system.test.ts',
  'cache/data/one-moment.system.test.ts',
  'load/soak/run-soak.system.test.ts',
  'audit/changed-tenants.system.test.ts',
  'prisma/embedded-database.system.test.ts',
  'http/draining.system.test.ts',
  'database/other-rights.system.test.ts',
  'http/stopped-statements.system.test.ts',
  'cache/change-feed/blind-reader.system.test.ts',
  'cache/protocol/trust.system.test.ts',
  'statistics/kept-ready.test.ts',
  'graphql/bad-input.test.ts',
  'limits/values.test.ts',
  'cache/change-feed/failovers.system.test.ts',
  'tenancy/two-tenants.test.ts',
  'prisma/failed-migration.system.test.ts',
  'http/hostile/one-reading.test.ts',
  'http/fair-shares.system.test.ts',
  'import/import-rejects.test.ts',
  'apollo/executors.test.ts',
  'cache/patterns.test.ts',
  'graphql/bad-requests.test.ts',
  'cli/refused-commands.system.test.ts',
  'tenancy/end-of-day.test.ts',
  'accounts/account-pages.test.ts',
  'indexes/service-workload.system.test.ts',
  'budget/budget.test.ts',
  'http/listener.test.ts',
  'cache/response-cache.test.ts',
  'indexes/unplannable-statements.system.test.ts',
  'database/faults.test.ts',
  'monitoring/slow-plans.test.ts',
];

/**
 * Starts the long files before the others, so that none of them is left over for one worker at the
 * end.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rest = await super.sort(files);
    return rest.toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const index = LONG_FILES.indexOf(path.relative(TESTS, moduleId));
  return index === -1 ? LONG_FILES.length : index;
}
