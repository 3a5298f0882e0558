import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { parseCommandLine } from '../../src/cli/command-line.ts';
import { readSeedRequest, SEED_COMMAND } from '../../src/seed/seed-options.ts';
import { planTenants } from '../../src/seed/tenant-plan.ts';

function request(argv: string[], environment?: string) {
  const line = parseCommandLine(SEED_COMMAND, argv);
  if (line === 'help') throw new Error('--help was not asked for');
  return readSeedRequest(line, environment);
}

describe('the tenants of db:seed', () => {
  test('have exactly as many accounts and transactions as were asked for, and an account each', () => {
    const sizes = fc.record({
      tenants: fc.integer({ min: 1, max: 300 }),
      more: fc.nat(50_000),
      transactions: fc.nat(1_000_000),
    });
    fc.assert(
      fc.property(sizes, ({ tenants, more, transactions }) => {
        const plans = planTenants({ tenants, accounts: tenants + more, transactions }, 1, 'tenant');
        const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
        expect(sum(plans.map((plan) => plan.accounts))).toBe(tenants + more);
        expect(sum(plans.map((plan) => plan.transactions))).toBe(transactions);
        expect(Math.min(...plans.map((plan) => plan.accounts))).toBeGreaterThanOrEqual(1);
        expect(Math.min(...plans.map((plan) => plan.transactions))).toBeGreaterThanOrEqual(0);
        expect(new Set(plans.map(({ slug }) => slug)).size).toBe(tenants);
      }),
      { numRuns: 50 },
    );
  });

  test('are of skewed sizes: the second has half of what the first has, the tenth a tenth', () => {
    const plans = planTenants({ tenants: 100, accounts: 10_000, transactions: 1_000_000 }, 1, 'tenant');
    const [first, second, , , , , , , , tenth] = plans.map(({ transactions }) => transactions) as number[];
    expect(first).toBeGreaterThan(190_000);
    expect(second).toBeCloseTo((first as number) / 2, -1);
    expect(tenth).toBeCloseTo((first as number) / 10, -1);
  });

  test('draw their rows from the seed and the slug', () => {
    const saltsOf = (seed: number, prefix: string) =>
      planTenants({ tenants: 2, accounts: 2, transactions: 0 }, seed, prefix).map(({ salt }) => salt);
    expect(saltsOf(1, 'tenant')).toEqual(saltsOf(1, 'tenant'));
    expect(new Set([...saltsOf(1, 'tenant'), ...saltsOf(2, 'tenant'), ...saltsOf(1, 'other')]).size).toBe(6);
  });
});

describe('the options of db:seed', () => {
  test('have defaults', () => {
    const { tenants, period, append } = request([]);
    expect([tenants.length, period, append]).toEqual([10, { days: 400, until: undefined }, false]);
  });

  test.each([
    [['--tenants', '0'], '--tenants must be a whole number between 1 and 100000, but got: "0".'],
    [
      ['--tenants', '20', '--accounts', '19'],
      '--accounts must be a whole number between 20 and 10000000, but got: "19".',
    ],
    [['--transactions', '1e6'], '--transactions must be a whole number between 0 and 100000000, but got: "1e6".'],
    ...['2026-02-30', '0999-12-31', '9999-12-30'].map((day): [string[], string] => [
      ['--until', day],
      `--until must be a day of the years 1000 to 9999, two days before the last at the latest, but got: "${day}".`,
    ]),
    [['--prefix', 'Bench'], '--prefix must be up to 50 of a-z, 0-9 and -, beginning with a letter, but got: "Bench".'],
  ])('%j are refused', (argv, message) => {
    expect(() => request(argv)).toThrowError(message);
  });

  test('must allow production where it is', () => {
    expect(() => request([], 'production')).toThrowError(/NODE_ENV is production/);
    expect(request(['--in-production'], 'production').tenants).toHaveLength(10);
  });
});
