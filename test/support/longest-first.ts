import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const TESTS = path.resolve(import.meta.dirname, '..');

/** Files that take twelve seconds or more with others beside them, the longest first. */
const LONG_FILES = [
  'real-data.test.ts',
  'prisma/own-migrations.test.ts',
  'bootstrap/run.test.ts',
  'soak/run-soak.test.ts',
  'graphql/fuzz.test.ts',
  'cache/outbox/shared-redis.test.ts',
  'embedded/bare-machine.test.ts',
  'indexes/plans-and-advice.test.ts',
  'cli/refused-commands.test.ts',
  'cache/data/data-entries.test.ts',
  'http/hostile/one-reading.test.ts',
  'http/graphiql.browser.test.ts',
  'accounts/account-pages.test.ts',
  'cache/patterns.test.ts',
  'graphql/executors.test.ts',
  'embedded/embedded-postgres.test.ts',
  'statistics/every-writer.test.ts',
  'prisma/schema-engine.test.ts',
  'tenancy/two-tenants.test.ts',
  'cache/protocol/trust.test.ts',
  'graphql/bad-requests.test.ts',
  'cache/data/one-moment.test.ts',
  'limits/values.test.ts',
  'prisma/embedded-database.test.ts',
  'prisma/failed-migration.test.ts',
  'cache/outbox/blind-follower.test.ts',
  'indexes/explain-command.test.ts',
  'cache/outbox/failovers.test.ts',
  'import/command.test.ts',
  'graphql/bad-input.test.ts',
  'cache/outbox/redis-failures.test.ts',
  'limits/migration.test.ts',
  'cli/every-command.test.ts',
  'transactions/movement-order.test.ts',
  'monitoring/slow-plans.test.ts',
  'cache/outbox/failed-bumps.test.ts',
  'indexes/service-workload.test.ts',
  'statistics/kept-ready.test.ts',
  'import/import-refusals.test.ts',
  'cache/response-cache.test.ts',
  'import/import-rejects.test.ts',
  'cache/protocol/protocol.test.ts',
  'http/stopped-statements.test.ts',
];

/** Starts the long files before the others, so that none of them is left over for one worker at the end. */
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
