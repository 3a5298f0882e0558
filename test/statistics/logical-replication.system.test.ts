import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkStatistics } from '../../src/statistics/check.ts';
import { type LogicalPostgres, startLogicalPostgres } from '../support/logical-postgres.ts';
import { migrateAs } from '../support/plain-owner.ts';
import { until } from '../support/until.ts';

let server: LogicalPostgres;
let publisher: pg.Client;
let publisherUrl: string;
beforeAll(async () => {
  server = await startLogicalPostgres();
  publisherUrl = await server.createDatabase('publisher');
  await migrateAs(publisherUrl, 'postgres');
  publisher = await connectTo(publisherUrl);
  await publisher.query(`
    INSERT INTO tenants (slug, name, time_zone) SELECT 'tenant-' || n, 'Tenant', 'Europe/Prague' FROM generate_series(1, 5) n;
    INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, currency, balance)
      SELECT id, 'First Bank', n::text, 'CHECKING', 'EUR', n FROM tenants, generate_series(1, 4) n;
    INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency, category)
      SELECT tenant_id, id, timestamptz '2026-02-01' + n * interval '7 hours', 'DEBIT', n, 'EUR', NULL
        FROM bank_accounts, generate_series(1, 50) n`);
});
afterAll(async () => {
  await publisher?.end();
  await server?.stop();
});

/** What the publisher does, each in a transaction of its own. */
const CHANGES = {
  'new transactions': `INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency)
    SELECT tenant_id, id, timestamptz '2026-03-01' + n * interval '1 hour', 'CREDIT', n, 'EUR' FROM bank_accounts, generate_series(1, 30) n`,
  'moved transactions': `UPDATE transactions SET booked_at = booked_at + interval '5 hours', amount = amount + 1 WHERE amount < 9`,
  'no more transactions': `DELETE FROM transactions WHERE amount BETWEEN 10 AND 20`,
  'changed accounts': `UPDATE bank_accounts SET status = 'FROZEN', currency = 'USD', balance = balance - 1 WHERE account_number = '2'`,
  'another time zone': `UPDATE tenants SET time_zone = 'Asia/Tokyo' WHERE slug = 'tenant-1'`,
  'another name': `UPDATE tenants SET name = 'Other' WHERE slug = 'tenant-2'`,
  'no more accounts': `DELETE FROM bank_accounts WHERE account_number = '3'`,
  'no more tenant': `DELETE FROM tenants WHERE slug = 'tenant-3'`,
  'a new tenant with its rows': `WITH tenant AS (INSERT INTO tenants (slug, name, time_zone) VALUES ('new', 'New', 'America/New_York') RETURNING id),
    account AS (INSERT INTO bank_accounts (tenant_id, bank_name, account_number, account_type, currency, balance)
      SELECT id, 'First Bank', '1', 'LOAN', 'EUR', 7 FROM tenant RETURNING tenant_id, id)
    INSERT INTO transactions (tenant_id, account_id, booked_at, direction, amount, currency)
    SELECT tenant_id, id, '2026-03-01T02:00:00Z', 'CREDIT', 5, 'EUR' FROM account`,
  'folded transactions': `UPDATE tenants SET keep_transactions_days = 31;
    SELECT transactions_fold(id, 40) FROM tenants WHERE slug = 'tenant-4'`,
  'more folded of the same days': `SELECT transactions_fold(id, 40) FROM tenants WHERE slug = 'tenant-4'`,
  'no transactions at all': 'TRUNCATE transactions',
};

interface Subscriber {
  readonly name: string;
  readonly client: pg.Client;
}

/** Who migrates: the tables come to belong to the role of the owner, or stay with a plain one. */
const OWNERS = [
  { name: 'superuser', role: 'postgres' },
  { name: 'plain', role: 'plain_owner' },
];

/**
 * Of a database whose tables the role owns. Accounts and transactions come first, and their tenants
 * when `refresh` is called.
 */
