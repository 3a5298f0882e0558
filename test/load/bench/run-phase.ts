import { randomBytes } from 'node:crypto';

import type { Progress } from '../../../src/cli/progress.ts';
import { askAll, loadRequests, refuseDifferent } from './answers.ts';
import type { BenchCase, Phase, SubjectKey } from './cases.ts';
import type { Load } from './load.ts';
import type { LoadJob } from './load-job.ts';
import { ACCEPTED, recordRequest } from './operations.ts';
import type { BenchOptions } from './options.ts';
import { peakMemoryBytes } from './process-usage.ts';
import type { CaseSamples, Sample } from './results.ts';
import type { Server } from './servers.ts';
import { StatementCounter } from './statement-counter.ts';
import { type OperationName, SUBJECTS, type Surroundings } from './subjects.ts';

/** Not counted, at each slice's begin: the caches of the machine belong to the case before. */
const LEAD_IN_MS = 1_000;

/** Of the requests that warm up a case with writes. */
const WARM_UP_WRITE_SHARE = 0.5;

export interface PhaseTools {
  readonly options: BenchOptions;
  readonly surroundings: Surroundings;
  readonly load: Load;
  readonly progress: Progress;
}

/** With what the phase counts its statements by. */
type Tools = PhaseTools & { readonly statements: StatementCounter };

type RunningCase = { readonly benchCase: BenchCase; readonly job: LoadJob; readonly samples: Sample[] };

/**
 * Starts the servers of a phase, measures its cases in turn, round by round, and stops the servers.
 */
export async function runPhase(phase: Phase, phaseTools: PhaseTools): Promise<CaseSamples[]> {
  const tools = { ...phaseTools, statements: await StatementCounter.open(phaseTools.surroundings.database.client) };
  const servers = await startServers(phase, tools);
  const cases = await Promise.all(phase.cases.map((benchCase) => prepare(benchCase, servers, tools)));
  for (const running of cases) await warmUp(running, tools);
  for (let round = 1; round <= tools.options.rounds; round++)
    for (const running of cases) await measure(running, round, tools);
  const results = cases.map(({ benchCase, samples }) => ({
    benchCase,
    samples,
    peakMemoryBytes: peakMemoryBytes(serverOf(servers, benchCase.subject).pid),
  }));
  for (const server of servers.values()) await server.stop();
  return results;
}

type Servers = ReadonlyMap<SubjectKey, Server>;

/** The reference first: its answers are what the limits send and what the others must answer. */
async function startServers({ reference, cases }: Phase, { surroundings, progress }: PhaseTools): Promise<Servers> {
  const servers = new Map<SubjectKey, Server>();
  const operations = [...new Set(cases.map(({ operation }) => operation))];
  const expected = new Map<OperationName, Buffer[]>();
  const answers = new Map<string, Record<string, Buffer>>();
  for (const key of new Set([reference, ...cases.map(({ subject }) => subject)])) {
    const { name, start } = SUBJECTS[key];
    progress.update(() => `starting: ${name}`);
    const server = await start(surroundings, answers);
    servers.set(key, server);
    for (const operation of operations) {
      if (
        !cases.some(
          (benchCase) => (benchCase.operation === operation && benchCase.subject === key) || key === reference,
        )
      )
        continue;
      const bodies = await askAll(server, operation, surroundings);
      const known = expected.get(operation);
      if (known) refuseDifferent(name, bodies, known);
      else {
        expected.set(operation, bodies);
        for (const [index, { id }] of surroundings.tenants.entries())
          answers.set(id, { ...answers.get(id), [operation]: bodies[index] ?? Buffer.alloc(0) });
      }
    }
  }
  return servers;
}

async function prepare(benchCase: BenchCase, servers: Servers, tools: PhaseTools): Promise<RunningCase> {
  const { options, surroundings } = tools;
  const server = serverOf(servers, benchCase.subject);
  const { hitMark } = SUBJECTS[benchCase.subject] as { hitMark?: string };
  const answers = await askAll(server, benchCase.operation, surroundings);
  const all = loadRequests(server, benchCase.operation, answers, surroundings);
  const requests = benchCase.largestOnly ? all.slice(0, 1) : all;
  const job = {
    port: server.port,
    serverPid: server.pid,
    databasePid: surroundings.database.pid,
    connections: options.connections,
    // Writes change the numbers, and with them the answers' lengths.
    requests:
      benchCase.section === 'mixed' ? requests.map((request) => ({ ...request, expectedBytes: null })) : requests,
    leadInMs: LEAD_IN_MS,
    durationMs: options.secondsPerCase * 1000,
    ...(hitMark !== undefined && { hitMark }),
  };
  return { benchCase, job, samples: [] };
}

/**
 * With more writes than are measured: what runs for one request in twenty is compiled after minutes
 * only.
 */
async function warmUp({ benchCase, job }: RunningCase, tools: PhaseTools): Promise<void> {
  const { options, load, progress } = tools;
  progress.update(() => `warming up: ${titleOf(benchCase)}`);
  const writes = writesOf(benchCase, job, tools);
  const moreWrites = writes && { ...writes, share: WARM_UP_WRITE_SHARE };
  await load.run({ ...job, writes: moreWrites, leadInMs: 0, durationMs: options.warmUpSeconds * 1000 });
}

async function measure({ benchCase, job, samples }: RunningCase, round: number, tools: Tools): Promise<void> {
  const { options, load, statements, progress } = tools;
  progress.update(() => `round ${round} of ${options.rounds}: ${titleOf(benchCase)}`);
  const before = await statements.count();
  const result = await load.run({ ...job, writes: writesOf(benchCase, job, tools) });
  const statementsPerRequest = ((await statements.count()) - before) / result.allRequests;
  samples.push({ ...result, statementsPerRequest });
}

function writesOf({ writeShare }: BenchCase, { port }: LoadJob, { surroundings }: PhaseTools): LoadJob['writes'] {
  if (writeShare === undefined) return undefined;
  const { tenants, dataSet } = surroundings;
  return {
    share: writeShare,
    requests: tenants.map((tenant) => recordRequest(port, tenant, dataSet.lastDay)),
    keyPrefix: `bench-${randomBytes(6).toString('hex')}-`,
    accepted: ACCEPTED,
  };
}

function serverOf(servers: Servers, subject: SubjectKey): Server {
  const server = servers.get(subject);
  if (!server) throw new Error(`${subject} was not started`);
  return server;
}

function titleOf({ section, subject, writeShare }: BenchCase): string {
  return `${section}, ${SUBJECTS[subject].name}${writeShare ? `, ${100 * writeShare} % writes` : ''}`;
}
