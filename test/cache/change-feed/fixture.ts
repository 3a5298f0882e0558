import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { Role } from '../../../src/auth/caller.ts';
import { cacheOutcome } from '../../support/cache-outcome.ts';
import { fixtureId, insertAccounts, insertTenant, insertTransactions } from '../../support/fixtures.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { type GraphqlAnswer, type ServiceOptions, startService, type TestService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

export const BALANCES = '{ accounts(first: 9) { nodes { accountNumber balance } } }';
export const COUNT = '{ transactions(first: 9) { totalCount } }';
export const OVERVIEW = '{ dashboard { overview { totalAccounts } } }';
export const NAME = '{ tenant { name } }';

export const NORTH = fixtureId('tenant', 'north');
export const SOUTH = fixtureId('tenant', 'south');

/** Two tenants, each with the accounts 0001 and 0002 and two transactions on the first. */
export async function fillTwo(url: string): Promise<void> {
  for (const slug of ['north', 'south']) {
    const tenant = await insertTenant(url, { slug });
    const numbers = ['0001', '0002'].map((accountNumber) => ({
      accountNumber,
      id: fixtureId(slug, accountNumber),
    }));
    const [first = ''] = await insertAccounts(url, tenant, numbers);
    const bookedAt = ['2025-01-01T00:00:00Z', '2025-01-02T00:00:00Z'];
    await insertTransactions(
      url,
      tenant,
      bookedAt.map((at, index) => ({ accountId: first, bookedAt: at, id: fixtureId(slug, 'movement', String(index)) })),
    );
  }
}

/** A service with a shorthand for asking as one tenant's ADMIN. */
export interface Asked extends TestService {
  /** Data and whether it came from the cache. @throws with the answer's errors */
  ask(query: string, slug?: string, variables?: object): Promise<{ data: GraphqlAnswer['data']; status: string }>;
}

export async function startAsked(
  database: TestDatabase,
  env: Record<string, string> = {},
  options: Pick<ServiceOptions, 'directUrl' | 'leasesVersions'> = {},
): Promise<Asked> {
  const service = await startService({ database, env, ...options });
  const tokens = new Map<string, string>();
  for (const slug of ['north', 'south']) tokens.set(slug, await service.token(Role.ADMIN, slug));
  return {
    ...service,
    async ask(query, slug = 'north', variables = {}) {
      const { data, errors, headers } = await service.send(tokens.get(slug) as string, query, variables);
      if (errors) throw new Error(JSON.stringify(errors));
      return { data, status: cacheOutcome(headers.get('cache-status')) };
    },
  };
}

/**
 * Asks until the answer comes from the cache, so that what follows shows whether it is served when
 * it is old.
 */
export async function warm({ ask }: Pick<Asked, 'ask'>, query: string, slug?: string): Promise<void> {
  await until(async () => (await ask(query, slug)).status === 'tenantry; hit');
}

/**
 * Whether the answer still is in the cache; a moment without trust, on a machine that stands still,
 * says nothing.
 */
export async function isKept({ ask }: Pick<Asked, 'ask'>, query: string, slug?: string): Promise<boolean> {
  for (;;) {
    const { status } = await ask(query, slug);
    if (status !== 'tenantry; fwd=bypass') return status === 'tenantry; hit';
    await wait(5);
  }
}

/** A connection of a writer who knows nothing of the service. */
export async function connectPast({ url }: TestDatabase): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

export function balanceOf(data: GraphqlAnswer['data'], number = '0001'): number {
  return Number(
    data.accounts.nodes.find(({ accountNumber }: { accountNumber: string }) => accountNumber === number)?.balance,
  );
}

/** A mutation that changes the balance of 0001 by one. */
export async function bookOne({ ask }: Pick<Asked, 'ask'>, key: string, slug = 'north'): Promise<void> {
  const transaction = { accountId: fixtureId(slug, '0001'), direction: 'CREDIT', amount: '1' };
  const { data } = await ask(BOOK, slug, { input: { idempotencyKey: key, transactions: [transaction] } });
  if (data.recordTransactions.userErrors.length) throw new Error(JSON.stringify(data.recordTransactions.userErrors));
}

const BOOK =
  'mutation ($input: RecordTransactionsInput!) { recordTransactions(input: $input) { userErrors { code message } } }';
