import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const TESTS = path.resolve(import.meta.dirname, '..');

/** Files that take five seconds or more on a quiet machine, the longest first. */
const LONG_FILES = [
  'real-data.test.ts',
  'embedded/bare-machine.test.ts',
  'prisma/own-migrations.test.ts',
  'soak/run-soak.test.ts',
  'indexes/plans-and-advice.test.ts',
  'bootstrap/run.test.ts',
  'prisma/schema-engine.test.ts',
  'http/graphiql.browser.test.ts',
  'cli/refused-commands.test.ts',
  'tenancy/two-tenants.test.ts',
  'embedded/embedded-postgres.test.ts',
  'cache/outbox/failed-bumps.test.ts',
  'idempotency/crash.test.ts',
  'accounts/account-pages.test.ts',
  'graphql/bad-input.test.ts',
  'prisma/embedded-database.test.ts',
  'prisma/failed-migration.test.ts',
  'transactions/concurrent-movements.test.ts',
  'graphql/executors.test.ts',
  'import/command.test.ts',
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
