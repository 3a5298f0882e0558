import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';

import type { Progress } from '../../../src/cli/progress.ts';
import { ask, dataOf } from './answers.ts';
import type { HttpAnswer } from './http-answer.ts';
import { LoadConnection } from './load-connection.ts';
import { KEY_PLACEHOLDER } from './load-job.ts';
import { graphqlRequest } from './operations.ts';
import type { BenchOptions } from './options.ts';
import { median } from './percentile.ts';
import { type PricedRequest, pricedRequests } from './price-operations.ts';
import { cpuMicros } from './process-usage.ts';
import { type Server, startService } from './servers.ts';
import type { KnownTenant, Surroundings } from './subjects.ts';

const RATE_LIMIT = '{ rateLimit { remaining cost resetAt } }';

/** What a request costs in points, and what it takes. */
export interface PriceResult {
  readonly title: string;
  readonly tenant: 'smallest' | 'largest';
  readonly points: number;
  /** CPU of the service, in microseconds. */
  readonly serviceMicros: number;
  /** CPU of PostgreSQL's processes for the service. */
  readonly databaseMicros: number;
  readonly pointsPerMs: number;
  /** How far that is from the middle, in either direction: 1 at best. */
  readonly factor: number;
  /** Of `PricedRequest`. */
  readonly isCheap: boolean;
}

export interface PricesResult {
  /** In the middle, of those that are judged. */
  readonly pointsPerMs: number;
  readonly prices: readonly PriceResult[];
}

type Measured = Omit<PriceResult, 'factor'>;

/** What is asked for as one tenant, with what was measured of it. */
interface RunningPrice extends Pick<PriceResult, 'title' | 'tenant' | 'points' | 'isCheap'> {
  readonly request: () => Buffer;
  readonly micros: { readonly service: number; readonly database: number }[];
}

/**
 * Asks as the smallest and as the largest tenant, without a cache, for one thing after the other;
 * all of them in turn, round by round.
 */
