import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

import type pg from 'pg';

import type { Progress } from '../../../src/cli/progress.ts';
import { ask, askAll, loadRequests } from './answers.ts';
import { Load } from './load.ts';
import { graphqlRequest } from './operations.ts';
import type { BenchOptions } from './options.ts';
import { percentile } from './percentile.ts';
import type { Server } from './servers.ts';
import { type KnownTenant, SUBJECTS, type Surroundings } from './subjects.ts';

/** Enough that the 99th percentile is not one value alone. */
const WRITES = 500;
/** Between two writes, at random up to this: the outbox is polled at any moment after them. */
const MAX_PAUSE_MS = 30;
/** Written by the tenants in turn; the largest is not more often than others. */
const TENANTS = 20;

const READ = 'query Account($id: ID!) { account(id: $id) { balance } }';
/** One transaction past the API. $1 tenant, $2 account. */
const WRITE = 'UPDATE bank_accounts SET balance = balance + 1 WHERE tenant_id = $1 AND id = $2 RETURNING balance::text';

/** From the COMMIT of a write past the API until the first read that showed it was sent. */
export interface PastWritesResult {
  readonly surroundings: 'at rest' | 'under load';
  readonly writes: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * How long an answer that is kept hides a write by plain SQL, alone and while others ask as fast as
 * they can.
 */
export async function measurePastWrites(
  surroundings: Surroundings,
  options: BenchOptions,
  progress: Progress,
): Promise<PastWritesResult[]> {
  const server = await SUBJECTS.redis.start(surroundings, new Map());
  const measure = () => delays(surroundings, server, progress);
  const atRest = result('at rest', await measure());
  const underLoad = result('under load', await besides(surroundings, server, options, measure));
  await server.stop();
  return [atRest, underLoad];
}

/**
 * Runs `work` while all tenants' dashboards are asked for, by as many connections as in the other
 * cases.
 */
async function besides<Result>(
  surroundings: Surroundings,
  server: Server,
  { connections }: BenchOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  const requests = loadRequests(server, 'Dashboard', await askAll(server, 'Dashboard', surroundings), surroundings);
  const load = new Load(surroundings.cleanup);
  let isOver = false;
  const asking = (async () => {
    // What is written past the API changes the answers' lengths.
    const changing = requests.map((request) => ({ ...request, expectedBytes: null }));
    const job = { port: server.port, serverPid: server.pid, connections, requests: changing };
    while (!isOver) await load.run({ ...job, leadInMs: 0, durationMs: 1_000 });
  })();
  const done = await work();
  isOver = true;
  await asking;
  await load.stop();
  return done;
}

async function delays(
  { database, tenants }: Surroundings,
  { port }: Server,
  progress: Progress,
): Promise<Float64Array> {
  const written = tenants.slice(0, TENANTS);
  const delaysMs = new Float64Array(WRITES);
  for (let write = 0; write < WRITES; write++) {
    progress.update(() => `write ${write + 1} of ${WRITES} past the API`);
    delaysMs[write] = await delayOf(database.client, port, written[write % written.length] as KnownTenant);
    await delay(Math.random() * MAX_PAUSE_MS);
  }
  return delaysMs.sort();
}

/** Asks once before the write, so that there is an answer to hide it, and then until it shows. */
async function delayOf(client: pg.Client, port: number, { id, accountId, token }: KnownTenant): Promise<number> {
  const request = graphqlRequest(port, token, READ, { id: accountId });
  await ask(port, [request]);
  const { rows } = await client.query<{ balance: string }>({ name: 'past', text: WRITE, values: [id, accountId] });
  const committedMs = performance.now();
  for (;;) {
    const sentMs = performance.now();
    const [answer] = await ask(port, [request]);
    if (answer?.includes(`"${rows[0]?.balance}"`)) return sentMs - committedMs;
  }
}

function result(surroundings: PastWritesResult['surroundings'], delaysMs: Float64Array): PastWritesResult {
  const [p50Ms, p95Ms, p99Ms, maxMs] = [0.5, 0.95, 0.99, 1].map((share) => percentile(delaysMs, share)) as [
    number,
    number,
    number,
    number,
  ];
  return { surroundings, writes: delaysMs.length, p50Ms, p95Ms, p99Ms, maxMs };
}
