import { describe, expect, test } from 'vitest';

import { decimal, instant, matching, positiveDecimal, text } from '../../src/import/values.ts';

const THREE = { kind: 'text', maxLength: 3 } as const;

describe('decimals', () => {
  test.each(['0', '-0', '1.5', '1.5000', '-12.34', '000000000000001', '999999999999999.9999'])('may be %s', (value) => {
    expect(decimal.read(value)).toBe(value);
  });

  test.each(['', '.5', '1.', '+1', '1e3', '1,5', ' 1', '1.50000', '1000000000000000', 'NaN', 'Infinity', '0x1', '١'])(
    'may not be %j',
    (value) => {
      expect(decimal.read(value)).toBeNull();
    },
  );

  test.each(['0', '0.0000', '-1', '-0.0001'])('of an amount may not be %s', (value) => {
    expect(positiveDecimal.read(value)).toBeNull();
  });

  test('of an amount may be the smallest there is', () => {
    expect(positiveDecimal.read('0.0001')).toBe('0.0001');
  });
});

describe('instants', () => {
  test.each([
    ['2024-02-29T23:59:59+01:00', '2024-02-29T23:59:59+01:00'],
    ['2000-02-29T00:00:00.123Z', '2000-02-29T00:00:00.123Z'],
    ['2024-03-31t09:30:00z', '2024-03-31T09:30:00.000Z'],
    ['2024-12-31T23:59:59.999999999-00:00', '2024-12-31T23:59:59.999Z'],
    ['2024-01-01T00:00:00+23:59', '2023-12-31T00:01:00.000Z'],
    ['0050-06-01T00:00:00.5+15:00', '0050-05-31T09:00:00.500Z'],
    ['0001-01-02T00:00:00Z', '0001-01-02T00:00:00.000Z'],
    ['0001-01-01T10:00:00-14:00', '0001-01-02T00:00:00.000Z'],
    ['9999-12-31T13:59:59.9999+14:00', '9999-12-30T23:59:59.999Z'],
  ])('may be %s', (value, sent) => {
    expect(instant.read(value)).toBe(sent);
  });

  test.each([
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '2024-00-10T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '2016-12-31T23:59:60Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T12:60:00Z',
    '2024-01-01T12:00:00',
    '2024-01-01T12:00:00+0100',
    '2024-01-01T12:00:00+24:00',
    '2024-01-01T12:00:00+01:60',
    '2024-01-01 12:00:00Z',
    '2024-01-01T12:00Z',
    '2024-01-01',
    '24-01-01T12:00:00Z',
    '0000-01-01T12:00:00Z',
    '0001-01-01T23:59:59.999Z',
    '0001-01-02T00:59:59+01:00',
    '9999-12-31T00:00:00Z',
    '9999-12-30T23:00:00-01:00',
    '2024-01-01T12:00:00.Z',
    ' 2024-01-01T12:00:00Z',
    'now',
  ])('may not be %j', (value) => {
    expect(instant.read(value)).toBeNull();
  });
});

describe('texts', () => {
  test('are counted in characters, as PostgreSQL counts them', () => {
    expect(text(THREE).read('😀😀😀')).toBe('😀😀😀');
    expect(text(THREE).read('😀😀😀a')).toBeNull();
  });

  test('may not hold NUL, which PostgreSQL cannot store', () => {
    expect(text(THREE).read('a\0b')).toBeNull();
  });

  test('of a pattern must be it from end to end', () => {
    const slug = matching({ kind: 'text', maxLength: 5, pattern: '^[a-z-]+$' }, 'a slug');
    expect(['ab-c', 'abcdef', 'ab\n', 'Ab'].map(slug.read)).toEqual(['ab-c', null, null, null]);
  });
});
