import { Progress } from '../../../src/cli/progress.ts';
import { OperatorError, StateError } from '../../../src/errors.ts';
import { ask, loadRequest } from './answers.ts';
import { type Cleanup, withCleanup } from './cleanup.ts';
import { announce, ensureDataSet, transactionsMade } from './data-set.ts';
import { type BenchDatabase, openBenchDatabase } from './database.ts';
import { ensureFixedTenant } from './fixed-tenant.ts';
import { Load } from './load.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { median } from './percentile.ts';
import { scaleOperations } from './scale-operations.ts';
import { measureWriteCosts, type WriteCost } from './scale-writes.ts';
import { type Server, startService } from './servers.ts';
import { issueTokens } from './subjects.ts';

const DATABASE = 'tenantry_bench_scale';
/** So few that the largest tenant has 1,000 pages of accounts at 10,000,000 transactions. */
const TRANSACTIONS_PER_ACCOUNT = 80;
/**
 * So few that at 100,000 transactions the largest tenant has more accounts than the nested list
 * shows, and transactions on every day: answers of different sizes could not be compared. The same
 * at each step, since it says who gets which account.
 */
const ACCOUNTS_PER_TENANT = 1;
const LEAD_IN_MS = 200;

/** How long one caller waits who is alone. */
export interface ScaleLatency {
  readonly tenant: 'same size' | 'largest';
  readonly title: string;
  readonly p50Ms: number;
}

export interface ScaleStep {
  readonly transactions: number;
  readonly latencies: readonly ScaleLatency[];
  readonly writes: readonly WriteCost[];
}

export interface ScaleReport {
  readonly machine: Machine;
  readonly steps: readonly ScaleStep[];
}

/**
 * Grows the data set step by step and measures each. A run that was broken off goes on where it
 * stopped.
 */
export function runScale(options: BenchOptions, steps: readonly number[]): Promise<ScaleReport> {
  const progress = new Progress();
  return withCleanup(async (cleanup) => {
    cleanup.add(() => progress.close());
    const log = (line: string) => progress.log(line);
    const database = await openBenchDatabase(DATABASE, { cleanup, log, fresh: options.fresh });
    const machine = describeMachine(database.version, false);
    const kept = new KeptSteps(database);
    await kept.open();
    announce((steps.at(-1) ?? 0) - (await transactionsMade(database.client)), progress);
    const results: ScaleStep[] = [];
    for (const transactions of steps) {
      const step =
        (await kept.find(transactions)) ?? (await runStep({ database, transactions, options, progress, cleanup }));
      await kept.keep(step);
      results.push(step);
    }
    return { machine, steps: results };
  });
}

interface StepTools {
  readonly database: BenchDatabase;
  readonly transactions: number;
  readonly options: BenchOptions;
  readonly progress: Progress;
  readonly cleanup: Cleanup;
}

async function runStep({ database, transactions, options, progress, cleanup }: StepTools): Promise<ScaleStep> {
  const { client, serviceUrl } = database;
  const made = await transactionsMade(client);
  if (made > transactions) throw alreadyLarger(made, transactions);
  const accounts = Math.max(
    options.size.tenants * ACCOUNTS_PER_TENANT,
    Math.floor(transactions / TRANSACTIONS_PER_ACCOUNT),
  );
  const size = {
    tenants: options.size.tenants,
    accounts,
    transactions,
    accountsPerTenant: ACCOUNTS_PER_TENANT,
    data: 'spread',
  } as const;
  const { lastDay, tenants } = await ensureDataSet(client, size, progress);
  const fixed = await ensureFixedTenant(client, lastDay);
  const largest = tenants[0] ?? fixed;
  progress.log(`${transactions.toLocaleString('en-US')} transactions: measuring`);
  const known = await issueTokens([fixed, largest]);
  const env = { DATABASE_URL: serviceUrl, AUTH_SECRET: known.secret, CACHE: 'off' };
  const server = await startService(env, options.profileFolder, cleanup);
  const latencies = await measureLatencies(server, known.tenants, lastDay, { options, progress, cleanup });
  await server.stop();
  progress.update(() => 'measuring writes');
  return { transactions, latencies, writes: await measureWriteCosts(client, accounts, lastDay) };
}

async function measureLatencies(
  server: Server,
  tenants: Awaited<ReturnType<typeof issueTokens>>['tenants'],
  lastDay: string,
  { options, progress, cleanup }: Pick<StepTools, 'options' | 'progress' | 'cleanup'>,
): Promise<ScaleLatency[]> {
  const load = new Load(cleanup);
  const names = ['same size', 'largest'] as const;
  const all = [];
  for (const [index, tenant] of tenants.entries()) {
    for (const { title, bytes } of await scaleOperations(server, tenant, lastDay)) {
      const [answer = Buffer.alloc(0)] = await ask(server.port, [bytes]);
      all.push({ title, tenant: names[index] ?? 'largest', request: loadRequest(bytes, answer), p50s: [] as number[] });
    }
  }
  const job = { port: server.port, serverPid: server.pid, connections: 1, leadInMs: LEAD_IN_MS };
  const warmUpMs = (options.warmUpSeconds * 1000) / 4; // of one process: all warm the same code
  for (const { request } of all) await load.run({ ...job, requests: [request], durationMs: warmUpMs });
  for (let round = 1; round <= options.rounds; round++)
    for (const { title, request, p50s } of all) {
      progress.update(() => `round ${round} of ${options.rounds}: ${title}`);
      const { p50Ms } = await load.run({ ...job, requests: [request], durationMs: options.secondsPerCase * 1000 });
      p50s.push(p50Ms);
    }
  await load.stop();
  return all.map(({ tenant, title, p50s }) => ({ tenant, title, p50Ms: median(p50s) }));
}

/** The figures of steps that are done, in the database that they belong to. */
class KeptSteps {
  constructor(private readonly database: BenchDatabase) {}

  async open(): Promise<void> {
    const { client } = this.database;
    await client.query(
      'CREATE TABLE IF NOT EXISTS bench_steps (transactions bigint PRIMARY KEY, figures jsonb NOT NULL)',
    );
  }

  async find(transactions: number): Promise<ScaleStep | undefined> {
    const text = 'SELECT figures FROM bench_steps WHERE transactions = $1';
    const { rows } = await this.database.client.query<{ figures: ScaleStep }>(text, [transactions]);
    return rows[0]?.figures;
  }

  async keep(step: ScaleStep): Promise<void> {
    const text = 'INSERT INTO bench_steps VALUES ($1, $2) ON CONFLICT DO NOTHING';
    await this.database.client.query(text, [step.transactions, JSON.stringify(step)]);
  }
}

function alreadyLarger(made: number, wanted: number): OperatorError {
  return new StateError(
    `The data set of --scale has ${made.toLocaleString('en-US')} transactions already, too many for the step of ${wanted.toLocaleString('en-US')}.`,
    'Begin anew: npm run bench -- --scale --fresh',
  );
}
