import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { MODELS_OF_NO_TENANT } from '../../src/tenancy/tenant-models.ts';
import {
  ATTEMPTED_MODELS,
  type Attempt,
  NESTED_ATTEMPTS,
  OPERATION_ATTEMPTS,
  OTHER_ATTEMPTS,
} from './leak-attempts.ts';
import { clientWith, createLeakDatabase, OWN, THEIRS, within } from './leak-fixture.ts';

const ATTEMPTS = [...OPERATION_ATTEMPTS, ...NESTED_ATTEMPTS, ...OTHER_ATTEMPTS];

/** More than 160 attempts: seconds, and more on a machine that does other things as well. */
const TIMEOUT_MS = 60_000;

let database: Awaited<ReturnType<typeof createLeakDatabase>>;
beforeAll(async () => {
  database = await createLeakDatabase();
});
afterAll(() => database.close());

/** What of the other tenant came out or was changed; null when nothing was. */
async function leakOf(
  prisma: ReturnType<typeof clientWith>['prisma'],
  { run, counts }: Attempt,
): Promise<string | null> {
  const answer = await within(OWN, () => run(prisma)).catch((error: unknown) => ({ error }));
  const changed = await database.putBack();
  const failed = typeof answer === 'object' && answer !== null && 'error' in answer;
  // What an error says of the arguments is what the caller said itself.
  const text = failed
    ? ''
    : (JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? Number(value) : value)) ?? '');
  const shown = text.includes('theirs') || text.includes(THEIRS.id) || (counts && /[1-9]/.test(text));
  if (shown) return `showed ${text}`;
  return changed ? `changed rows, and answered ${text}` : null;
}

async function leaksWith(defences: Parameters<typeof clientWith>[1]): Promise<Map<string, string | null>> {
  const client = clientWith(database.url, defences);
  const leaks = new Map<string, string | null>();
  for (const attempt of ATTEMPTS) {
    leaks.set(attempt.name, await leakOf(client.prisma, attempt));
  }
  await client.close();
  return leaks;
}

test('the attempts are every operation of Prisma on every model of the tenants', () => {
  const models = Object.keys(Prisma.ModelName).filter((name) => !(name in MODELS_OF_NO_TENANT));
  expect(ATTEMPTED_MODELS.map((name) => name.toLowerCase())).toEqual(models.map((name) => name.toLowerCase()));
  const client = clientWith(database.url, { extension: false, rowLevelSecurity: true });
  const known = Object.keys(client.prisma.bankAccount).filter((name) =>
    /^(find|count|agg|group|create|update|upsert|delete)(?!.*Raw$)/.test(name),
  );
  const attempted = OPERATION_ATTEMPTS.flatMap(({ operation }) =>
    operation.startsWith('bankAccount.') ? [operation.slice(12)] : [],
  );
  expect([...new Set(attempted)].sort()).toEqual(known.sort());
});

describe('another tenant’s rows', { timeout: TIMEOUT_MS }, () => {
  test('are reached by every attempt where nothing stops it', async () => {
    const leaks = await leaksWith({ extension: false, rowLevelSecurity: false });
    expect([...leaks].filter(([, leak]) => leak === null)).toEqual([]);
  });

  test.each([
    ['the extension and row-level security', { extension: true, rowLevelSecurity: true }],
    ['the extension alone', { extension: true, rowLevelSecurity: false }],
    ['row-level security alone', { extension: false, rowLevelSecurity: true }],
  ])('are reached by none with %s', async (_, defences) => {
    const leaks = await leaksWith(defences);
    expect(leaks.size).toBe(ATTEMPTS.length);
    expect([...leaks].filter(([, leak]) => leak !== null)).toEqual([]);
  });
});
