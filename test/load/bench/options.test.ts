import { expect, test } from 'vitest';
import { parseCommandLine } from '../../../src/cli/command-line.ts';
import { BENCH, readBenchOptions, SECTIONS } from './options.ts';

function read(...argv: string[]) {
  const line = parseCommandLine(BENCH, argv);
  if (line === 'help') throw new Error('help was asked for');
  return readBenchOptions(line);
}

test('without options everything is measured at its full size', () => {
  expect(read()).toMatchObject({
    sections: new Set(SECTIONS),
    connections: 16,
    size: { tenants: 200, accounts: 20_000, transactions: 2_000_000, accountsPerTenant: 50, data: 'life' },
    scaleSteps: null,
  });
});

test('each case is measured for five seconds, and each of the many of --scale for one', () => {
  expect([read().secondsPerCase, read('--scale').secondsPerCase]).toEqual([5, 1]);
  expect(read('--scale', '--seconds', '3').secondsPerCase).toBe(3);
});

test('--only picks cases and names the known ones when it does not know one', () => {
  expect(read('--only', 'mixed, hot-list').sections).toEqual(new Set(['mixed', 'hot-list']));
  expect(() => read('--only', 'warm')).toThrow(/some of hot-dashboard.*but got: "warm"/);
});

test('a small data set gives each tenant what there is', () => {
  expect(read('--tenants', '10', '--accounts', '100').size.accountsPerTenant).toBe(10);
  expect(() => read('--tenants', '10', '--accounts', '9')).toThrow('--accounts must be a whole number between 10');
});

test('the data are written as in life or at once, and not otherwise', () => {
  expect(read('--data', 'bulk').size.data).toBe('bulk');
  expect(() => read('--data', 'spread')).toThrow('--data must be life or bulk, but got: "spread"');
});

test('the steps of --scale must grow', () => {
  expect(read('--scale', '--steps', '100_000,200_000').scaleSteps).toEqual([100_000, 200_000]);
  expect(() => read('--scale', '--steps', '200_000,100_000')).toThrow('--steps must grow');
});
