import {
  buildSchema,
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  type OperationDefinitionNode,
  parse,
  print,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { Executor } from '../../src/apollo/executor.ts';
import { settledOperation } from '../../src/apollo/settled-operation.ts';

const EXECUTIONS = 4;

function createSchema(): GraphQLSchema {
  const schema = buildSchema(`
    directive @odd(how: String) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT | QUERY
    type Query { root: Root, needed: Root!, node: Node }
    type Root {
      rows: [Row!], name: String, size(of: Int): Int!, root: Root, located: String,
      told(of: String): String, ordered(by: Order): String, nested(in: Nested, others: [Other], plain: Plain): String
    }
    input Order { direction: String! = "up" }
    input Nested { not: Nested, any: [Other!] }
    input Other { nested: Nested }
    input Plain { x: Int }
    type Row { good: String!, bad: String!, empty: String }
    interface Node { id: ID }
    type Leaf implements Node { id: ID, root: Root }
  `);
  const fail = (text: string) => () => {
    throw new Error(text);
  };
  const resolvers: Record<string, Record<string, GraphQLFieldResolver<unknown, unknown>>> = {
    Query: { root: async () => ({}), needed: async () => ({}), node: () => ({ __typename: 'Leaf', id: '1' }) },
    Root: {
      ...{ rows: () => [{}, {}, {}], name: fail('name'), size: fail('size'), root: () => ({}) },
      located(_source, _args, _context, { operation }) {
        throw new GraphQLError('elsewhere', { nodes: operation });
      },
      told: (_source, _args, _context, { fieldNodes }) => fieldNodes.map(print).join(),
      ordered: (_source, args) => JSON.stringify(args),
      nested: (_source, args) => JSON.stringify(args),
    },
    Row: { good: () => 'good', bad: fail('bad'), empty: fail('empty') },
  };
  for (const [type, fields] of Object.entries(resolvers)) {
    const known = schema.getType(type);
    if (!known || !('getFields' in known)) throw new Error(`there is no type ${type}`);
    for (const [name, resolve] of Object.entries(fields)) Object.assign(known.getFields()[name] ?? {}, { resolve });
  }
  return schema;
}

const schema = createSchema();

function documentOf(text: string) {
  const document = parse(text);
  return { document, operation: document.definitions[0] as OperationDefinitionNode };
}

/** @returns how often compiled code answered */
async function expectGraphqlJs(text: string, variables = {}, times = EXECUTIONS): Promise<number> {
  const executor = new Executor(schema, { compiles: true });
  const { document, operation } = documentOf(text);
  const { data, errors } = await execute({ schema, document, variableValues: variables });
  for (let execution = 1; execution <= times; execution++) {
    const answer = await executor.execute({ document, operation, variables, context: {} });
    expect(JSON.stringify([answer.errors, answer.data])).toBe(JSON.stringify([errors, data]));
  }
  return executor.counts.jit;
}

describe('errors of compiled code are those of graphql-js', () => {
  test.each([
    [
      'in the order of the answer, whether or not they make more null than their field',
      '{ root { rows { bad } name } }',
    ],
    ['of those that make the same null the first', '{ root { a: size b: size rows { bad again: bad empty } } }'],
    ['of a row and of its list', '{ root { rows { empty good } other: rows { empty bad } root { size } } }'],
    ['at all places where the field is selected', '{ root { name name } root { ...F } } fragment F on Root { name }'],
  ])('%s', async (_title, text) => {
    expect(await expectGraphqlJs(text)).toBe(2);
  });

  test('up to the field without which there is no answer, whichever is found out first', async () => {
    const text = '{ root { name } needed { name size } last: root { name } later: needed { size } }';
    const { document, operation } = documentOf(text);
    const executor = new Executor(schema, { compiles: true });
    for (let execution = 1; execution <= EXECUTIONS; execution++) {
      const { data, errors } = await executor.execute({ document, operation, context: {} });
      const paths = errors?.map(({ path }) => path?.join('.'));
      expect([data, paths]).toEqual([null, ['root.name', 'needed.name', 'needed.size']]);
    }
    expect(executor.counts.jit).toBe(2);
  });

  test('at the place that an error knows by itself', async () => {
    expect(await expectGraphqlJs('{ root { name } root { located } }')).toBe(2);
  });

  test('of variables that do not fit', async () => {
    const text = 'query ($n: Int) { root { name size(of: $n) } }';
    expect(await expectGraphqlJs(text, { n: 1 })).toBe(2);
    expect(await expectGraphqlJs(text, { n: 'one' })).toBe(0);
  });
});

describe('what the compiler does otherwise is left to graphql-js', () => {
  test.each([
    [
      'names whose paths it mistakes',
      '{ root { x_y: told(of: "a") y: root { x: told(of: "b") } x: root { y: told(of: "c") } } }',
    ],
    [
      'names that are like places in lists',
      '{ root { rows_idx0_x: told(of: "a") x: root { rows_idx0: told(of: "b") } } }',
    ],
    ['names that are no properties', '{ root { __proto__: told(of: "a") told } }'],
    ['an optional part of an argument', 'query ($d: String) { root { ordered(by: { direction: $d }) } }'],
    [
      'a text that would become code',
      '{ root { told(of: "__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d0),x:(0),y:(0") } }',
    ],
  ])('%s', async (_title, text) => {
    expect(await expectGraphqlJs(text)).toBe(0);
  });
});

describe('an operation is settled', () => {
  const settled = (text: string, values = {}) => {
    const { document, operation } = documentOf(text);
    return settledOperation(schema, document, operation, values)?.fields.map(print).join('\n');
  };

  test('without directives, its own and those that nobody knows', async () => {
    const text =
      'query @odd { ...F @odd(how: "so") ... @odd @skip(if: false) { root @odd { root { __typename @odd } } } } fragment F on Query { root { root { rows { good } } } }';
    expect(settled(text)?.replaceAll(/\s+/g, ' ')).toBe('{ root { root { rows { good } __typename } root } root }');
    expect(await expectGraphqlJs(text)).toBe(2);
  });

  test('by the default of a variable', async () => {
    const text = 'query ($s: Boolean = true) { root { name @skip(if: $s) rows { good } } }';
    expect(await expectGraphqlJs(text)).toBe(2);
  });

  test('by the values of its variables', () => {
    const text = 'query ($s: Boolean!) { root { root { rows { good @skip(if: $s) empty } } } }';
    expect(settled(text, { s: true })).not.toContain('good');
    expect(settled(text, { s: false })).toContain('good');
  });

  test.each([
    [
      'with a condition that is neither true nor false',
      'query ($s: Boolean = true) { root { name @skip(if: $s) } }',
      { s: null },
    ],
    ['that selects nothing of an object', '{ root { root { name @skip(if: true) } } needed { rows { good } } }', {}],
    ['that selects nothing', '{ root @include(if: false) { name } }', {}],
    ['of an interface', '{ node { id ... on Leaf { root { rows { good } } } } }', {}],
    ['with introspection', '{ __schema { queryType { name } } root { rows { good } } }', {}],
    [
      'of more fields than are worth it',
      `{ root { rows { ${'a b c d e f g h i j'
        .split(' ')
        .map((a) => Array.from({ length: 31 }, (_, n) => `${a}${n}: good`).join(' '))
        .join(' ')} } } }`,
      {},
    ],
  ])('by graphql-js alone: one %s', async (_title, text, variables) => {
    expect(settled(text, variables)).toBeUndefined();
    expect(await expectGraphqlJs(text, variables)).toBe(0);
  });

  test('no further than the fields that are worth it, however many its fragments hold', () => {
    const levels = Array.from(
      { length: 40 },
      (_, n) => `fragment F${n} on Root { a: root { ...F${n + 1} } b: root { ...F${n + 1} } }`,
    );
    const startedMs = performance.now();
    expect(settled(`{ root { ...F0 } } ${levels.join(' ')} fragment F40 on Root { name }`)).toBeUndefined();
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

describe('compiled as all others, though the type holds itself', () => {
  test.each([
    ['a variable of a type that holds itself', 'query ($in: Nested) { root { nested(in: $in) } }', { in: { not: {} } }],
    [
      'one of a list of what does so further below',
      'query ($in: [Other]) { root { nested(others: $in) } }',
      { in: [{ nested: { any: [{}] } }] },
    ],
  ])('%s', async (_title, text, variables) => {
    expect(await expectGraphqlJs(text, variables)).toBeGreaterThan(0);
  });

  test('or only stands beside one that does', async () => {
    expect(
      await expectGraphqlJs('query ($in: Plain) { root { nested(plain: $in) } }', { in: { x: 1 } }),
    ).toBeGreaterThan(0);
  });
});
