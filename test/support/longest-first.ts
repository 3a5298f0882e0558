import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const TESTS = path.resolve(import.meta.dirname, '..');

/** Files that take ten seconds or more with others beside them, the longest first. */
const LONG_FILES = [
  'graphql/fuzz.system.test.ts',
  'real-data.system.test.ts',
  'prisma/own-migrations.system.test.ts',
  'startup/rolling-restart.system.test.ts',
  'startup/main.system.test.ts',
  'startup/workers.system.test.ts',
  'soak/run-soak.system.test.ts',
  'cache/change-feed/shared-redis.system.test.ts',
  'embedded/bare-machine.system.test.ts',
  'database/migrating-logins.system.test.ts',
  'http/graphiql.system.test.ts',
  'indexes/explain-command.system.test.ts',
  'http/hostile/hostile-suite.system.test.ts',
  'cache/change-feed/failovers.system.test.ts',
  'prisma/failed-migration.system.test.ts',
  'prisma/embedded-database.system.test.ts',
  'embedded/embedded-postgres.system.test.ts',
  'prisma/schema-engine.system.test.ts',
  'statistics/every-writer.system.test.ts',
  'cache/data/data-entries.test.ts',
  'cache/protocol/trust.system.test.ts',
  'http/fair-shares.system.test.ts',
  'bootstrap/run.system.test.ts',
  'indexes/plans-and-advice.system.test.ts',
  'cache/change-feed/blind-reader.system.test.ts',
  'prisma/lock-file.system.test.ts',
  'transactions/transaction-order.system.test.ts',
  'cache/data/one-moment.system.test.ts',
  'limits/migration.system.test.ts',
  'statistics/kept-ready.test.ts',
  'import/import-rejects.test.ts',
  'http/stopped-statements.system.test.ts',
  'graphql/bad-requests.test.ts',
  'database/grant-command.system.test.ts',
  'import/import-refusals.test.ts',
  'accounts/account-pages.test.ts',
  'http/draining.system.test.ts',
  'cli/refused-commands.system.test.ts',
  'monitoring/slow-plans.test.ts',
  'import/import-folder.test.ts',
  'tenancy/two-tenants.test.ts',
  'tenancy/prisma-scope-concurrency.system.test.ts',
  'cache/change-feed/redis-failures.system.test.ts',
  'graphql/bad-input.test.ts',
  'cache/change-feed/failed-bumps.system.test.ts',
  'database/hostile-defaults.system.test.ts',
  'database/faults.test.ts',
  'cache/protocol/protocol.system.test.ts',
  'seed/seed-database.system.test.ts',
  'indexes/create.system.test.ts',
  'tenancy/leak-suite.test.ts',
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
