import { type CommandLine, type CommandSpec, wholeNumber } from '../../../src/cli/command-line.ts';

/** The exit code when an answer was older than promised, or of another tenant. */
export const WRONG_EXIT_CODE = 2;

/**
 * The exit code when nothing wrong was found, and too little was looked at to say that there is
 * nothing.
 */
export const TOO_FEW_EXIT_CODE = 3;

export const SOAK = {
  name: 'soak',
  summary:
    'Looks for a read that is older than a write which was acknowledged before it began, and for an answer with\n' +
    "another tenant's data: several processes of the service in production mode, over HTTP, with one Redis and one\n" +
    'PostgreSQL; writers through every process and past the API, and readers of the same tenants.',
  options: {
    reads: { type: 'string', value: '<n>', default: '1_000_000', description: 'How many reads to check.' },
    seconds: { type: 'string', value: '<n>', description: 'Ends after so long, whatever the number of reads.' },
    'near-writes': {
      type: 'string',
      value: '<n>',
      default: '100',
      description:
        'How many of the reads must begin within 10 ms of a write of their\ntenant, where a cache goes wrong; with fewer it is no success.',
    },
    processes: { type: 'string', value: '<n>', default: '2', description: 'Processes of the service.' },
    tenants: { type: 'string', value: '<n>', default: '20', description: 'Fewer are written more often each.' },
    connections: { type: 'string', value: '<n>', default: '16', description: 'Requests under way at a time.' },
    faults: {
      type: 'boolean',
      description: 'Every few seconds freezes or kills Redis, or a process of the service,\nand starts it again.',
    },
    'without-redis': {
      type: 'boolean',
      description: 'Each process with a cache of its own, which promises less: shows that the\nsoak finds stale reads.',
    },
    json: { type: 'boolean', description: 'Prints the result as JSON.' },
  },
  exitCodes: {
    [WRONG_EXIT_CODE]: 'an answer was older than promised, or of another tenant',
    [TOO_FEW_EXIT_CODE]: 'nothing wrong was found, but fewer reads than --near-writes were near a write',
  },
  notes:
    'The database is made anew and dropped at the end: in an embedded PostgreSQL under .tenantry/bench, or on the server\n' +
    'that DATABASE_URL names. Redis is started from the PATH. docs/performance.md tells what is checked, and how.',
} as const satisfies CommandSpec;

export interface SoakOptions {
  readonly reads: number;
  /** Infinity when not given. */
  readonly seconds: number;
  readonly nearWrites: number;
  readonly processes: number;
  readonly tenants: number;
  readonly connections: number;
  readonly faults: boolean;
  readonly withoutRedis: boolean;
  readonly json: boolean;
}

/** @throws OperatorError for a value that does not hold */
export function readSoakOptions({ options }: CommandLine<typeof SOAK.options>): SoakOptions {
  const processes = wholeNumber('processes', options.processes, 1, 16);
  return {
    reads: wholeNumber('reads', options.reads, 1, 1_000_000_000),
    seconds: options.seconds === undefined ? Infinity : wholeNumber('seconds', options.seconds, 1, 1_000_000),
    nearWrites: wholeNumber('near-writes', options['near-writes'], 1, 1_000_000_000),
    processes,
    tenants: wholeNumber('tenants', options.tenants, 2, 1_000),
    connections: wholeNumber('connections', options.connections, processes, 1_000),
    faults: options.faults,
    withoutRedis: options['without-redis'],
    json: options.json,
  };
}
