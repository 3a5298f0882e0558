import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { cleanPiece } from '../../src/app/retention.ts';
import { Role } from '../../src/auth/caller.ts';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { RETENTION, retentionCommand } from '../../src/commands/retention-command.ts';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import { checkStatistics, rebuildStatistics } from '../../src/statistics/check.ts';
import { insertAccounts, insertTenant, insertTransactions } from '../support/fixtures.ts';
import { withClient, withKeptClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';

const ZONE = 'Europe/Prague';
const DAY_MS = 86_400_000;
/** Days of transactions that acme keeps in these tests. */
const KEPT = 40;
const RETENTION_CONFIG = { auditDays: 400, idempotencyHours: 48 };

let service: TestService;
const tenants: Record<string, string> = {};
const accounts: Record<string, string> = {};
beforeAll(async () => {
  service = await startService();
  for (const slug of ['acme', 'rival']) {
    tenants[slug] = await insertTenant(service.databaseUrl, { slug, timeZone: ZONE });
    const [id] = await insertAccounts(service.databaseUrl, tenants[slug], [{ accountNumber: slug, balance: '1000' }]);
    accounts[slug] = id as string;
  }
});
afterAll(() => service?.close());
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await sql('UPDATE tenants SET keep_transactions_days = NULL, folded_until = NULL; DELETE FROM folded_totals');
  await sql('TRUNCATE transactions; TRUNCATE audit_log');
});

const sql = async (text: string, values: unknown[] = []) =>
  (await withKeptClient(service.databaseUrl, (client) => client.query(text, values))).rows;
const keep = (days: number | null) =>
  sql('UPDATE tenants SET keep_transactions_days = $1 WHERE slug = $2', [days, 'acme']);
const differences = () =>
  withClient(service.databaseUrl, async (client) => [
    ...(await checkStatistics(client, tenants.acme as string)),
    ...(await checkStatistics(client, tenants.rival as string)),
  ]);
/** What does not change when transactions are folded: all that is made of totals. */
const TOTALS = `{
  dashboard { accountsByType { count } activity(days: 300) { totals { currency net } series { date flows { transactionCount inflow outflow } } } }
  statistics(period: MONTHLY, from: "2020-01-01") { totals { transactionCount net } buckets { start flows { inflow } } byCategory { category flows { outflow } } }
}`;
const LISTS = '{ transactions(first: 100) { totalCount nodes { bookedAt amount } } }';
async function answer(slug: string, query: string): Promise<unknown> {
  await service.untilCaughtUp();
  const { data, errors } = await service.send(await service.token(Role.ADMIN, slug), query);
  expect(errors).toBeUndefined();
  return data;
}
const rowsOf = (slug: string) =>
  sql(
    `SELECT to_char(booked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "bookedAt", amount::text
       FROM transactions WHERE tenant_id = $1 ORDER BY booked_at DESC, id DESC`,
    [tenants[slug]],
  );

interface Row {
  readonly ageMs: number;
  readonly direction: 'CREDIT' | 'DEBIT';
  readonly amount: string;
  readonly category: string | null;
}
const ROW: fc.Arbitrary<Row> = fc.record({
  ageMs: fc.integer({ min: 60_000, max: 200 * DAY_MS }),
  direction: fc.constantFrom('CREDIT', 'DEBIT'),
  amount: fc.integer({ min: 1, max: 99_999 }).map((units) => (units / 100).toFixed(4)),
  category: fc.constantFrom(null, 'rent', 'food'),
});
const OLD: Row = { ageMs: 100 * DAY_MS, direction: 'CREDIT', amount: '10.0000', category: null };
const NEW: Row = { ...OLD, ageMs: DAY_MS, amount: '3.0000' };

async function insert(slug: string, rows: readonly Row[]): Promise<void> {
  await insertTransactions(
    service.databaseUrl,
    tenants[slug] as string,
    rows.map(({ ageMs, ...row }) => ({
      ...row,
      accountId: accounts[slug] as string,
      bookedAt: new Date(Date.now() - ageMs).toISOString(),
    })),
  );
}

