import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { importFolder } from '../../src/import/import-folder.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import {
  ACCOUNT,
  csv,
  cutGzip,
  type Files,
  importFiles,
  makeFolder,
  snapshot,
  TENANTS_HEADER,
  TRANSACTIONS_HEADER,
  TWO_TENANTS,
  valuesOf,
  zstdFrame,
} from './import-fixture.ts';

const NEW_TRANSACTIONS = Array.from(
  { length: 30_000 },
  (_, index) => `${ACCOUNT},new${index},2024-05-01T12:00:00Z,CREDIT,1,,,,`,
);
const TRANSACTIONS = csv(TRANSACTIONS_HEADER, ...NEW_TRANSACTIONS);
const TENANTS = TWO_TENANTS['tenants.csv'];
const ACCOUNTS = TWO_TENANTS['accounts.csv'];

/** Everything is new and good but for what the case adds. */
const withTenants = (tenants: Files): Files => ({
  'accounts.csv': ACCOUNTS,
  'transactions.csv': TRANSACTIONS,
  ...tenants,
});
const withPart2 = (part2: Files): Files => ({
  'tenants.csv': TENANTS,
  'accounts.csv': ACCOUNTS,
  'transactions.part1.csv': TRANSACTIONS,
  ...part2,
});

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(() => database.drop());

describe('an import changes nothing with', () => {
  test.each<[string, Files, RegExp]>([
    [
      'a gzip that breaks in the middle of part 2',
      withPart2({ 'transactions.part2.csv.gz': cutGzip(TRANSACTIONS) }),
      /part2\.csv\.gz cannot be read: it is cut off/,
    ],
    [
      'a zstd that breaks in the middle of part 2',
      withPart2({ 'transactions.part2.csv.zst': zstdFrame(csv(TRANSACTIONS_HEADER, `${ACCOUNT},x`)).subarray(0, -1) }),
      /part2\.csv\.zst cannot be read: it is cut off/,
    ],
    [
      'a gzip that is none',
      withPart2({ 'transactions.part2.csv.gz': TRANSACTIONS }),
      /part2\.csv\.gz cannot be read: it is damaged/,
    ],
    [
      'a later part without a header',
      withPart2({ 'transactions.part2.csv.gz': gzipSync(csv(`${ACCOUNT},x`)) }),
      /part2\.csv\.gz does not begin with the header of transactions/,
    ],
    ['a missing part', withPart2({ 'transactions.part3.csv': TRANSACTIONS }), /lacks transactions\.part2/],
    ['a missing table', withTenants({}), /has no tenants\.csv/],
    [
      'an empty file',
      withTenants({ 'tenants.csv': '' }),
      /tenants\.csv does not begin with the header of tenants: it is empty/,
    ],
    [
      'an unknown column',
      withTenants({ 'tenants.csv': csv(`${TENANTS_HEADER},colour`) }),
      /"colour" is not a column of it/,
    ],
    ['a missing column', withTenants({ 'tenants.csv': csv('slug,name') }), /time_zone is missing/],
    ['a column that stands twice', withTenants({ 'tenants.csv': csv(`${TENANTS_HEADER},slug`) }), /slug stands twice/],
    ['a broken header', withTenants({ 'tenants.csv': csv('"slug,name,time_zone') }), /a quote is open/],
  ])('%s', async (_, files, message) => {
    await importFiles(database.url, TWO_TENANTS);
    const before = await snapshot(database.url);
    await expect(importFiles(database.url, files)).rejects.toThrowError(message);
    expect(await snapshot(database.url)).toEqual(before);
  });

  test('a rejects file that cannot be written', async () => {
    const folder = makeFolder({ ...TWO_TENANTS, 'tenants.csv': `${TENANTS}bad\n` });
    const rejectsPath = path.join(folder, 'no', 'such', 'folder.csv');
    const failed = withClient(database.url, (client) => importFolder({ client, folder, rejectsPath }));
    await expect(failed).rejects.toThrowError(/folder\.csv cannot be written/);
    expect(await valuesOf(database.url, 'SELECT slug AS value FROM tenants')).toEqual([]);
  });
});