export async function measurePrices(
  surroundings: Surroundings,
  options: BenchOptions,
  progress: Progress,
): Promise<PricesResult> {
  const { database, secret, tenants, profileFolder, cleanup } = surroundings;
  const env = {
    DATABASE_URL: database.serviceUrl,
    AUTH_SECRET: secret,
    CACHE: 'off',
    EXPLORER: 'on',
    // What a search takes is measured, also where its rows come from a slow disk.
    LIMIT_SEARCH_TIMEOUT_MS: '20000',
  };
  progress.update(() => 'reading the data set into memory');
  await database.client.query('SELECT count(amount), (SELECT count(balance) FROM bank_accounts) FROM transactions');
  const server = await startService(env, profileFolder, cleanup);
  const tools = { surroundings, options, progress, server };
  try {
    const all = [
      ...(await prepare('smallest', tenants.at(-1) as KnownTenant, tools)),
      ...(await prepare('largest', tenants[0] as KnownTenant, tools)),
    ];
    for (let round = 1; round <= options.rounds; round++)
      for (const price of all) {
        progress.update(() => `round ${round} of ${options.rounds}: ${price.title}, ${price.tenant} tenant`);
        await measure(price, tools);
      }
    await server.stop();
    return judged(all.map(inTheMiddle));
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n${server.output()}`, { cause });
  }
}

/** With the factor of each to the middle of all. */
export function judged(measured: readonly Measured[]): PricesResult {
  const pointsPerMs = median(measured.filter(({ isCheap }) => !isCheap).map((price) => price.pointsPerMs));
  const prices = measured.map((price) => ({
    ...price,
    factor: Math.max(price.pointsPerMs / pointsPerMs, pointsPerMs / price.pointsPerMs),
  }));
  return { pointsPerMs, prices };
}

interface Tools {
  readonly surroundings: Surroundings;
  readonly options: BenchOptions;
  readonly progress: Progress;
  readonly server: Server;
}

/** With all of them warmed up. */
async function prepare(
  name: PriceResult['tenant'],
  tenant: KnownTenant,
  { surroundings, options, progress, server }: Tools,
): Promise<RunningPrice[]> {
  const prices: RunningPrice[] = [];
  const requests = pricedRequests(surroundings.dataSet, tenant);
  for (const asked of requests) {
    progress.update(() => `warming up: ${asked.title}, ${name} tenant`);
    const request = requester(asked, tenant, server);
    await repeat(server.port, request, (options.warmUpSeconds * 1000) / requests.length);
    const points = await pointsOf(request, tenant, server);
    prices.push({
      title: asked.title,
      tenant: name,
      points,
      isCheap: asked.isCheap ?? false,
      request,
      micros: [],
    });
  }
  return prices;
}

async function measure({ request, micros }: RunningPrice, { surroundings, options, server }: Tools): Promise<void> {
  const [serviceBefore, backendsBefore] = [cpuMicros(server.pid), await backendMicros(surroundings)];
  const requests = await repeat(server.port, request, options.secondsPerCase * 1000);
  const [serviceAfter, backendsAfter] = [cpuMicros(server.pid), await backendMicros(surroundings)];
  const ofBackends = [...backendsAfter].map(([pid, after]) => after - (backendsBefore.get(pid) ?? 0));
  micros.push({
    service: (serviceAfter - serviceBefore) / requests,
    database: ofBackends.reduce((sum, used) => sum + used, 0) / requests,
  });
}

function inTheMiddle({ title, tenant, points, isCheap, micros }: RunningPrice): Measured {
  const serviceMicros = median(micros.map(({ service }) => service));
  const databaseMicros = median(micros.map(({ database }) => database));
  const pointsPerMs = points / ((serviceMicros + databaseMicros) / 1000);
  return { title, tenant, points, isCheap, serviceMicros, databaseMicros, pointsPerMs };
}

/** Makes requests, each with an idempotency key of its own where it has one. */
function requester({ query, variables, more }: PricedRequest, { token }: KnownTenant, { port }: Server): () => Buffer {
  const bytes = graphqlRequest(port, token, query, variables, more);
  const at = bytes.indexOf(KEY_PLACEHOLDER);
  if (at < 0) return () => bytes;
  return () => {
    const own = Buffer.from(bytes);
    own.write(randomBytes(KEY_PLACEHOLDER.length).toString('hex').slice(0, KEY_PLACEHOLDER.length), at, 'latin1');
    return own;
  };
}

/** What the caller's budget has less after one request. */
async function pointsOf(request: () => Buffer, { token }: KnownTenant, { port }: Server): Promise<number> {
  const rateLimit = graphqlRequest(port, token, RATE_LIMIT);
  for (;;) {
    // The first uses of an operation are charged for its compilation, beside its price.
    const [, , , before, , after] = await ask(port, [request(), request(), request(), rateLimit, request(), rateLimit]);
    const [first, second] = [before, after].map((body) => JSON.parse(String(body)).data.rateLimit);
    // Else a minute began meanwhile.
    if (first.resetAt === second.resetAt) return first.remaining - second.remaining - second.cost;
  }
}

/** One after the other. @returns how many */
async function repeat(port: number, request: () => Buffer, durationMs: number): Promise<number> {
  const endsAt = performance.now() + durationMs;
  let answered = 0;
  await new Promise<void>((resolve, reject) => {
    const done = (answer: HttpAnswer) => {
      dataOf(answer);
      answered++;
    };
    const next = () => (performance.now() < endsAt || answered === 0 ? { bytes: request(), done } : undefined);
    new LoadConnection(port, next, (error) => (error ? reject(error) : resolve()));
  });
  return answered;
}

/** CPU that each backend of the service's connections has used; they must run on this machine. */
async function backendMicros({ database }: Surroundings): Promise<ReadonlyMap<number, number>> {
  const { rows } = await database.client.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tenantry'",
  );
  return new Map(rows.map(({ pid }) => [pid, cpuMicros(pid)]));
}