async function subscribe({ name, role }: (typeof OWNERS)[number]): Promise<Subscriber> {
  const url = await server.createDatabase(`subscriber_${name}`);
  if (role !== 'postgres') await publisher.query(`CREATE ROLE ${role}`);
  await migrateAs(url, role);
  const client = await connectTo(url);
  await publisher.query(`SELECT pg_create_logical_replication_slot('${name}', 'pgoutput')`);
  const { hostname, port, username, password } = new URL(publisherUrl);
  // The tables' owner is held to row-level security, under which the worker refuses to apply: it
  // works as the subscription's owner.
  await client.query(
    `CREATE SUBSCRIPTION ${name} CONNECTION 'host=${hostname} port=${port} user=${username} password=${password} dbname=publisher'
     PUBLICATION base WITH (create_slot = false, slot_name = '${name}', run_as_owner = true)`,
  );
  return { name, client };
}

async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

async function isCopied({ client }: Subscriber): Promise<boolean> {
  const { rows } = await client.query("SELECT bool_and(srsubstate = 'r') AS copied FROM pg_subscription_rel");
  return rows[0].copied === true;
}

/** All rows that are replicated, as one text. */
async function contents(client: pg.Client): Promise<string> {
  const { rows } = await client.query(`SELECT md5(string_agg(line, ' ' ORDER BY line)) AS hash FROM (
    SELECT t::text AS line FROM tenants t UNION ALL SELECT a::text FROM bank_accounts a UNION ALL SELECT m::text FROM transactions m
    UNION ALL SELECT f::text FROM folded_totals f) lines`);
  return rows[0].hash;
}

async function differences({ client }: Subscriber) {
  const { rows } = await client.query<{ id: string }>('SELECT id FROM tenants');
  const found = [];
  for (const { id } of rows) found.push(...(await checkStatistics(client, id)));
  return found;
}

async function counts({ client }: Subscriber) {
  const { rows } = await client.query(`SELECT
    (SELECT sum(transaction_count)::integer FROM daily_totals) AS "keptTransactions", (SELECT count(*)::integer FROM transactions) AS transactions,
    (SELECT sum(account_count)::integer FROM account_totals) AS "keptAccounts", (SELECT count(*)::integer FROM bank_accounts) AS accounts`);
  return rows[0];
}

describe('on subscribers whose tables a superuser and a plain role own', () => {
  const subscribers: Subscriber[] = [];
  beforeAll(async () => {
    await publisher.query('CREATE PUBLICATION base FOR TABLE bank_accounts, transactions, folded_totals');
    for (const owner of OWNERS) subscribers.push(await subscribe(owner));
  });
  afterAll(async () => {
    for (const { client } of subscribers) await client.end();
  });

  it('totals are exact after the first copies, also of rows that came before their tenant', async () => {
    for (const subscriber of subscribers) {
      await until(() => isCopied(subscriber));
      expect(await counts(subscriber)).toMatchObject({ keptTransactions: null, transactions: 1000, accounts: 20 });
    }
    await publisher.query('ALTER PUBLICATION base ADD TABLE tenants');
    for (const subscriber of subscribers) {
      await subscriber.client.query(`ALTER SUBSCRIPTION ${subscriber.name} REFRESH PUBLICATION`);
      await until(() => isCopied(subscriber));
      expect(await counts(subscriber)).toMatchObject({ keptTransactions: 1000, keptAccounts: 20 });
      expect(await differences(subscriber)).toEqual([]);
    }
  });

  it('totals are exact after every change, and the outbox tells whose it is', async () => {
    for (const [what, sql] of Object.entries(CHANGES)) {
      for (const { client } of subscribers) await client.query('TRUNCATE cache_outbox');
      await publisher.query('BEGIN');
      await publisher.query(sql);
      const told = 'SELECT tenant_id, dependencies FROM cache_outbox';
      const changed = await publisher.query(`${told} WHERE xid = pg_current_xact_id()::text::bigint ORDER BY 1, 2`);
      await publisher.query('COMMIT');
      const published = await contents(publisher);
      expect(changed.rows.length).toBeGreaterThan(0);
      for (const subscriber of subscribers) {
        await until(async () => (await contents(subscriber.client)) === published);
        expect([what, await differences(subscriber)]).toEqual([what, []]);
        const { rows: toldThere } = await subscriber.client.query(`${told} ORDER BY 1, 2`);
        expect([what, toldThere]).toEqual([what, changed.rows]);
      }
    }
  });

  it('totals of a tenant that is gone are gone', async () => {
    const orphans = 'SELECT FROM account_totals WHERE NOT EXISTS (SELECT FROM tenants WHERE id = tenant_id)';
    for (const { client } of subscribers) expect((await client.query(orphans)).rows).toEqual([]);
  });
});
