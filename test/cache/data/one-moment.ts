import { setImmediate as turn } from 'node:timers/promises';
import pg from 'pg';
import type { Trust } from '../../../src/cache/versions/trust.ts';
import { insertAccounts, insertTenant } from '../../support/fixtures.ts';
import type { TestService } from '../../support/service.ts';

/** Every write books one unit on this day. */
export const DAY = '2025-03-01';
const BOOKED_AT = `${DAY}T12:00:00Z`;
const ACCOUNTS = 3;

// biome-ignore lint/suspicious/noExplicitAny: answers of untyped operations
type Answered = any;

/** A part of a dashboard or of statistics, which tells how many writes it shows. */
export interface Part {
  readonly name: string;
  readonly selection: string;
  readonly writesIn: (field: Answered) => number;
  /** Whether the API's writes do not change it. */
  readonly isOfSql?: boolean;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const amountsIn = (balances: readonly Answered[]) => sum(balances.map(({ amount }) => Number(amount)));
const inGroups = (groups: readonly Answered[]) => sum(groups.map(({ balances }) => amountsIn(balances)));
const countsIn = (flows: readonly Answered[]) => sum(flows.map(({ transactionCount }) => transactionCount));
const countsInEach = (list: readonly Answered[]) => sum(list.map(({ flows }) => countsIn(flows)));
const balancesIn = (accounts: readonly Answered[]) => sum(accounts.map(({ balance }) => Number(balance)));

/** Aliases, so that any two stand beside one another. All rows fit into the lists. */
const DASHBOARD_PARTS: readonly Part[] = [
  { name: 'overview', selection: 'overview { balances { amount } }', writesIn: (o) => amountsIn(o.balances) },
  ...['accountsByType', 'accountsByStatus', 'accountsByBank'].map((name) => ({
    name,
    selection: `${name} { balances { amount } }`,
    writesIn: inGroups,
  })),
  {
    name: 'totals',
    selection: 'totals: activity(days: 366) { totals { transactionCount } }',
    writesIn: ({ totals }) => countsIn(totals),
  },
  {
    name: 'series',
    selection: 'series: activity(days: 300) { series { flows { transactionCount } } }',
    writesIn: ({ series }) => countsInEach(series),
  },
  { name: 'topAccounts', selection: 'topAccounts { balance }', writesIn: balancesIn },
  { name: 'top', selection: 'top: topAccounts(limit: 7) { balance bankName }', writesIn: balancesIn },
  {
    name: 'recent',
    selection: 'recent: recentTransactions(limit: 1) { balanceAfter }',
    writesIn: ([newest]) => Number(newest?.balanceAfter ?? 0),
  },
  {
    name: 'recentAccount',
    selection: 'recentAccount: recentTransactions(limit: 2) { account { balance } }',
    writesIn: ([newest]) => Number(newest?.account.balance ?? 0),
  },
  {
    name: 'topRecent',
    selection: 'topRecent: topAccounts(limit: 4) { recentTransactions(limit: 1) { balanceAfter } }',
    writesIn: (accounts) => sum(accounts.map((a: Answered) => Number(a.recentTransactions[0]?.balanceAfter ?? 0))),
  },
  {
    name: 'topPages',
    selection: 'topPages: topAccounts(limit: 5) { transactions(first: 1) { totalCount } }',
    writesIn: (accounts) => sum(accounts.map((account: Answered) => account.transactions.totalCount)),
  },
  {
    name: 'topDeep',
    selection: 'topDeep: topAccounts(limit: 6) { recentTransactions(limit: 1) { account { balance } } }',
    writesIn: (accounts) => sum(accounts.map((a: Answered) => Number(a.recentTransactions[0]?.account.balance ?? 0))),
  },
  {
    name: 'tenant',
    selection: 'tenant: topAccounts(limit: 8) { tenant { name } }',
    writesIn: ([account]) => Number(account.tenant.name),
    isOfSql: true,
  },
  {
    name: 'recentTenant',
    selection: 'recentTenant: recentTransactions(limit: 3) { account { transactions { totalCount } } }',
    writesIn: ([newest]) => newest?.account.transactions.totalCount ?? 0,
  },
];

const STATISTICS_PARTS: readonly Part[] = [
  { name: 'totals', selection: 'totals { transactionCount }', writesIn: countsIn },
  { name: 'buckets', selection: 'buckets { flows { transactionCount } }', writesIn: countsInEach },
  { name: 'byCategory', selection: 'byCategory { flows { transactionCount } }', writesIn: countsInEach },
];

/** A dashboard or statistics that nobody has asked for yet. */
export interface Question {
  readonly title: string;
  readonly name: 'dashboard' | 'statistics';
  readonly parts: readonly Part[];
  readonly argumentsFor: (number: number) => string;
}

const dashboard = (title: string, names: RegExp): Question => ({
  title,
  name: 'dashboard',
  parts: DASHBOARD_PARTS.filter(({ name }) => names.test(name)),
  argumentsFor: (n) => `date: "${day(n)}"`,
});

export const QUESTIONS: readonly Question[] = [
  dashboard('a dashboard', /^(o|accounts|totals|series|topA|top$|recent$|recentA)/),
  dashboard('a dashboard with what hangs on its lists', /^(overview|totals|recent$|top[ARPD]|tenant|recentT)/),
  {
    title: 'statistics',
    name: 'statistics',
    parts: STATISTICS_PARTS,
    argumentsFor: (n) => `period: YEARLY, from: "2025-01-01", to: "${day(n)}"`,
  },
];

/** A tenant of whose rows every part shows how many writes there were. */
export class CountedTenant {
  writes = 0;

