import { type CommandLine, type CommandSpec, wholeNumber } from '../../../src/cli/command-line.ts';
import { OperatorError } from '../../../src/errors.ts';
import type { DataKind } from './data-set.sql.ts';
import type { DataSetSize } from './data-set.ts';

/** What may be asked for with --only. */
export const SECTIONS = [
  'hot-dashboard',
  'hot-list',
  'rare-tenants',
  'cold-dashboard',
  'cold-largest',
  'cold-list',
  'row-security',
  'mixed',
  'writers',
  'past-writes',
  'bulk-load',
  'memory',
  'invalidation',
  'fair-shares',
  'prices',
  'subscriptions',
] as const;
export type Section = (typeof SECTIONS)[number];

/** In two lines, as --help has room. */
const SECTIONS_HELP = [SECTIONS.slice(0, 8), SECTIONS.slice(8)].map((half) => half.join(', ')).join(',\n');

/** A list of 50 accounts is asked for: fewer tenants than this would be measured with less. */
const ACCOUNTS_PER_TENANT = 50;

export const BENCH = {
  name: 'bench',
  summary:
    'Measures the service in production mode beside the limits of the machine (a bare Fastify with one GET of Redis,\n' +
    'with a Map, with one hand-written SQL statement) and beside its peers: Apollo Server with its response cache\n' +
    'plugin, Mercurius with its compiler, loaders and cache. All in one run, in turn, and as ratios. Makes its own data set, once.',
  options: {
    only: { type: 'string', value: '<cases>', description: `Some of these, parted by commas:\n${SECTIONS_HELP}` },
    scale: { type: 'boolean', description: 'Instead: how cold answers and writes change while the data grow.' },
    steps: {
      type: 'string',
      value: '<n,n>',
      default: '100_000,1_000_000,10_000_000',
      description: 'Transactions at each step of --scale.\n',
    },
    seconds: { type: 'string', value: '<n>', description: 'For each case in each round. Default: 5; with --scale 1.' },
    rounds: {
      type: 'string',
      value: '<n>',
      default: '5',
      description: 'How often each case comes; medians are shown.',
    },
    'warm-up': { type: 'string', value: '<s>', default: '8', description: 'Seconds for each case before the rounds.' },
    connections: { type: 'string', value: '<n>', default: '16', description: 'Requests under way at a time.' },
    tenants: { type: 'string', value: '<n>', default: '200', description: 'Size of the data set.' },
    accounts: { type: 'string', value: '<n>', default: '20_000', description: 'Size of the data set.' },
    transactions: { type: 'string', value: '<n>', default: '2_000_000', description: 'Size of the data set.' },
    entries: { type: 'string', value: '<n>', default: '1_000_000', description: 'Of "memory" and "invalidation".\n' },
    data: {
      type: 'string',
      value: '<life|bulk>',
      default: 'life',
      description: 'Written in the order of time, or by one COPY. Each has a database of its own.\n',
    },
    fresh: { type: 'boolean', description: 'Makes the data set anew.' },
    profile: { type: 'string', value: '<folder>', description: 'Writes CPU profiles of the service there.' },
    json: { type: 'boolean', description: 'Prints the result as JSON.' },
  },
  notes:
    'The data set lies in an embedded PostgreSQL under .tenantry/bench, or in databases tenantry_bench_life,\n' +
    '_bulk, _rare and _scale of the server that DATABASE_URL names. Redis is started from the PATH.\n' +
    'docs/performance.md tells what is measured and how to read it.',
} as const satisfies CommandSpec;

export interface BenchOptions {
  readonly sections: ReadonlySet<Section>;
  readonly secondsPerCase: number;
  readonly rounds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly size: DataSetSize;
  /** How many entries are put into the cache. */
  readonly entries: number;
  readonly fresh: boolean;
  readonly profileFolder: string | undefined;
  /** Transactions at each step; null without --scale. */
  readonly scaleSteps: readonly number[] | null;
  readonly json: boolean;
}

/** @throws OperatorError for a value that does not hold */
export function readBenchOptions({ options }: CommandLine<typeof BENCH.options>): BenchOptions {
  const number = (name: 'rounds' | 'warm-up' | 'connections' | 'entries', min: number, max: number) =>
    wholeNumber(name, options[name], min, max);
  return {
    sections: readSections(options.only),
    secondsPerCase: wholeNumber('seconds', options.seconds ?? (options.scale ? '1' : '5'), 1, 3_600),
    rounds: number('rounds', 1, 1_000),
    warmUpSeconds: number('warm-up', 1, 3_600),
    connections: number('connections', 1, 1_000),
    size: readSize(options),
    entries: number('entries', 10, 10_000_000),
    fresh: options.fresh,
    profileFolder: options.profile,
    scaleSteps: options.scale ? readSteps(options.steps) : null,
    json: options.json,
  };
}

function readSections(only: string | undefined): ReadonlySet<Section> {
  if (only === undefined) return new Set(SECTIONS);
  const wanted = only.split(',').map((name) => name.trim());
  const unknown = wanted.find((name) => !SECTIONS.some((section) => section === name));
  if (unknown !== undefined)
    throw new OperatorError(
      `--only must name some of ${SECTIONS.join(', ')}, but got: "${unknown}".`,
      'For example: npm run bench -- --only hot-dashboard,mixed',
    );
  return new Set(wanted as Section[]);
}

function readSize(options: { tenants: string; accounts: string; transactions: string; data: string }): DataSetSize {
  const tenants = wholeNumber('tenants', options.tenants, 1, 10_000);
  const transactions = wholeNumber('transactions', options.transactions, 1, 100_000_000);
  const accounts = wholeNumber('accounts', options.accounts, tenants, 10_000_000);
  return {
    tenants,
    accounts,
    transactions,
    accountsPerTenant: Math.min(ACCOUNTS_PER_TENANT, Math.floor(accounts / tenants)),
    data: readData(options.data),
  };
}

function readData(data: string): DataKind {
  if (data === 'life' || data === 'bulk') return data;
  throw new OperatorError(
    `--data must be life or bulk, but got: "${data}".`,
    'For example: npm run bench -- --only cold-dashboard --data bulk',
  );
}

function readSteps(text: string): number[] {
  const steps = text.split(',').map((step) => wholeNumber('steps', step.trim(), 10_000, 100_000_000));
  if (steps.every((step, index) => step > (steps[index - 1] ?? 0))) return steps;
  throw new OperatorError(`--steps must grow, but got: "${text}".`, 'For example: --steps 100_000,1_000_000');
}
