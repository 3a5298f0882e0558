import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Account, type Bank, startBank } from './bank-fixture.ts';

/** The accounts of a run, and the model of each: ten-thousandths, exact. */
const OPENED = [
  { accountType: 'CHECKING', openingBalance: '50.0001' },
  { accountType: 'CREDIT', openingBalance: '-20.5' },
  { accountType: 'SAVINGS', openingBalance: '0' },
  { accountType: 'CHECKING', openingBalance: '7', currency: 'CZK' },
];

interface ModelAccount extends Account {
  readonly mayBeOverdrawn: boolean;
  units: bigint;
  transactions: number;
}

interface ModelEntry {
  readonly account: number;
  readonly direction: 'CREDIT' | 'DEBIT';
  readonly units: bigint;
}

type Operation = { readonly entries: readonly ModelEntry[]; readonly isTransfer: boolean };

let bank: Bank;

beforeAll(async () => {
  bank = await startBank();
});
afterAll(() => bank.close());

const account = fc.nat({ max: OPENED.length - 1 });
const units = fc.oneof(fc.bigInt(1n, 9n), fc.bigInt(1n, 400_000n));
const record: fc.Arbitrary<Operation> = fc
  .array(fc.record({ account, direction: fc.constantFrom('CREDIT' as const, 'DEBIT' as const), units }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((entries) => ({ entries, isTransfer: false }));
const transfer: fc.Arbitrary<Operation> = fc
  .tuple(account, account, units)
  .filter(([from, to]) => from !== to)
  .map(([from, to, units]) => ({
    entries: [
      { account: from, direction: 'DEBIT', units },
      { account: to, direction: 'CREDIT', units },
    ],
    isTransfer: true,
  }));

test('agrees with exact arithmetic after any sequence of transactions and transfers', { timeout: 30_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(record, transfer), { minLength: 1, maxLength: 12 }), async (operations) => {
      const model = await openModel();
      for (const operation of operations) expect(await carryOut(model, operation)).toEqual(foreseen(model, operation));
      for (const { id, units, transactions } of model)
        expect(await bank.read(id)).toMatchObject({ balance: decimal(units), version: 1 + transactions });
    }),
    { numRuns: 12 },
  );
  await expectTotalsToHold();
});

/**
 * What the operation must give: the balances after its transactions, or nothing and at least one
 * error.
 */
function foreseen(model: readonly ModelAccount[], { entries, isTransfer }: Operation) {
  const balances = new Map(model.map(({ units }, index) => [index, units]));
  const currencies = new Set(entries.map(({ account }) => model[account]?.currency));
  if (isTransfer && currencies.size > 1) return { balancesAfter: [], isRefused: true };
  const balancesAfter: string[] = [];
  for (const { account, direction, units } of entries) {
    const after = (balances.get(account) ?? 0n) + (direction === 'CREDIT' ? units : -units);
    if (direction === 'DEBIT' && after < 0n && !model[account]?.mayBeOverdrawn)
      return { balancesAfter: [], isRefused: true };
    balances.set(account, after);
    balancesAfter.push(decimal(after));
  }
  for (const [index, units] of balances) if (model[index]) model[index].units = units;
  for (const { account } of entries) if (model[account]) model[account].transactions++;
  return { balancesAfter, isRefused: false };
}

async function carryOut(model: readonly ModelAccount[], { entries, isTransfer }: Operation) {
  const idempotencyKey = randomUUID();
  const transactions = entries.map(({ account, direction, units }) => ({
    accountId: model[account]?.id,
    direction,
    amount: decimal(units),
  }));
  const [debit, credit] = transactions;
  const sides = { fromAccountId: debit?.accountId, toAccountId: credit?.accountId, amount: debit?.amount };
  const payload = isTransfer
    ? await bank.mutate('transfer', { idempotencyKey, ...sides })
    : await bank.mutate('recordTransactions', { idempotencyKey, transactions });
  const booked = isTransfer ? [payload.debit, payload.credit].filter((leg) => leg) : payload.transactions;
  return {
    balancesAfter: booked.map(({ balanceAfter }: { balanceAfter: string }) => balanceAfter),
    isRefused: payload.userErrors.length > 0,
  };
}

async function openModel(): Promise<ModelAccount[]> {
  const opened = await Promise.all(OPENED.map((input) => bank.open(input)));
  return opened.map((account) => ({
    ...account,
    mayBeOverdrawn: account.accountType === 'CREDIT',
    units: BigInt(account.balance.replace('.', '')),
    transactions: 0,
  }));
}

/** The totals that are kept ready, against the rows they are made of. */
async function expectTotalsToHold(): Promise<void> {
  const daily = await bank.sql(`
    SELECT tenant_id, day, currency, sum(transaction_count)::integer AS count, sum(inflow) AS inflow, sum(outflow) AS outflow
    FROM daily_totals GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`);
  expect(daily.length).toBeGreaterThan(0);
  expect(daily).toEqual(
    await bank.sql(`
      SELECT tenant_id, (booked_at AT TIME ZONE time_zone)::date AS day, currency, count(*)::integer AS count,
        coalesce(sum(amount) FILTER (WHERE direction = 'CREDIT'), 0.0000) AS inflow,
        coalesce(sum(amount) FILTER (WHERE direction = 'DEBIT'), 0.0000) AS outflow
      FROM transactions JOIN tenants ON tenants.id = tenant_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`),
  );
  const accounts = (table: string, count: string) =>
    bank.sql(`SELECT account_type, currency, ${count}::integer AS count, sum(balance) AS balance FROM ${table}
      GROUP BY 1, 2 ORDER BY 1, 2`);
  expect(await accounts('account_totals', 'sum(account_count)')).toEqual(await accounts('bank_accounts', 'count(*)'));
}

function decimal(units: bigint): string {
  const digits = (units < 0n ? -units : units).toString().padStart(5, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`;
}
