import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

import { findImportFiles } from '../../src/import/import-files.ts';
import { type Files, makeFolder } from './import-fixture.ts';

const WHOLE = { 'tenants.csv': '', 'accounts.csv.gz': '', 'transactions.csv.zst': '' };

describe('the files of an import', () => {
  test('may each be plain, gzip or zstd, and are read in the order of what depends on what', () => {
    const files = findImportFiles(makeFolder({ ...WHOLE, 'README.md': 'notes' }));
    expect(files.map(({ name, compression }) => [name, compression])).toEqual([
      ['tenants.csv', 'none'],
      ['accounts.csv.gz', 'gzip'],
      ['transactions.csv.zst', 'zstd'],
    ]);
  });

  test('may be in parts, which are read by their numbers and not by their names', () => {
    const parts = Array.from({ length: 11 }, (_, index) => `transactions.part${index + 1}.csv`);
    const { 'transactions.csv.zst': _, ...rest } = WHOLE;
    const files = findImportFiles(makeFolder({ ...rest, ...Object.fromEntries(parts.map((name) => [name, ''])) }));
    expect(files.map(({ name }) => name)).toEqual(['tenants.csv', 'accounts.csv.gz', ...parts]);
  });

  test.each<[string, Files, RegExp]>([
    ['a missing table', { 'tenants.csv': '', 'accounts.csv': '' }, /has no transactions\.csv/],
    ['a table whole and in parts', { ...WHOLE, 'tenants.part1.csv': '' }, /tenants whole and in parts/],
    [
      'a table compressed and not',
      { ...WHOLE, 'tenants.csv.gz': '' },
      /same file of tenants twice: tenants\.csv, tenants\.csv\.gz/,
    ],
    ['a part compressed and not', parts('1.csv', '2.csv', '2.csv.gz'), /same file of transactions twice/],
    ['a gap in the parts', parts('1.csv', '3.csv'), /lacks transactions\.part2/],
    ['parts that begin with 2', parts('2.csv'), /lacks transactions\.part1/],
    ['a part with a leading zero', parts('01.csv'), /not named so: transactions\.part01\.csv/],
    ['part 0', parts('0.csv', '1.csv'), /not named so: transactions\.part0\.csv/],
    ['a name in capitals', { ...WHOLE, 'Accounts.csv': '' }, /not named so: Accounts\.csv/],
    [
      'a compression that is not of the format',
      { ...WHOLE, 'transactions.csv.bz2': '' },
      /not named so: transactions\.csv\.bz2/,
    ],
  ])('are refused with %s', (_, files, message) => {
    expect(() => findImportFiles(makeFolder(files))).toThrowError(message);
  });

  test('are refused when the folder does not exist, with what it should hold', () => {
    const folder = path.join(makeFolder({}), 'gone');
    expect(() => findImportFiles(folder)).toThrowError(
      expect.objectContaining({
        message: expect.stringContaining('gone'),
        remedy: expect.stringContaining('accounts.csv'),
      }),
    );
  });

  test('are refused when one is a folder', () => {
    const folder = makeFolder({ 'accounts.csv': '', 'transactions.csv': '' });
    mkdirSync(path.join(folder, 'tenants.csv'));
    expect(() => findImportFiles(folder)).toThrowError(/tenants\.csv cannot be read: it is not a regular file/);
  });
});

function parts(...endings: string[]): Files {
  const transactions = endings.map((ending) => [`transactions.part${ending}`, '']);
  return { 'tenants.csv': '', 'accounts.csv': '', ...Object.fromEntries(transactions) };
}
