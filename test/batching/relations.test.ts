import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin, twinAccountId } from '../support/twin-tenants.ts';

const ID = twinAccountId(0);

let service: TestService;
let token: string;
beforeAll(async () => {
  service = await startService({ env: { CACHE: 'off' } });
  await insertTwins(service.databaseUrl);
  token = await service.token(Role.ADMIN, (TWINS[0] as Twin).slug);
});
afterAll(() => service.close());

async function ask(query: string, variables?: object) {
  service.statements.splice(0);
  const { data, errors } = await service.send(token, query, variables);
  expect(errors).toBeUndefined();
  return data;
}

/** The first account's newest transactions, asked for alone. */
async function newest(limit: number, fields: string): Promise<object[]> {
  return (await ask(`{ account(id: "${ID}") { recentTransactions(limit: ${limit}) { ${fields} } } }`)).account
    .recentTransactions;
}

describe('what hangs on one row is told apart', () => {
  test('by its arguments, where a row is shown several times under the same names', async () => {
    const data = await ask(`{
      a: account(id: "${ID}") { r: recentTransactions(limit: 1) { id account { r: recentTransactions(limit: 3) { id } } } }
      b: account(id: "${ID}") { r: recentTransactions(limit: 2) { id account { r: recentTransactions(limit: 1) { amount } } } }
    }`);
    expect(data.a.r.map(({ id }: { id: string }) => ({ id }))).toEqual(await newest(1, 'id'));
    expect(data.b.r.map(({ id }: { id: string }) => ({ id }))).toEqual(await newest(2, 'id'));
    expect(data.a.r[0].account.r).toEqual(await newest(3, 'id'));
    expect(data.b.r[0].account.r).toEqual(await newest(1, 'amount'));
  });

  test('between nodes and edges, which show the same rows', async () => {
    const { accounts } = await ask(`{ accounts(first: 20) {
      nodes { id r: recentTransactions(limit: 1) { id } }
      again: nodes { r: recentTransactions(limit: 2) { amount } }
      edges { node { r: recentTransactions(limit: 3) { category } transactions(first: 1) { nodes { id } } } }
    } }`);
    const index = accounts.nodes.findIndex(({ id }: { id: string }) => id === ID);
    expect(accounts.nodes[index].r).toEqual(await newest(1, 'id'));
    expect(accounts.again[index].r).toEqual(await newest(2, 'amount'));
    expect(accounts.edges[index].node.r).toEqual(await newest(3, 'category'));
    expect(accounts.edges[index].node.transactions.nodes).toEqual(await newest(1, 'id'));
  });

  test('from its columns, whatever the aliases are called', async () => {
    const { account } = await ask(
      `{ account(id: "${ID}") { id: balance balance: recentTransactions(limit: 1) { amount: id } tenant: id owner: tenant { id: slug } } }`,
    );
    expect(account.balance).toEqual((await newest(1, 'id')).map((row) => ({ amount: (row as { id: string }).id })));
    expect(account).toMatchObject({ tenant: ID, owner: { id: 'praha' } });
  });

  test('and aliases of the same value are read once, with the columns of both', async () => {
    const { account } = await ask(
      `{ account(id: "${ID}") { a: recentTransactions(limit: 2) { id } b: recentTransactions(limit: 2) { amount } } }`,
    );
    expect(service.statements.map(({ action }) => action)).toEqual(['findFirst', 'recentOfEach']);
    expect([account.a, account.b]).toEqual([await newest(2, 'id'), await newest(2, 'amount')]);
  });

  test('and arguments that mean the same are the same, whatever their order and whether they are null or absent', async () => {
    const ways = [
      'first: 2, filter: { direction: CREDIT, category: "rent" }',
      'filter: { category: "rent", direction: CREDIT }, first: 2',
      'last: null, first: 2, after: null, filter: { category: "rent", accountId: null, direction: CREDIT }',
      'first: $first, last: $absent, filter: $filter',
      'filter: { category: $rent, direction: CREDIT, minAmount: $absentAmount }, first: $first',
    ];
    const variables = { first: 2, filter: { category: 'rent', maxAmount: null, direction: 'CREDIT' }, rent: 'rent' };
    const query = `query ($first: Int, $absent: Int, $filter: TransactionFilter, $rent: String, $absentAmount: Decimal) {
      accounts(first: 5) { nodes { ${ways.map((way, n) => `w${n}: transactions(${way}) { nodes { id } }`).join(' ')} } } }`;
    // Interpreted at first, and compiled when it comes again.
    for (let use = 0; use < 5; use++) {
      const { accounts } = await ask(query, variables);
      expect(service.statements.map(({ action }) => action)).toEqual(['page', 'pageOfEach']);
      for (const { w0, ...others } of accounts.nodes)
        expect(Object.values(others)).toEqual(Array(ways.length - 1).fill(w0));
    }
  });
});

test('below a mutation nobody reads ahead: what hangs on its rows is read then, one statement for a level', async () => {
  const open = twinAccountId(2);
  const { recordTransactions } = await ask(
    `mutation ($input: RecordTransactionsInput!) { recordTransactions(input: $input) {
       transactions { id account { id tenant { slug } recentTransactions(limit: 2) { id } } } userErrors { message } } }`,
    {
      input: {
        idempotencyKey: 'relations',
        transactions: [1, 2].map((amount) => ({ accountId: open, direction: 'CREDIT', amount: `${amount}` })),
      },
    },
  );
  const ids = recordTransactions.transactions.map(({ id }: { id: string }) => id);
  expect(ids).toHaveLength(2);
  const account = {
    id: open,
    tenant: { slug: 'praha' },
    recentTransactions: ids.toReversed().map((id: string) => ({ id })),
  };
  expect(recordTransactions.transactions).toEqual(ids.map((id: string) => ({ id, account })));
  const reads = service.statements.map(({ model, action }) => `${model}.${action}`);
  expect(reads.filter((read) => /OfEach|byIds|findFirst/.test(read)).sort()).toEqual([
    'BankAccount.findFirst',
    'Tenant.findFirst',
    'Transaction.recentOfEach',
  ]);
});
