import { userInfo } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { helpOf, parseCommandLine } from '../../src/cli/command-line.ts';
import { describeError } from '../../src/cli/run-command.ts';
import { BUDGET, budgetCommand } from '../../src/commands/budget-command.ts';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createPlainlyOwnedDatabase, type PlainlyOwnedDatabase } from '../support/plain-owner.ts';
import { withKeptClient } from '../support/postgres.ts';

let database: PlainlyOwnedDatabase;
let written: string[] = [];
beforeAll(async () => {
  database = await createPlainlyOwnedDatabase();
  for (const slug of ['acme', 'rival']) await insertTenant(database.url, { slug });
});
afterAll(() => database?.drop());
beforeEach(() => {
  written = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await sql('UPDATE tenants SET points_per_minute = NULL; TRUNCATE audit_log');
});

const sql = async (text: string) => (await withKeptClient(database.url, (client) => client.query(text))).rows;
const budgets = () => sql('SELECT slug, points_per_minute AS points FROM tenants ORDER BY slug');
const lines = () =>
  sql(`SELECT slug, action, key, outcome, codes, subject FROM audit_log LEFT JOIN tenants ON tenants.id = tenant_id
       ORDER BY at, audit_log.id`);

/**
 * By a login that may do what the role may. By default the owner, whom row-level security holds.
 */
async function run(argv: readonly string[], role = database.owner): Promise<string> {
  const url = new URL(database.url);
  url.searchParams.set('options', `-c role=${role}`);
  vi.stubEnv('DATABASE_URL', url.href);
  const line = parseCommandLine(BUDGET, argv);
  if (line === 'help') return helpOf(BUDGET);
  written = [];
  expect(await budgetCommand(line)).toBe(0);
  return written.join('');
}

const ACME = ['--tenant', 'acme'];
const DEFAULT = 'acme: the default of the service (LIMIT_TENANT_POINTS_PER_MINUTE)\n';
const line = (key: string) => ({
  slug: 'acme',
  action: 'tenants:budget',
  key,
  outcome: 'DONE',
  codes: [],
  subject: `operator:${userInfo().username}`,
});

test('gives a tenant a number of its own and takes it back, and no other one, and leaves a line for each change', async () => {
  expect(await run(ACME)).toBe(DEFAULT);
  expect(await run([...ACME, '--points', '12_000_000'])).toBe('acme: 12,000,000 points a minute\n');
  expect(await budgets()).toEqual([
    { slug: 'acme', points: 12_000_000 },
    { slug: 'rival', points: null },
  ]);
  expect(await run(ACME)).toBe('acme: 12,000,000 points a minute\n');
  expect(await run([...ACME, '--default'])).toBe(DEFAULT);
  expect(await budgets()).toContainEqual({ slug: 'acme', points: null });
  expect(await lines()).toEqual([line('12000000'), line('default')]);
});

test.each(['250', '2147483647'])('takes %s, the end of what LIMIT_TENANT_POINTS_PER_MINUTE takes', async (points) => {
  await run([...ACME, '--points', points]);
  expect(await budgets()).toContainEqual({ slug: 'acme', points: Number(points) });
});

test.each<[string, string[], RegExp]>([
  [
    'too few',
    [...ACME, '--points', '249'],
    /^--points must be a whole number between 250 and 2147483647, but got: "249"/,
  ],
  ['too many', [...ACME, '--points', '2147483648'], /^--points must be a whole number between 250 and 2147483647/],
  ['no number', [...ACME, '--points', '1e6'], /^--points must be a whole number/],
  [
    'both',
    [...ACME, '--points', '250', '--default'],
    /^--default is no .*, and --points is "250"\.\nGive one of the two/,
  ],
  ['no tenant', ['--points', '250'], /^--tenant is missing\.\nGive the slug of a tenant\.$/],
  ['an unknown tenant', ['--tenant', 'acne', '--points', '250'], /^There is no tenant "acne"\.\n/],
])('refuses %s, and changes and records nothing', async (_, argv, told) => {
  expect(await run(argv).catch(describeError)).toMatch(told);
  expect(await budgets()).toEqual([
    { slug: 'acme', points: null },
    { slug: 'rival', points: null },
  ]);
  expect(await lines()).toEqual([]);
});

describe('the login of the service', () => {
  test('is shown a budget, and sets none', async () => {
    expect(await run(ACME, SERVICE_ROLE)).toBe(DEFAULT);
    expect(await run([...ACME, '--points', '250'], SERVICE_ROLE).catch(describeError)).toBe(
      `The login ${SERVICE_ROLE} may not read and write tenants; nothing was changed.\n` +
        'Give the DATABASE_URL of a login that owns the tables or is a member of the role that does, such as the one that migrates.',
    );
    expect(await lines()).toEqual([]);
  });
});

test('a budget and its line are kept together or not at all, and the failure is recorded', async () => {
  // The line that goes with the change is refused; the one of the failure is not.
  await sql(`
    CREATE FUNCTION refuse_done() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no line'; END $$;
    CREATE TRIGGER refuse_done BEFORE INSERT ON audit_log FOR EACH ROW WHEN (NEW.outcome = 'DONE') EXECUTE FUNCTION refuse_done()`);
  try {
    expect(await run([...ACME, '--points', '250']).catch(describeError)).toMatch(/^PostgreSQL refused: no line/);
    expect(await budgets()).toContainEqual({ slug: 'acme', points: null });
    expect(await lines()).toEqual([{ ...line('250'), outcome: 'FAILED', codes: ['P0001'] }]);
  } finally {
    await sql('DROP FUNCTION refuse_done CASCADE');
  }
});

test('says in its help what it takes', async () => {
  expect(await run(['--help'])).toMatch(/^Usage: npm run tenants:budget -- .*--points <number> .*250 to 2147483647/s);
});
