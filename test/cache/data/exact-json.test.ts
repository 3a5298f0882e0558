import { expect, test } from 'vitest';
import { exactJson, parseExact } from '../../../src/exact-json.ts';
import { Prisma } from '../../../src/generated/prisma/client.ts';

const { Decimal } = Prisma;

test.each<[string, unknown]>([
  ['rows of text, numbers, booleans and null', [{ a: '1.5000', b: 1.5, c: true, d: null, e: [] }, {}]],
  ['a decimal with more digits than a float', new Decimal('999999999999999.99990000000000000001')],
  ['zeros with their signs', [0, -0, new Decimal('0'), new Decimal('-0')]],
  ['what is no finite number', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ['an instant with milliseconds', { at: new Date('2025-03-30T01:00:00.123Z') }],
  ['the ends of the instants', [new Date(8.64e15), new Date(-8.64e15)]],
  ['a big integer', { count: 9_007_199_254_740_993n, minus: -1n }],
  ['bytes', { hash: new Uint8Array([0, 1, 127, 128, 255]), none: new Uint8Array() }],
  ['undefined, in objects and lists', { a: undefined, list: [undefined, 1] }],
  [
    'a property that looks like a mark',
    [
      { $: 'date', v: '0' },
      { $: { $: 1n }, other: new Date(0) },
    ],
  ],
  ['text that looks like a mark', ['{"$":"date","v":"0"}', new Date(0)]],
  ['names that objects have by themselves', JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":null}')],
  ['such names beside a date', [JSON.parse('{"__proto__":{"a":1}}'), new Date(0)]],
  ['odd unicode', ['\ud800', '\u2028', 'Å😀', '\0']],
])('%s come back the same', (_, value) => {
  const read = parseExact(exactJson(value));
  expect(read).toStrictEqual(value);
  expect(exactJson(read)).toBe(exactJson(value));
});

test('what comes back is of the same class', () => {
  const [decimal, bytes] = parseExact(exactJson([new Decimal('0.1'), Buffer.from('a')])) as [unknown, unknown];
  expect(decimal).toBeInstanceOf(Decimal);
  expect((decimal as Prisma.Decimal).plus('0.2').toString()).toBe('0.3');
  expect(bytes).toBeInstanceOf(Uint8Array);
});

test('a form that nobody wrote is refused', () => {
  expect(() => parseExact('{"$":"regexp","v":"."}')).toThrow('"regexp" is no form');
});
