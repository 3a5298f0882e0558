import { buildSchema, execute, type GraphQLSchema, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { timeResolvers } from '../../src/apollo/time-resolvers.ts';
import { Monitor } from '../../src/monitoring/monitor.ts';

type Resolve = (source: unknown, args: object) => unknown;

const SDL = `
  type Query { account: Account  accounts(count: Int!): [Account!]! }
  type Mutation { close: Boolean }
  type Account { id: ID  name: String  balance: String }
`;

function timedSchema(resolvers: Record<string, Record<string, Resolve>>, random?: () => number) {
  const schema = buildSchema(SDL);
  for (const [type, fields] of Object.entries(resolvers))
    for (const [field, resolve] of Object.entries(fields)) fieldOf(schema, type, field).resolve = resolve;
  const monitor = new Monitor({ slowOperationMs: 1e9, slowQueryMs: 1e9, logger: { warn() {} } });
  timeResolvers(schema, monitor, random);
  return { schema, monitor };
}

function fieldOf(schema: GraphQLSchema, type: string, field: string) {
  const found = (schema.getType(type) as ReturnType<GraphQLSchema['getQueryType']>)?.getFields()[field];
  if (!found) throw new Error(`the schema has no ${type}.${field}`);
  return found;
}

function countsOf({ resolvers }: Monitor) {
  return Object.fromEntries(
    [...resolvers.entries()].map(([coordinate, { durations, errors }]) => [coordinate, [durations.count, errors]]),
  );
}

const accounts = {
  accounts: (_: unknown, { count }: { count?: number }) => Array.from({ length: count ?? 0 }, () => ({})),
};

describe('timed resolvers', () => {
  it('are timed from their call until their promise settles', async () => {
    let settle: (account: object) => void = () => {};
    const { schema, monitor } = timedSchema({
      Query: { account: () => new Promise((resolve) => (settle = resolve)) },
    });
    const answer = execute({ schema, document: parse('{ account { id } }') });
    expect(countsOf(monitor)).toEqual({});
    settle({ id: 'a' });
    expect(await answer).toEqual({ data: { account: { id: 'a' } } });
    expect(countsOf(monitor)).toEqual({ 'Query.account': [1, 0] });
  });

  it('count failures of both kinds, and the client gets the same error', async () => {
    const { schema, monitor } = timedSchema({
      Query: { account: async () => Promise.reject(new Error('rejected')) },
      Mutation: {
        close: () => {
          throw new Error('thrown');
        },
      },
    });
    const rejected = await execute({ schema, document: parse('{ account { id } }') });
    const thrown = await execute({ schema, document: parse('mutation { close }') });
    expect([rejected, thrown].map(({ errors }) => errors?.[0]?.message)).toEqual(['rejected', 'thrown']);
    expect(countsOf(monitor)).toEqual({ 'Query.account': [1, 1], 'Mutation.close': [1, 1] });
  });

  it('leave fields alone that only read a property', () => {
    const { schema } = timedSchema({ Account: { balance: () => '1' } });
    expect(fieldOf(schema, 'Account', 'name').resolve).toBeUndefined();
    expect(fieldOf(schema, 'Account', 'balance').resolve).toBeTypeOf('function');
  });

  it('are all timed at first, and then one call in ten on average', async () => {
    const { schema, monitor } = timedSchema({ Query: accounts, Account: { balance: () => '1' } }, () => 0.5);
    const ask = (count: number) => execute({ schema, document: parse(`{ accounts(count: ${count}) { balance } }`) });
    await ask(100);
    expect(countsOf(monitor)['Account.balance']).toEqual([100, 0]);
    await ask(1_000);
    expect(countsOf(monitor)['Account.balance']).toEqual([200, 0]);
  });

  it('answer the same whether a call is timed or not', async () => {
    let calls = 0;
    const { schema } = timedSchema({ Query: accounts, Account: { balance: () => String(++calls) } });
    const { data } = await execute({ schema, document: parse('{ accounts(count: 500) { balance } }') });
    const balances = (data?.accounts as { balance: string }[] | undefined)?.map(({ balance }) => Number(balance));
    expect(balances).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
  });
});
