import { type CommandLine, type CommandSpec, wholeNumber } from '../cli/command-line.ts';
import { OperatorError } from '../errors.ts';
import { isInstantWithin, LIMITS } from '../limits.ts';
import type { SeedPeriod } from './seed-tenant.ts';
import { planTenants, type TenantPlan } from './tenant-plan.ts';

const MAX_TENANTS = 100_000;
const MAX_ACCOUNTS = 10_000_000;
const MAX_TRANSACTIONS = 100_000_000;
const MAX_DAYS = 36_500;
/** From the midnight that a day has in UTC to its end in the westernmost time zone. */
const LONGEST_DAY_MS = 36 * 3_600_000;
/** With the number behind it, it is within the limit of slugs. */
const MAX_PREFIX_LENGTH = LIMITS.tenants.slug.maxLength / 2;

export const SEED_COMMAND = {
  name: 'db:seed',
  summary:
    'Fills the database with generated tenants: one large, many small. The same options give the same rows; with --until\n' +
    'also the same dates and ids.',
  options: {
    tenants: { type: 'string', value: '<n>', default: '10', description: 'How many tenants.' },
    accounts: { type: 'string', value: '<n>', default: '1000', description: 'How many accounts, over all tenants.' },
    transactions: { type: 'string', value: '<n>', default: '100000', description: 'How many, over all tenants.' },
    days: { type: 'string', value: '<n>', default: '400', description: 'Over how many days they are spread.' },
    until: { type: 'string', value: '<day>', description: "The last day, YYYY-MM-DD. Default: each tenant's today." },
    seed: { type: 'string', value: '<n>', default: '1', description: 'Another number gives other rows.' },
    prefix: { type: 'string', value: '<text>', default: 'tenant', description: 'What the slugs begin with.' },
    append: { type: 'boolean', description: 'Allow it in a database that has tenants.' },
    'in-production': { type: 'boolean', description: 'Allow it with NODE_ENV=production.' },
  },
  notes: 'The database is the one DATABASE_URL names, else the embedded one. Numbers may be written 10_000_000.',
} as const satisfies CommandSpec;

export interface SeedRequest {
  readonly tenants: TenantPlan[];
  readonly period: SeedPeriod;
  readonly append: boolean;
}

/**
 * What the command line asks for.
 * @throws OperatorError when an option does not hold, or the environment is production and that was
 *   not allowed
 */
export function readSeedRequest(
  { options }: CommandLine<typeof SEED_COMMAND.options>,
  environment: string | undefined,
): SeedRequest {
  if (environment === 'production' && !options['in-production'])
    throw new OperatorError(
      'NODE_ENV is production: generated tenants do not belong there.',
      'If they do, run it with --in-production.',
    );
  const tenants = wholeNumber('tenants', options.tenants, 1, MAX_TENANTS);
  const sizes = {
    tenants,
    accounts: wholeNumber('accounts', options.accounts, tenants, MAX_ACCOUNTS),
    transactions: wholeNumber('transactions', options.transactions, 0, MAX_TRANSACTIONS),
  };
  const seed = wholeNumber('seed', options.seed, 0, Number.MAX_SAFE_INTEGER);
  return {
    tenants: planTenants(sizes, seed, checkedPrefix(options.prefix)),
    period: { days: wholeNumber('days', options.days, 1, MAX_DAYS), until: checkedDay(options.until) },
    append: options.append,
  };
}

function checkedPrefix(prefix: string): string {
  if (/^[a-z][a-z0-9-]*$/.test(prefix) && prefix.length <= MAX_PREFIX_LENGTH) return prefix;
  throw new OperatorError(
    `--prefix must be up to ${MAX_PREFIX_LENGTH} of a-z, 0-9 and -, beginning with a letter, but got: "${prefix}".`,
    'Give it so, for example --prefix bench.',
  );
}

/**
 * Years of four digits with room for the days before; the last day's transactions are within the
 * limits in every time zone.
 */
function checkedDay(day: string | undefined): string | undefined {
  if (day === undefined) return undefined;
  const date = new Date(`${day}T00:00:00Z`);
  const exists =
    /^[1-9]\d{3}-\d\d-\d\d$/.test(day) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
  if (exists && isInstantWithin(new Date(date.getTime() + LONGEST_DAY_MS).toISOString())) return day;
  throw new OperatorError(
    `--until must be a day of the years 1000 to 9999, two days before the last at the latest, but got: "${day}".`,
    'Give it as YYYY-MM-DD, for example 2026-01-31.',
  );
}
