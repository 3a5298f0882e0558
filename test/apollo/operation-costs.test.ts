import { Kind, type OperationDefinitionNode, parse } from 'graphql';
import { expect, test, vi } from 'vitest';
import { OperationCosts } from '../../src/apollo/operation-costs.ts';

function operation(): OperationDefinitionNode {
  const [first] = parse('query ($n: Int) { a(n: $n) }').definitions;
  if (first?.kind !== Kind.OPERATION_DEFINITION) throw new Error('the document has no operation');
  return first;
}

const reckoner = (cost: number | undefined) => vi.fn(() => cost);

test('a cost is reckoned once for an operation with its variables', () => {
  const costs = new OperationCosts<number>();
  const [a, b] = [operation(), operation()];
  const [one, two, other] = [reckoner(1), reckoner(2), reckoner(3)];
  for (let time = 0; time < 3; time++) {
    expect(costs.of(a, { n: 1 }, one)).toBe(1);
    expect(costs.of(a, { n: 2 }, two)).toBe(2);
    expect(costs.of(b, { n: 1 }, other)).toBe(3);
  }
  expect([one, two, other].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1]);
});

test('texts change no cost, lengths of lists do', () => {
  const costs = new OperationCosts<number>();
  const asked = operation();
  const [one, two, nobody] = [reckoner(1), reckoner(2), reckoner(9)];
  const newTransaction = (amount: string) => ({ accountId: 'a', amount });
  expect(costs.of(asked, { key: 'k1', list: [newTransaction('1')] }, one)).toBe(1);
  expect(costs.of(asked, { key: 'k2', list: [newTransaction('2'), newTransaction('3')] }, two)).toBe(2);
  expect(costs.of(asked, { key: 'k3', list: [newTransaction('4')] }, nobody)).toBe(1);
  expect(costs.of(asked, { key: 'k4', list: [newTransaction('5'), newTransaction('6')] }, nobody)).toBe(2);
  expect(costs.of(asked, { key: null, list: [newTransaction('7')] }, nobody)).toBe(9);
  expect([one, two, nobody].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1]);
});

test('what cannot be reckoned is not remembered, and neither are long variables', () => {
  const costs = new OperationCosts<number>();
  const asked = operation();
  const [unsound, sound, long] = [reckoner(undefined), reckoner(4), reckoner(5)];
  expect([costs.of(asked, {}, unsound), costs.of(asked, {}, sound)]).toEqual([undefined, 4]);
  for (let time = 0; time < 2; time++) costs.of(asked, { list: Array(500).fill(1) }, long);
  expect([sound, long].map(({ mock }) => mock.calls.length)).toEqual([1, 2]);
});

test('many variables do not fill the memory', () => {
  const costs = new OperationCosts<number>();
  const asked = operation();
  const reckon = reckoner(1);
  const ask = (n: number) => costs.of(asked, { n }, reckon);
  ask(-1);
  for (let n = 0; n < 50; n++) ask(n);
  expect(reckon).toHaveBeenCalledTimes(51);
  ask(-1);
  expect(reckon).toHaveBeenCalledTimes(52);
});

test('where texts decide they belong to the form, from then on', () => {
  const costs = new OperationCosts<{ points: number; byTexts: boolean }>(({ byTexts }) => byTexts);
  const asked = operation();
  const costOf = (day: string, points: number, byTexts = true) =>
    costs.of(asked, { day }, () => ({ points, byTexts }))?.points;
  expect(costOf('2026-01-01', 1, false)).toBe(1);
  expect(costOf('2026-01-02', 9)).toBe(1);
  const known = costs.of(asked, { day: '2026-01-03', more: true }, () => ({ points: 3, byTexts: true }));
  expect(known?.points).toBe(3);
  expect([costOf('2026-01-02', 4), costOf('2026-01-05', 5), costOf('2026-01-02', 9)]).toEqual([4, 5, 4]);
});