/** As the service does it. @returns how many were folded */
async function fold(pieceRows: number): Promise<number> {
  const { removed, errors } = await cleanPiece(service.services.database, RETENTION_CONFIG, pieceRows);
  expect(errors).toEqual([]);
  return removed;
}

async function run(...argv: string[]): Promise<string> {
  const url = new URL(service.databaseUrl);
  vi.stubEnv('DATABASE_URL', url.href);
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const line = parseCommandLine(RETENTION, argv);
  if (line === 'help') throw new Error('asked for help');
  expect(await retentionCommand(line)).toBe(0);
  vi.mocked(process.stdout.write).mockRestore();
  return written.join('');
}

test('folding changes no total, whatever there is and in whatever pieces, and lists have what is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(ROW, { maxLength: 12 }),
      fc.array(ROW, { maxLength: 3 }),
      fc.integer({ min: 1, max: 5 }),
      async (rows, later, pieceRows) => {
        await sql('UPDATE tenants SET keep_transactions_days = NULL, folded_until = NULL; DELETE FROM folded_totals');
        await sql('TRUNCATE transactions');
        await insert('acme', rows);
        await insert('rival', rows);
        const before = await answer('acme', TOTALS);
        await keep(KEPT);
        for (let folded = -1; folded !== 0; ) {
          folded = await fold(pieceRows);
          expect(await differences()).toEqual([]);
        }
        expect(await answer('acme', TOTALS)).toEqual(before);
        const left = await rowsOf('acme');
        expect(await answer('acme', LISTS)).toEqual({ transactions: { totalCount: left.length, nodes: left } });
        const oldest = Date.now() - (KEPT + 2) * DAY_MS;
        expect(left.every(({ bookedAt }) => Date.parse(bookedAt) > oldest)).toBe(true);
        expect(await rowsOf('rival')).toHaveLength(rows.length);
        // What is written, removed and made anew afterwards keeps what is folded.
        await insert(
          'acme',
          later.map((row) => ({ ...row, ageMs: row.ageMs % (30 * DAY_MS) })),
        );
        await sql('DELETE FROM transactions WHERE amount > 500');
        expect(await differences()).toEqual([]);
        const now = await answer('acme', TOTALS);
        await withClient(service.databaseUrl, (client) => rebuildStatistics(client, tenants.acme as string));
        expect(await answer('acme', TOTALS)).toEqual(now);
        await sql('TRUNCATE transactions');
        expect(await differences()).toEqual([]);
      },
    ),
    { numRuns: 8, seed: 3 },
  );
});

test('a piece that is broken off has folded nothing, and the next one goes on', async () => {
  await insert('acme', [OLD, { ...OLD, ageMs: 101 * DAY_MS }, NEW]);
  await keep(KEPT);
  await withClient(service.databaseUrl, async (client) => {
    await client.query(`SET ROLE ${SERVICE_ROLE}; BEGIN`);
    expect((await client.query('SELECT folded FROM transactions_fold(NULL, 1)')).rows).toEqual([{ folded: '1' }]);
    expect(await fold(1)).toBe(0); // one session folds at a time
    await client.query('ROLLBACK');
  });
  expect(await rowsOf('acme')).toHaveLength(3);
  expect([await fold(1), await fold(1), await fold(1)]).toEqual([1, 1, 0]);
  expect(await rowsOf('acme')).toHaveLength(1);
});

test('nothing is folded of a tenant that keeps its transactions, whoever asks', async () => {
  await insert('acme', [OLD]);
  expect(await fold(10)).toBe(0);
  expect(await sql('SELECT * FROM transactions_fold($1, 10)', [tenants.acme])).toEqual([]);
  await keep(365);
  expect(await fold(10)).toBe(0);
});

