import type { AccountStatus, AccountType } from '../../src/generated/prisma/enums.ts';
import {
  type AccountFixture,
  fixtureId,
  insertAccounts,
  insertTenant,
  insertTransactions,
  type TransactionFixture,
} from './fixtures.ts';

/**
 * Tenants with the same ids, numbers, banks and categories: only the tenant tells their rows apart.
 */
export interface Twin {
  readonly slug: string;
  readonly timeZone: string;
  readonly currency: string;
  readonly id: string;
}

/** Zones west and east of UTC; the last one's summer time is half an hour. */
export const TWINS: readonly Twin[] = [
  { slug: 'praha', timeZone: 'Europe/Prague', currency: 'CZK', id: fixtureId('tenant', 'praha') },
  { slug: 'new-york', timeZone: 'America/New_York', currency: 'USD', id: fixtureId('tenant', 'new-york') },
  { slug: 'lord-howe', timeZone: 'Australia/Lord_Howe', currency: 'AUD', id: fixtureId('tenant', 'lord-howe') },
];

/** A tenant without accounts. */
export const EMPTY_TENANT: Twin = { slug: 'empty', timeZone: 'UTC', currency: 'EUR', id: fixtureId('tenant', 'empty') };

/** When the clocks of the three zones change in 2025. */
export const CLOCK_CHANGES = [
  ...['2025-03-30T01:00:00Z', '2025-10-26T01:00:00Z'],
  ...['2025-03-09T07:00:00Z', '2025-11-02T06:00:00Z'],
  ...['2025-04-05T15:00:00Z', '2025-10-04T15:30:00Z'],
];

export const ACCOUNTS_PER_TWIN = 36;

const BANKS = ['Zlatá banka', 'alfa', 'Alfa', 'First Bank', 'Ålesund Sparebank'];
const TYPES: readonly AccountType[] = ['CHECKING', 'SAVINGS', 'CREDIT', 'LOAN', 'INVESTMENT'];
const STATUSES: readonly AccountStatus[] = ['ACTIVE', 'CLOSED', 'ACTIVE', 'FROZEN', 'PENDING', 'ACTIVE'];
const CATEGORIES = ['rent', 'groceries', null, 'Ärzte', `o'brien "%_\\" *`, 'rent', null, 'salary'];
/** Ties, both signs, all digits that fit, and the ends of what fits. */
const BALANCES = [
  ...['0', '0', '0', '-12.5', '-12.5', '100', '100.0001', '99.9999', '250000.75'],
  ...['999999999999999.9999', '-999999999999999.9999', '0.0001'],
];
const HALF_HOUR_MS = 30 * 60_000;
const DAY_MS = 24 * 3600_000;

/** Writes the twins and the empty tenant: 36 accounts and about 1,200 transactions each. */
export async function insertTwins(url: string): Promise<void> {
  for (const [index, twin] of TWINS.entries()) {
    await insertTenant(url, twin);
    await insertAccounts(url, twin.id, accountsOf(twin, index));
    await insertTransactions(url, twin.id, transactionsOf(index));
  }
  await insertTenant(url, EMPTY_TENANT);
}

/** The id of the nth account, from 0, of every twin. */
export function twinAccountId(number: number): string {
  return fixtureId('twin account', String(number));
}

/**
 * Every third account number occurs at three banks; creation and last change come in groups of
 * equals.
 */
function accountsOf({ currency }: Twin, twin: number): AccountFixture[] {
  return Array.from({ length: ACCOUNTS_PER_TWIN }, (_, n) => ({
    id: twinAccountId(n),
    bankName: at(BANKS, n),
    accountNumber: String(n % 12).padStart(4, '0'),
    accountType: at(TYPES, Math.floor(n / 2)),
    status: at(STATUSES, n + twin),
    currency: n % 4 === 3 ? 'EUR' : currency,
    balance: at(BALANCES, n * 7 + twin),
    version: 1 + (n % 3),
    createdAt: new Date(Date.UTC(2024, 0, 1 + Math.floor(n / 4), 12)).toISOString(),
    updatedAt: new Date(Date.UTC(2025, 5, 30 - Math.floor(n / 5), 0, 0, 0, n % 2)).toISOString(),
  }));
}

/**
 * Accounts 30 and above have no transactions; account 0, which is closed for one twin, has the
 * most.
 */
function transactionsOf(twin: number): TransactionFixture[] {
  return instants().map((bookedAt, n) => ({
    accountId: twinAccountId(n % 3 === 0 ? 0 : (n * 7) % 30),
    bookedAt,
    direction: n % 5 < 2 ? 'CREDIT' : 'DEBIT',
    // Another fraction for each twin: no sum of one is a sum of another.
    amount: `${(n * 37) % 1000}.${String(((n * 13) % 90) + 10)}0${twin + 1}`,
    balanceAfter: n % 4 === 0 ? null : `${n}.25`,
    category: at(CATEGORIES, n),
    counterpartyBank: n % 3 === 0 ? null : at(BANKS, n + 1),
    description: n % 6 === 0 ? null : `movement ${n}`,
  }));
}

function instants(): string[] {
  const now = Math.floor(Date.now() / HALF_HOUR_MS) * HALF_HOUR_MS;
  const times = [
    ...CLOCK_CHANGES.flatMap((change) => around(Date.parse(change), 52, HALF_HOUR_MS)),
    // The last and the first millisecond of the months of twelve years, in UTC.
    ...Array.from({ length: 144 }, (_, month) => Date.UTC(2015, month)).flatMap((first) => [first - 1, first]),
    // Up to now: what is shown when no date is given.
    ...Array.from({ length: 120 }, (_, n) => now - n * (DAY_MS / 3)),
    ...Array.from({ length: 60 }, (_, n) => now - n * 5 * DAY_MS),
    // Booked ahead.
    now + 3 * DAY_MS,
    // Equal instants.
    ...Array.from({ length: 40 }, (_, n) => Date.UTC(2024, 6, 1 + Math.floor(n / 8))),
  ];
  return times.map((time) => new Date(time).toISOString());
}

/** Steps to either side of a moment, each also a millisecond earlier in turn. */
function around(moment: number, steps: number, stepMs: number): number[] {
  return Array.from({ length: 2 * steps + 1 }, (_, n) => moment + (n - steps) * stepMs - (n % 2));
}

function at<Value>(values: readonly Value[], index: number): Value {
  return values[index % values.length] as Value;
}
