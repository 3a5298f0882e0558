import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Role } from '../../src/auth/caller.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { type GraphqlAnswer, startService, type TestService } from '../support/service.ts';

/** Who asks without a pause takes the processor from what it waits for. */
const POLL_MS = 2;

/** Less than a test may take, so that it says what it waited for. */
const PATIENCE_MS = 60_000;

export const ACCOUNT =
  'id bankName accountNumber accountType status isActive currency balance version createdAt updatedAt';
export const TRANSACTION =
  'id bookedAt direction amount currency balanceAfter category counterpartyBank description account { id }';
const ERRORS = 'userErrors { field code message }';

/** One document for each mutation; its only variable is the input. */
export const MUTATIONS = {
  createAccount: `mutation ($input: CreateAccountInput!) { createAccount(input: $input) { account { ${ACCOUNT} } ${ERRORS} } }`,
  updateAccount: `mutation ($input: UpdateAccountInput!) { updateAccount(input: $input) { account { ${ACCOUNT} } ${ERRORS} } }`,
  changeAccountStatus: `mutation ($input: ChangeAccountStatusInput!) { changeAccountStatus(input: $input) { account { ${ACCOUNT} } ${ERRORS} } }`,
  recordTransactions: `mutation ($input: RecordTransactionsInput!) { recordTransactions(input: $input) { transactions { ${TRANSACTION} } ${ERRORS} } }`,
  transfer: `mutation ($input: TransferInput!) { transfer(input: $input) { debit { ${TRANSACTION} } credit { ${TRANSACTION} } ${ERRORS} } }`,
} as const;
export type MutationName = keyof typeof MUTATIONS;

export interface Account {
  readonly id: string;
  readonly bankName: string;
  readonly accountNumber: string;
  readonly accountType: string;
  readonly status: string;
  readonly currency: string;
  readonly balance: string;
  readonly version: number;
  readonly updatedAt: string;
}

/** A service with two tenants, `acme` and `rival`, and a way to its database past it. */
export interface Bank {
  readonly service: TestService;
  readonly token: string;
  readonly rivalToken: string;
  /** Sends a mutation as the ADMIN of `acme` and gives the whole answer. */
  send(mutation: MutationName, input: object, token?: string): Promise<GraphqlAnswer>;
  /** Sends a mutation and gives its payload. @throws with the answer's errors */
  // biome-ignore lint/suspicious/noExplicitAny: payloads of untyped operations
  mutate(mutation: MutationName, input: object, token?: string): Promise<any>;
  /** Opens an account of `acme`; a EUR checking account without money unless said otherwise. */
  open(input?: object, token?: string): Promise<Account>;
  /** The account as the API shows it now. */
  read(id: string): Promise<Account>;
  /** Rows of a statement sent as the superuser. */
  // biome-ignore lint/suspicious/noExplicitAny: rows of any statement
  sql(text: string, values?: unknown[]): Promise<any[]>;
  /** A transaction of somebody else, which keeps what `text` locks until it is ended. */
  hold(text: string, values?: unknown[]): Promise<pg.Client>;
  /** Resolves as soon as this many transactions wait for locks; rejects when they never do. */
  untilWaiting(count: number): Promise<void>;
  close(): Promise<void>;
}

export interface BankOptions {
  /** Settings of PostgreSQL for every connection that is not the fixture's own. */
  readonly databaseSettings?: Readonly<Record<string, string>>;
  /** Settings of the service. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startBank({ databaseSettings = {}, env = {} }: BankOptions = {}): Promise<Bank> {
  const database = await createTestDatabase();
  const client = await connect(database.url);
  const sql = async (text: string, values: unknown[] = []) => (await client.query(text, values)).rows;
  for (const [name, value] of Object.entries(databaseSettings))
    await sql(`ALTER DATABASE ${pg.escapeIdentifier(database.name)} SET ${name} = ${pg.escapeLiteral(value)}`);
  await sql(
    "INSERT INTO tenants (slug, name, time_zone) VALUES ('acme', 'Acme', 'Europe/Prague'), ('rival', 'Rival', 'UTC')",
  );
  const service = await startService({ database, env });
  const [token, rivalToken] = await Promise.all(['acme', 'rival'].map((slug) => service.token(Role.ADMIN, slug)));
  if (!token || !rivalToken) throw new Error('no tokens');
  const send: Bank['send'] = (mutation, input, as = token) => service.send(as, MUTATIONS[mutation], { input });
  const mutate: Bank['mutate'] = async (mutation, input, as) => {
    const { data, errors } = await send(mutation, input, as);
    if (errors) throw new Error(JSON.stringify(errors));
    return data[mutation];
  };
  const others: pg.Client[] = [];
  return {
    service,
    token,
    rivalToken,
    send,
    mutate,
    sql,
    async open(input = {}, as) {
      const { account, userErrors } = await mutate('createAccount', { ...newAccount(), ...input }, as);
      if (!account) throw new Error(JSON.stringify(userErrors));
      return account;
    },
    async read(id) {
      const { data } = await service.send(token, `query ($id: ID!) { account(id: $id) { ${ACCOUNT} } }`, { id });
      return data.account;
    },
    async hold(text, values = []) {
      const other = await connect(database.url);
      others.push(other);
      await other.query('BEGIN');
      await other.query(text, values);
      return other;
    },
    async untilWaiting(count) {
      const waiting = `SELECT count(*)::integer AS waiting FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      const deadlineMs = performance.now() + PATIENCE_MS;
      for (;;) {
        const [{ waiting: found }] = await sql(waiting);
        if (found === count) return;
        if (performance.now() > deadlineMs)
          throw new Error(`${count} transactions were to wait for locks within ${PATIENCE_MS} ms, but ${found} do.`);
        await delay(POLL_MS);
      }
    },
    async close() {
      await Promise.all(others.map((other) => other.end()));
      await service.close();
      await client.end();
      await database.drop();
    },
  };
}

export function newAccount() {
  return { bankName: 'First Bank', accountNumber: randomUUID(), accountType: 'CHECKING', currency: 'EUR' };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