test('a transaction from before what is folded is refused, by the API with its place in the input', async () => {
  await insert('acme', [OLD]);
  await keep(KEPT);
  await fold(10);
  const record = async (...bookedAt: (string | null)[]) =>
    service.send(
      await service.token(Role.ADMIN, 'acme'),
      'mutation ($input: RecordTransactionsInput!) { recordTransactions(input: $input) { transactions { id } userErrors { field code message } } }',
      {
        input: {
          idempotencyKey: `fold ${bookedAt}`,
          transactions: bookedAt.map((at) => ({
            accountId: accounts.acme,
            direction: 'CREDIT',
            amount: '1',
            bookedAt: at,
          })),
        },
      },
    );
  const [{ until }] = await sql(
    `SELECT to_char(folded_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS until FROM tenants WHERE slug = 'acme'`,
  );
  const early = new Date(Date.parse(until) - 1).toISOString();
  const refused = await record(null, until, early);
  expect(refused.data.recordTransactions).toEqual({
    transactions: [],
    userErrors: [
      {
        field: ['input', 'transactions', '2', 'bookedAt'],
        code: 'BOOKED_TOO_EARLY',
        message: `Transactions from before ${until} are folded into totals: give this instant or a later one.`,
      },
    ],
  });
  expect(await rowsOf('acme')).toEqual([]);
  const taken = await record(null, until);
  expect(taken.data.recordTransactions.userErrors).toEqual([]);
  await expect(insert('acme', [OLD])).rejects.toThrow(/are folded/);
  await insert('rival', [OLD]);
  expect(await differences()).toEqual([]);
});

test('the days of what is folded cannot be cut anew: the time zone stays', async () => {
  await insert('acme', [OLD]);
  await keep(KEPT);
  await sql("UPDATE tenants SET time_zone = 'UTC' WHERE slug = 'acme'");
  await sql('UPDATE tenants SET time_zone = $1', [ZONE]);
  await fold(10);
  await expect(sql("UPDATE tenants SET time_zone = 'UTC'")).rejects.toThrow(
    /time zone of tenant acme cannot be changed/,
  );
  await sql("UPDATE tenants SET name = 'Acme', time_zone = $1", [ZONE]);
});

test('the command shows, sets, tells what is due, and folds at once', async () => {
  await insert('acme', [OLD, { ...OLD, ageMs: 90 * DAY_MS }, NEW]);
  expect(await run('--tenant', 'acme')).toBe('acme: keeps its transactions for ever\n');
  expect(await run('--tenant', 'acme', '--days', '60', '--fold', '--dry-run')).toBe(
    'acme: keeps its transactions for 60 days\n  older and not folded yet: 2\n  dry run: nothing was changed\n',
  );
  expect(await rowsOf('acme')).toHaveLength(3);
  expect(JSON.parse(await run('--tenant', 'acme', '--days', '60', '--json'))).toEqual({
    slug: 'acme',
    ...{ days: 60, foldedUntil: null, due: 2, folded: 0 },
  });
  expect(JSON.parse(await run('--tenant', 'acme', '--fold', '--json'))).toEqual({
    slug: 'acme',
    ...{ days: 60, foldedUntil: expect.stringMatching(/^20.*Z$/), due: 0, folded: 2 },
  });
  expect(await run('--tenant', 'acme', '--forever')).toMatch(
    /^acme: keeps its transactions for ever\n {2}folded: those from before 20/,
  );
  expect(
    await sql(`SELECT action, key, outcome FROM audit_log WHERE action = 'tenants:retention' ORDER BY at`),
  ).toEqual([
    { action: 'tenants:retention', key: '60', outcome: 'DONE' },
    { action: 'tenants:retention', key: 'forever', outcome: 'DONE' },
  ]);
});

test.each([
  [['--days', '30'], /--days must be a whole number between 31 and 36500, but got: "30"/],
  [['--days', '60', '--forever'], /--forever keeps all transactions, and --days is "60"/],
])('refuses %j', async (argv, expected) => {
  await expect(run('--tenant', 'acme', ...argv)).rejects.toThrow(expected);
  expect(await sql('SELECT keep_transactions_days AS days FROM tenants WHERE slug = $1', ['acme'])).toEqual([
    { days: null },
  ]);
});
