import { request as httpRequest } from 'node:http';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { insertTenant } from '../support/fixtures.ts';
import { makeKnown } from '../support/known-operation.ts';
import { pointsTaken, RATE_LIMIT } from '../support/points-taken.ts';
import { startService, type TestService } from '../support/service.ts';
import { until } from '../support/until.ts';

const BANKS = 400;

let service: TestService;
let sql: pg.Client;
let watching: pg.Client;
let token: string;
beforeAll(async () => {
  service = await startService();
  sql = new pg.Client({ connectionString: service.databaseUrl });
  await sql.connect();
  watching = new pg.Client({ connectionString: service.databaseUrl });
  await watching.connect();
  await addTenant('many', BANKS);
  token = await service.token(Role.VIEWER, 'many');
  await makeKnown(service, token, RATE_LIMIT);
  await service.untilCaughtUp();
});
afterAll(async () => {
  await sql?.end();
  await watching?.end();
  await service?.close();
});

/** A tenant with an account at each of so many banks. */
async function addTenant(slug: string, banks: number): Promise<void> {
  await sql.query(
    `INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, status, currency)
     SELECT $1, repeat('Bank', 20) || n, 'A' || n, 'CHECKING', 'ACTIVE', 'EUR' FROM generate_series(1, $2::integer) n`,
    [await insertTenant(service.databaseUrl, { slug }), banks],
  );
}

function banks(aliases: number, date = '2025-01-01'): string {
  const fields = Array.from(
    { length: aliases },
    (_, index) => `b${index}: accountsByBank { key count balances { amount } }`,
  );
  return `{ dashboard(date: "${date}") { ${fields.join(' ')} } }`;
}

/**
 * @param queryOf of how often it was asked before
 * @returns how many bytes the answer has, and what it took
 */
async function ask(queryOf: (attempt: number) => string) {
  const { points, result } = await pointsTaken(service, token, async (attempt) => {
    const query = queryOf(attempt);
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'accept-encoding': 'identity', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query }),
    });
    const bytes = (await response.arrayBuffer()).byteLength;
    return { query, bytes, status: response.headers.get('cache-status') ?? '' };
  });
  return { ...result, points };
}

test('all aliases of an answer show 10,000 sums at most', async () => {
  const most = 10_000 / BANKS;
  expect((await service.send(token, banks(most))).errors).toBeUndefined();
  const { errors } = await service.send(token, banks(most + 1));
  expect(errors).toMatchObject([
    {
      message: 'This answer shows more than 10000 sums, one for each group, day or bucket. Ask for fewer of them.',
      extensions: { code: 'QUERY_TOO_COMPLEX', limit: 10_000 },
    },
  ]);
});

test('an answer costs by its bytes at least, and one from the cache by those that are many', async () => {
  for (const day of ['03', '04', '05']) await service.send(token, banks(1, `2025-01-${day}`));
  await makeKnown(service, await service.token(Role.VIEWER, 'many'), RATE_LIMIT);
  const computed = await ask((attempt) => banks(1, `2025-02-${10 + attempt}`));
  expect(computed.bytes).toBeGreaterThan(40_000);
  // What the document costs where it is new counts towards it.
  expect(computed.points).toBe(Math.ceil(computed.bytes * 0.03));
  const hit = await ask(() => computed.query);
  expect(hit.status).toMatch(/^tenantry; hit/);
  expect(hit.points).toBe(40 + Math.ceil((hit.bytes - 32 * 1024) / 512));
  await service.send(token, '{ tenant { slug } }');
  const small = await ask(() => '{ tenant { slug } }');
  expect(small.points).toBe(40);
});

