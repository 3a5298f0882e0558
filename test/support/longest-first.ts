import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const TESTS = path.resolve(import.meta.dirname, '..');

/** Files that take twelve seconds or more with others beside them, the longest first. */
const LONG_FILES = [
  'graphql/fuzz.test.ts',
  'real-data.system.test.ts',
  'prisma/own-migrations.system.test.ts',
  'startup/rolling-restart.system.test.ts',
  'startup/main.system.test.ts',
  'startup/workers.system.test.ts',
  'indexes/explain-command.test.ts',
  'indexes/plans-and-advice.test.ts',
  'graphql/bad-requests.test.ts',
  'cache/data/data-entries.test.ts',
  'cache/outbox/shared-redis.test.ts',
  'accounts/account-pages.test.ts',
  'soak/run-soak.system.test.ts',
  'embedded/bare-machine.system.test.ts',
  'database/migrating-logins.system.test.ts',
  'transactions/movement-order.test.ts',
  'graphql/executors.test.ts',
  'http/graphiql.system.test.ts',
  'cache/outbox/failovers.system.test.ts',
  'statistics/every-writer.test.ts',
  'cache/patterns.test.ts',
  'prisma/failed-migration.system.test.ts',
  'graphql/bad-input.test.ts',
  'prisma/embedded-database.system.test.ts',
  'embedded/embedded-postgres.system.test.ts',
  'prisma/schema-engine.system.test.ts',
  'cache/outbox/blind-follower.test.ts',
  'bootstrap/run.system.test.ts',
  'cache/protocol/trust.test.ts',
  'limits/values.test.ts',
  'tenancy/end-of-day.test.ts',
  'http/hostile/one-reading.test.ts',
  'cli/refused-commands.test.ts',
  'tenancy/leak-suite.test.ts',
  'statistics/kept-ready.test.ts',
  'import/import-refusals.test.ts',
  'import/import-rejects.test.ts',
  'tenancy/two-tenants.test.ts',
  'cli/run-command.test.ts',
  'prisma/lock-file.system.test.ts',
  'cache/response-cache.test.ts',
  'http/stopped-statements.test.ts',
  'cache/data/one-moment.test.ts',
  'database/hostile-defaults.test.ts',
  'import/command.test.ts',
  'monitoring/slow-plans.test.ts',
  'cache/outbox/writes-past-the-api.test.ts',
  'seed/seed-database.test.ts',
  'indexes/create.test.ts',
  'indexes/unplannable-statements.test.ts',
  'cache/protocol/protocol.test.ts',
  'cache/outbox/failed-bumps.test.ts',
  'limits/migration.system.test.ts',
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
