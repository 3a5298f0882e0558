import { performance } from 'node:perf_hooks';

import type { HttpAnswer } from './http-answer.ts';
import { type Exchange, LoadConnection } from './load-connection.ts';
import type { LoadJob, LoadRequest, LoadResult } from './load-job.ts';
import { percentile } from './percentile.ts';
import { cpuMicros, treeCpuMicros } from './process-usage.ts';
import { WriteMix } from './write-mix.ts';

/**
 * Sends the job's requests over its connections, as fast as they are answered. @throws at the first
 * wrong answer
 */
export async function runLoad(job: LoadJob): Promise<LoadResult> {
  const run = new LoadRun(job);
  await Promise.all(Array.from({ length: job.connections }, () => run.connection()));
  return run.result();
}

class LoadRun {
  readonly #mix: WriteMix | undefined;
  readonly #latencies: number[] = [];
  readonly #from: number;
  readonly #until: number;
  #next = 0;
  #sent = 0;
  #hits = 0;
  #reads = 0;
  #staleReads = 0;
  #checks = 0;
  #measuredFrom = 0;
  #measuredUntil = 0;
  #serverAt = 0;
  #serverMicros = 0;
  #databaseAt = Number.NaN;
  #databaseMicros = Number.NaN;
  #loadAt = process.cpuUsage();
  #loadMicros = 0;

  constructor(private readonly job: LoadJob) {
    this.#mix = job.writes && new WriteMix(job.writes);
    this.#from = performance.now() + job.leadInMs;
    this.#until = this.#from + job.durationMs;
  }

  connection(): Promise<void> {
    return new Promise((resolve, reject) => {
      const ended = (error?: Error) => (error ? reject(error) : resolve());
      new LoadConnection(this.job.port, () => this.#exchange(), ended);
    });
  }

  result(): LoadResult {
    const sorted = Float64Array.from(this.#latencies).sort();
    const requests = sorted.length;
    return {
      requests,
      allRequests: this.#sent,
      durationMs: this.#measuredUntil - this.#measuredFrom,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      cpuMicrosPerRequest: this.#serverMicros / requests,
      databaseMicrosPerRequest: this.#databaseMicros / requests,
      loadMicrosPerRequest: this.#loadMicros / requests,
      hitRate: this.job.hitMark === undefined ? Number.NaN : this.#hits / this.#reads,
      writes: requests - this.#reads,
      staleReads: this.#staleReads,
      freshnessChecks: this.#checks,
    };
  }

  #exchange(): Exchange | undefined {
    const now = performance.now();
    if (now >= this.#from && this.#measuredFrom === 0) this.#beginMeasuring(now);
    if (now >= this.#until) {
      if (this.#measuredUntil === 0) this.#endMeasuring(now);
      return undefined;
    }
    this.#sent++;
    const tenant = this.#next++ % this.job.requests.length;
    if (this.#mix?.isWrite(tenant)) return this.#write(this.#mix, tenant);
    return this.#read(this.job.requests[tenant] as LoadRequest, tenant);
  }

  #read(request: LoadRequest, tenant: number): Exchange {
    const least = this.#mix?.leastCount(tenant);
    const isCheck = this.#mix?.hasWritten(tenant);
    const done = (answer: HttpAnswer, latencyMs: number) => {
      check(request, answer);
      if (this.#mix && !this.#mix.isFresh(tenant, least, answer.body)) this.#staleReads++;
      if (isCheck) this.#checks++;
      if (!this.#isMeasuring) return;
      this.#latencies.push(latencyMs);
      this.#reads++;
      if (this.job.hitMark !== undefined && answer.head.includes(this.job.hitMark)) this.#hits++;
    };
    return { bytes: request.bytes, done };
  }

  #write(mix: WriteMix, tenant: number): Exchange {
    const done = (answer: HttpAnswer, latencyMs: number) => {
      mix.acknowledge(tenant, answer.body);
      if (this.#isMeasuring) this.#latencies.push(latencyMs);
    };
    return { bytes: mix.bytesOf(tenant), done };
  }

  get #isMeasuring(): boolean {
    return this.#measuredFrom > 0 && this.#measuredUntil === 0;
  }

  #databaseNow(): number {
    return treeCpuMicros(this.job.databasePid ?? Number.NaN);
  }

  #beginMeasuring(now: number): void {
    this.#measuredFrom = now;
    this.#serverAt = cpuMicros(this.job.serverPid);
    this.#databaseAt = this.#databaseNow();
    this.#loadAt = process.cpuUsage();
  }

  #endMeasuring(now: number): void {
    this.#measuredUntil = now;
    this.#serverMicros = cpuMicros(this.job.serverPid) - this.#serverAt;
    this.#databaseMicros = this.#databaseNow() - this.#databaseAt;
    const { user, system } = process.cpuUsage(this.#loadAt);
    this.#loadMicros = user + system;
  }
}

/** An error page, a truncated or another answer must never count as a success. */
function check({ expectedStart, expectedBytes }: LoadRequest, { status, head, body }: HttpAnswer): void {
  const startsRight = body.length >= expectedStart.length && expectedStart.compare(body, 0, expectedStart.length) === 0;
  if (status === 200 && startsRight && (expectedBytes === null || body.length === expectedBytes)) return;
  const expected = `${expectedBytes ?? 'any number of'} bytes that begin ${expectedStart.toString()}`;
  throw new Error(`expected ${expected}, but got:\n${head}\n\n${body.toString('utf8', 0, 1_000)}`);
}
