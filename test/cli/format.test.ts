import { expect, test } from 'vitest';

import { formatBytes, formatCount, formatDuration, formatRate } from '../../src/cli/format.ts';
import { formatTable } from '../../src/cli/table.ts';

test('counts have their thousands parted', () => {
  expect(formatCount(1518525)).toBe('1,518,525');
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [15 * 1024 ** 3, '15.0 GiB'],
  [5000 * 1024 ** 4, '5000.0 TiB'],
])('%d bytes read %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [850.4, '850 ms'],
  [12_345, '12.3 s'],
  [59_960, '1 min 0 s'],
  [125_400, '2 min 5 s'],
])('%d milliseconds read %s', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});

test('a rate is by the second, and unknown when no time has passed', () => {
  expect(formatRate(5000, 2000, 'rows')).toBe('2,500 rows/s');
  expect(formatRate(5000, 0, 'rows')).toBe('- rows/s');
});

test('a table has its texts to the left and its numbers to the right', () => {
  const rows = [
    ['tenants', '15', '1.5 KiB'],
    ['transactions', '1,518,525', '90.0 MiB'],
  ];
  expect(formatTable(['table', 'rows', 'size'], rows)).toBe(
    [
      'table              rows      size',
      '------------  ---------  --------',
      'tenants              15   1.5 KiB',
      'transactions  1,518,525  90.0 MiB',
    ].join('\n'),
  );
});