  private constructor(
    /** Writes past the API. */
    readonly client: pg.Client,
    readonly slug: string,
    readonly id: string,
    private readonly accountId: string,
  ) {}

  static async create(url: string, slug: string): Promise<CountedTenant> {
    const id = await insertTenant(url, { slug });
    const accounts = Array.from({ length: ACCOUNTS }, (_, n) => ({ accountNumber: `${slug} ${n}` }));
    const [accountId = ''] = await insertAccounts(url, id, accounts);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("UPDATE tenants SET name = '0' WHERE id = $1", [id]);
    return new CountedTenant(client, slug, id, accountId);
  }

  /** A write past the API that nobody hears of, as if the outbox had not been read yet. */
  async writePastTheApi(): Promise<void> {
    await this.client.query('BEGIN');
    await this.writeRows();
    await this.client.query('DELETE FROM cache_outbox WHERE xid = pg_current_xact_id()::text::bigint');
    await this.client.query('COMMIT');
  }

  async writeSql(): Promise<void> {
    await this.client.query('BEGIN');
    await this.writeRows();
    await this.client.query('COMMIT');
  }

  /** Within a transaction of the client's. */
  async writeRows(): Promise<void> {
    await this.client.query('UPDATE tenants SET name = (name::integer + 1)::text WHERE id = $1', [this.id]);
    await this.client.query(
      `WITH account AS (
         UPDATE bank_accounts SET balance = balance + 1 WHERE tenant_id = $1 AND id = $2 RETURNING balance)
       INSERT INTO transactions (tenant_id, id, account_id, booked_at, direction, amount, currency, balance_after)
       SELECT $1, gen_random_uuid(), $2, $3::timestamptz + balance * interval '1 ms', 'CREDIT', 1, 'EUR', balance FROM account`,
      [this.id, this.accountId, BOOKED_AT],
    );
    this.writes++;
  }

  async writeApi(service: TestService, token: string): Promise<void> {
    const bookedAt = new Date(Date.parse(BOOKED_AT) + this.writes + 1).toISOString();
    const transactions = [{ accountId: this.accountId, direction: 'CREDIT', amount: '1', bookedAt }];
    const { data } = await service.send(
      token,
      `mutation ($input: RecordTransactionsInput!) {
         recordTransactions(input: $input) { transactions { id } userErrors { message } } }`,
      { input: { idempotencyKey: `${this.slug} ${this.writes}`, transactions } },
    );
    if (data.recordTransactions.transactions.length !== 1) throw new Error('the transaction was not recorded');
    this.writes++;
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}

let asked = 0;

/**
 * Asks under a name of its own, so that no answer is found as a whole. @returns how many writes
 * each part shows
 */
export async function writesShown(
  service: TestService,
  token: string,
  { name }: Question,
  args: string,
  parts: readonly Part[],
): Promise<number[]> {
  const query = `query Asked${asked++} { ${name}(${args}) { ${parts.map(({ selection }) => selection).join(' ')} } }`;
  const { data, errors } = await service.send(token, query);
  if (errors) throw new Error(JSON.stringify(errors));
  return parts.map((part) => part.writesIn(data[name][part.name]));
}

/** Repeats what a gap of trust came between, as on a machine that stands still. */
export async function inOneTerm<Result>(trusts: readonly Trust[], work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    const before = trusts.map(({ term }) => term);
    const [outcome] = await Promise.allSettled([work()]);
    const hasGap = trusts.some(({ term }, index) => term === undefined || term !== before[index]);
    if (!hasGap && outcome.status === 'fulfilled') return outcome.value;
    if (!hasGap && outcome.status === 'rejected') throw outcome.reason;
    while (trusts.some(({ isValid }) => !isValid)) await turn();
  }
}

function day(number: number): string {
  return new Date(Date.parse(DAY) + number * 86_400_000).toISOString().slice(0, 10);
}

export async function untilWaitedFor(client: pg.Client): Promise<void> {
  for (let isWaitedFor = false; !isWaitedFor; ) {
    const { rows } = await client.query(
      'SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())',
    );
    isWaitedFor = rows.length > 0;
  }
}