/** Holds back what reads the table until a statement of the service has waited for 300 ms. */
async function heldUp(table: string, send: () => Promise<void>, whenHeldUp: () => Promise<void>): Promise<void> {
  await sql.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  try {
    const sent = send();
    // By another session: in a transaction the view shows one moment.
    await until(
      async () => {
        const { rows } = await watching.query(
          `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
         AND clock_timestamp() - query_start > interval '300 ms'`,
        );
        return rows.length > 0;
      },
      'a statement that waits',
      20_000,
    );
    await whenHeldUp();
    await sent;
  } finally {
    await sql.query('ROLLBACK');
  }
}

test('a search that takes longer than its price says is paid by its time', async () => {
  const [account] = (await service.send(token, '{ accounts(first: 1) { nodes { id } } }')).data.accounts.nodes;
  const search = (least: number) =>
    `{ transactions(filter: { accountId: "${account.id}", minAmount: "${least}" }) { nodes { id } } }`;
  const { points } = await pointsTaken(service, token, (attempt) =>
    heldUp(
      'transactions',
      async () => void (await service.send(token, search(9 + attempt))),
      async () => void (await sql.query('ROLLBACK')),
    ),
  );
  expect(points).toBeGreaterThan((300 - 50) * 500);
});

test('a dashboard whose banks are kept is charged for walking through them, whatever it shows', async () => {
  const overview = 'query ($age: Int) { dashboard(maxStalenessSeconds: $age) { overview { totalAccounts } } }';
  const [slug, banks] = ['walked', 1_500];
  await addTenant(slug, banks);
  const walking = await service.token(Role.VIEWER, slug);
  for (const age of [11, 12, 13]) await service.send(token, overview, { age }); // so that it is compiled
  const pointsOf = async (age: number) => {
    const { points } = await pointsTaken(service, walking, async (attempt) => {
      expect((await service.send(walking, overview, { age: age + 20 * attempt })).errors).toBeUndefined();
    });
    return points;
  };
  const read = await pointsOf(1);
  const alone = await pointsOf(2);
  expect(read).toBe(alone + (banks - 1_000) * 0.4);
  await service.send(walking, '{ dashboard { accountsByBank { key } } }'); // from now on they are kept
  expect(await pointsOf(3)).toBe(alone + (banks - 500) * 1);
});

test('who leaves before the answer stands pays for the time of PostgreSQL', async () => {
  // A caller whose minute begins here.
  const token = await service.token(Role.ANALYST, 'many');
  const left = async (): Promise<number> => (await service.send(token, RATE_LIMIT)).data.rateLimit.remaining;
  const before = await left();
  const request = httpRequest(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  });
  request.on('error', () => {}); // it is cut off below
  await heldUp(
    'account_totals',
    async () => void request.end(JSON.stringify({ query: banks(1, '2025-01-09') })),
    async () => {
      request.destroy();
      await until(async () => before - (await left()) > 300 * 500, 'what was charged', 20_000);
    },
  );
});

test('whose mutation waits for others and who leaves meanwhile pays its price', async () => {
  const admin = await service.token(Role.ADMIN, 'many');
  const [account] = (await service.send(token, '{ accounts(first: 1) { nodes { id } } }')).data.accounts.nodes;
  const input = `{ id: "${account.id}", status: FROZEN }`;
  const query = `mutation { changeAccountStatus(input: ${input}) { account { status } } }`;
  const remaining = async () => (await service.send(admin, RATE_LIMIT)).data.rateLimit.remaining;
  await makeKnown(service, admin, RATE_LIMIT);
  const before = await remaining();
  const request = httpRequest(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
  });
  request.on('error', () => {}); // it is cut off below
  await heldUp(
    'bank_accounts',
    async () => void request.end(JSON.stringify({ query })),
    async () => void request.destroy(),
  );
  const status = async () =>
    (await sql.query('SELECT status FROM bank_accounts WHERE id = $1', [account.id])).rows[0].status;
  await until(async () => (await status()) === 'FROZEN', 'the change', 20_000);
  await until(async () => before - (await remaining()) > 2_000, 'what was charged', 20_000);
  expect(before - (await remaining())).toBeLessThan(300 * 500);
});
