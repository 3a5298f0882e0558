import { getVariableValues, Kind, type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { OperationCosts } from '../../src/graphql/operation-costs.ts';
import { type OperationPrice, operationPrice, pointsOf } from '../../src/graphql/operation-price.ts';
import { createSchema } from '../../src/graphql/schema.ts';
import { generateOperation } from './fuzz/operation-generator.ts';

const SMALL = { accounts: 50, transactions: 1_000 };
const LARGE = { accounts: 4_000, transactions: 400_000 };
const GENERATED = 1_500;

const schema = createSchema();

function prepared(text: string, operationName?: string) {
  const document = parse(text);
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const operation = (operations as OperationDefinitionNode[]).find(
    ({ name }) => operationName === undefined || name?.value === operationName,
  );
  if (!operation) throw new Error('the document has no such operation');
  return { document, operation };
}

/** Undefined for variables that do not fit, and what is wrong with arguments. */
function priceWith({ document, operation }: ReturnType<typeof prepared>, variables: Record<string, unknown> = {}) {
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  return coerced && operationPrice({ schema, document, operation, variables, coerced });
}

function price(text: string, variables?: Record<string, unknown>): OperationPrice {
  const found = priceWith(prepared(text), variables);
  if (!found) throw new Error('the variables do not fit');
  return found;
}

const scans = (text: string, variables?: Record<string, unknown>) =>
  Object.fromEntries(price(text, variables).scans.map(({ of, times }) => [of, times]));

describe('rows that are read one by one', () => {
  test.each<[string, object]>([
    ['{ transactions { totalCount } accounts { totalCount } }', {}],
    ['{ transactions(filter: { category: "rent", bookedFrom: "2026-01-01T00:00:00Z" }) { totalCount } }', {}],
    ['{ accounts(filter: { status: ACTIVE, currency: null }) { totalCountIsExact } }', {}],
    ['{ accounts(filter: { accountNumber: "1" }) { totalCount } }', {}],
    ['{ transactions(filter: { direction: DEBIT }) { nodes { id } } }', {}],
    ['{ transactions(filter: { direction: DEBIT }) { totalCount } }', { transactions: 1 }],
    ['{ transactions(filter: { direction: DEBIT }) { totalCountIsExact } }', { transactions: 1 }],
    ['{ transactions(filter: { minAmount: "1" }) { nodes { id } } }', { transactions: 1 }],
    ['{ transactions(filter: { maxAmount: "1" }) { nodes { id } totalCount } }', { transactions: 2 }],
    ['{ transactions(filter: { maxAmount: "1", accountId: "x" }) { nodes { id } totalCount } }', { ofAccount: 2 }],
    ['{ accounts(filter: { createdFrom: "2026-01-01T00:00:00Z" }) { totalCount } }', { accounts: 1 }],
    ['{ accountList(filter: { minBalance: "1" }) { totalPages } }', { accounts: 2 }],
    ['{ accountList(filter: { minBalance: "1" }) { countIsExact } }', { accounts: 2 }],
    ['{ accounts(first: 7) { nodes { transactions { totalCount } } } }', { ofAccount: 7 }],
    [
      '{ accounts(first: 7) { edges { node { transactions(filter: { minAmount: "1" }) { totalCount } } } totalCount } }',
      { ofAccount: 14 },
    ],
    ['{ dashboard { topAccounts(limit: 3) { transactions { totalCount } } } }', { ofAccount: 3 }],
    ['{ auditLog { totalCount } }', { auditLines: 1 }],
    [
      '{ a: transactions(filter: { minAmount: "1" }) { ...F } } fragment F on TransactionConnection { ... { n: totalCount } }',
      { transactions: 2 },
    ],
    ['{ transactions(filter: { direction: DEBIT }) { totalCount @skip(if: true) nodes { id } } }', {}],
  ])('%s', (text, expected) => expect(scans(text)).toEqual(expected));

  test('conditions and filters by variables count as they are given', () => {
    const text = `query ($all: Boolean = false, $filter: TransactionFilter) {
      transactions(filter: $filter) { totalCount @include(if: $all) nodes { id } } }`;
    expect(scans(text, { filter: { direction: 'DEBIT' } })).toEqual({});
    expect(scans(text, { filter: { direction: 'DEBIT' }, all: true })).toEqual({ transactions: 1 });
    expect(scans(text, { filter: null, all: true })).toEqual({});
  });

  test('cost what the size of the tenant makes them, up to what a time limit lets them take', () => {
    const counted = price('{ transactions(filter: { direction: DEBIT }) { totalCount } }');
    const [none, small, large, huge] = [undefined, SMALL, LARGE, { accounts: 9, transactions: 10 ** 9 }].map((size) =>
      pointsOf(counted, size),
    ) as [number, number, number, number];
    expect(none).toBe(counted.points);
    expect(large - none).toBe(400 * (small - none));
    expect(huge - none).toBe(500_000);
    const ofAccounts = price('{ accounts(first: 10) { nodes { transactions { totalCount } } } }');
    expect(pointsOf(ofAccounts, LARGE) - ofAccounts.points).toBe(10 * 60);
  });
});

describe('statistics', () => {
  const text =
    'query ($from: Date, $to: Date, $period: StatisticsPeriod = DAILY) { statistics(period: $period, from: $from, to: $to) { buckets { start } } }';
  const points = (variables: Record<string, unknown>) => price(text, variables).points;

  test('cost by their days and buckets', () => {
    const week = points({ from: '2026-01-01', to: '2026-01-07' });
    expect(points({ from: '2026-01-01', to: '2026-01-08' }) - week).toBe(4 + 2);
    expect(points({ from: '2026-01-01', to: '2026-01-07', period: 'WEEKLY' })).toBe(week - 6 * 2);
    expect(points({})).toBe(points({ from: '2026-01-01', to: '2026-01-30' }));
  });

  test.each([{ from: '2026-02-01', to: '2026-01-01' }, { from: 'never' }, { to: '2026-13-01' }])(
    'of no range cost what little it takes to refuse them: %j',
    (range) => expect(points(range)).toBeLessThan(1_000),
  );
});

test('a remembered price is that of the variables, whatever was asked before', () => {
  let compared = 0;
  for (let seed = 1; seed <= GENERATED; seed++) {
    const { document, operationName, variables } = generateOperation(schema, seed);
    const asked = prepared(document, operationName);
    const prices = new OperationCosts<OperationPrice>(({ dependsOnTexts }) => dependsOnTexts);
    for (const given of [...variables, ...variables.map(otherTexts), ...variables]) {
      const fresh = priced(asked, given);
      const remembered = prices.of(asked.operation, given, () => priced(asked, given));
      // Wrong texts are refused by the execution, whatever they cost.
      if (fresh) expect(remembered, `seed ${seed}: ${JSON.stringify(given)}`).toEqual(fresh);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(GENERATED);
});

function priced(asked: ReturnType<typeof prepared>, variables: Readonly<Record<string, unknown>>) {
  try {
    return priceWith(asked, { ...variables });
  } catch {
    return undefined; // null for an argument that may not be null
  }
}

/** The same form: texts that are days become others, as do all that are no names of enums. */
function otherTexts(variables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(variables, (_name, value) => {
    if (typeof value !== 'string') return value;
    if (/^\d{4}-\d{2}-\d{2}$/.test(value)) return `2024${value.slice(4)}`;
    return /^[A-Z_]+$/.test(value) ? value : `${value}0`;
  });
  return JSON.parse(text);
}
