import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { DatabaseFaultsError } from '../database/faults.ts';
import { withoutSpans } from '../telemetry/tracing.ts';

/** Longer than a healthy database ever takes, shorter than an orchestrator's own patience. */
const CHECK_TIMEOUT_MS = 2_000;
/** Whoever takes figures is told what a balancer was, when that is not older. */
const FRESH_MS = 5_000;
/** Figures of everything else wait for these: below what a scrape may take with several workers. */
const FIGURES_WAIT_MS = 500;

/**
 * What readiness asks. A check resolves when all is well and rejects otherwise; the reason is
 * logged, never sent.
 */
export interface HealthChecks {
  /** The database answers. */
  readonly database: () => Promise<unknown>;
  /** Every migration of this version is applied. */
  readonly migrations: () => Promise<unknown>;
  /** The database has the triggers, policies, functions and keys that the design needs. */
  readonly integrity: () => Promise<unknown>;
  /**
   * Absent: no Redis is used. Redis that is down is reported, and requests are served without it.
   */
  readonly redis?: () => Promise<unknown>;
  /**
   * What can be reached and is busy: some requests wait or are refused, and all others are
   * answered. Nothing when absent.
   */
  readonly busy?: () => readonly string[];
}

export interface Health {
  /**
   * From now on the service is not ready: called first in a shutdown, so that no new requests are
   * routed here.
   */
  markStopping(): void;
  /**
   * What the checks found within the last five seconds, else what they find now; what they found
   * last where that takes longer than half a second.
   */
  lately(): Promise<CheckResults>;
}

/** By the checks' names. */
export type CheckResults = readonly (readonly [name: string, result: CheckResult])[];

export interface CheckResult {
  readonly status: 'up' | 'down';
  /** Names of what the database lacks, which say nothing of its contents. */
  readonly missing?: readonly string[];
}

/** What the service does without: it is ready while only these are down. */
export const OPTIONAL: readonly string[] = ['redis'];

/**
 * GET /health/live: the process runs. GET /health/ready: requests can be answered, 503 when they
 * cannot.
 */
export function registerHealth(
  app: FastifyInstance,
  { busy = () => [], ...checks }: HealthChecks,
  log: Pick<Logger, 'warn'>,
): Health {
  let stopping = false;
  let last: { readonly results: CheckResults; readonly atMs: number } | undefined;
  const readiness = shareUnderWay(async () => {
    const results = await withoutSpans(() => runChecks(checks, log));
    last = { results, atMs: performance.now() };
    return results;
  });
  app.get('/health/live', async () => ({ status: 'ok' }));
  app.get('/health/ready', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    if (stopping) return reply.code(503).send({ status: 'stopping' });
    const results = await readiness();
    const ready = results.every(([name, { status }]) => status === 'up' || OPTIONAL.includes(name));
    const missing = results.flatMap(([, result]) => result.missing ?? []);
    const busyNow = busy();
    return reply.code(ready ? 200 : 503).send({
      status: ready ? 'ok' : 'unavailable',
      checks: Object.fromEntries(results.map(([name, { status }]) => [name, status])),
      ...(missing.length && { missing }),
      ...(busyNow.length && { busy: busyNow }),
    });
  });
  return {
    markStopping() {
      stopping = true;
    },
    async lately() {
      if (!last) return readiness();
      if (performance.now() - last.atMs < FRESH_MS) return last.results;
      return Promise.race([readiness(), delay(FIGURES_WAIT_MS, last.results, { ref: false })]);
    },
  };
}

async function runChecks(checks: Omit<HealthChecks, 'busy'>, log: Pick<Logger, 'warn'>): Promise<CheckResults> {
  return Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await runCheck(log, name, check)] as const),
  );
}

async function runCheck(log: Pick<Logger, 'warn'>, name: string, check: () => Promise<unknown>): Promise<CheckResult> {
  try {
    await withTimeout(check());
    return { status: 'up' };
  } catch (error) {
    // Without a stack: whoever asks for readiness asks again and again.
    log.warn({ reason: (error as Error).message }, `The health check "${name}" failed.`);
    if (!(error instanceof DatabaseFaultsError)) return { status: 'down' };
    return { status: 'down', missing: error.faults.map(({ object }) => object) };
  }
}

function withTimeout(work: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}

/** Anyone may ask for readiness: however many do at once, the database is asked once. */
function shareUnderWay<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let underWay: Promise<Result> | undefined;
  return () => {
    underWay ??= work().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
