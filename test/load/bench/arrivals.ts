import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';

import { HttpAnswerReader } from './http-answer.ts';
import { percentile } from './percentile.ts';

/** How often those that are due are sent. */
const TICK_MS = 2;

/** Requests whatever comes back: refusals are counted and do not end the run. */
export interface ArrivalsJob {
  readonly port: number;
  /** Sent in turn. */
  readonly requests: readonly Buffer[];
  /** One request under way on each. */
  readonly connections: number;
  /** How many arrive a second, answered or not; null: as fast as they are answered. */
  readonly perSecond: number | null;
  /** How many are sent; null: as many as the time allows. */
  readonly count: number | null;
  readonly durationMs: number;
}

export interface ArrivalsResult {
  readonly sent: number;
  /** Were due while all connections were in use. */
  readonly unsent: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<number, number>>;
  readonly durationMs: number;
  /** Of the answers with status 200. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all others. */
  readonly refusedP99Ms: number;
}

/** Lets requests arrive until their number, the time or `until` is over. */
export async function runArrivals(job: ArrivalsJob, until: AbortSignal): Promise<ArrivalsResult> {
  const run = new Arrivals(job);
  await run.opened();
  await run.run(until);
  return run.result();
}

class Arrivals {
  readonly #wires: Wire[];
  readonly #idle: Wire[];
  readonly #statuses: Record<number, number> = {};
  readonly #latencies: { readonly good: number[]; readonly refused: number[] } = { good: [], refused: [] };
  #due = 0;
  #sent = 0;
  #startedAt = 0;
  #endedAt = 0;
  #end = () => {};

  constructor(private readonly job: ArrivalsJob) {
    this.#wires = Array.from({ length: job.connections }, () => new Wire(job.port));
    this.#idle = [...this.#wires];
  }

  async opened(): Promise<void> {
    await Promise.all(this.#wires.map(({ opened }) => opened));
  }

  async run(until: AbortSignal): Promise<void> {
    this.#startedAt = performance.now();
    const { durationMs, perSecond } = this.job;
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve;
    });
    until.addEventListener('abort', this.#end, { once: true });
    const timer = setTimeout(this.#end, durationMs);
    const ticks = perSecond === null ? undefined : setInterval(() => this.#sendDue(perSecond), TICK_MS);
    if (perSecond === null) while (this.#idle.length > 0 && this.#mayGoOn) this.#send();
    await ended;
    this.#endedAt = performance.now();
    clearTimeout(timer);
    clearInterval(ticks);
    for (const wire of this.#wires) wire.close();
  }

  result(): ArrivalsResult {
    const { good, refused } = this.#latencies;
    const [sorted, others] = [Float64Array.from(good).sort(), Float64Array.from(refused).sort()];
    return {
      sent: this.#sent,
      unsent: Math.max(0, this.#due - this.#sent),
      statuses: this.#statuses,
      durationMs: this.#endedAt - this.#startedAt,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      refusedP99Ms: percentile(others, 0.99),
    };
  }

  get #mayGoOn(): boolean {
    return this.#endedAt === 0 && (this.job.count === null || this.#sent < this.job.count);
  }

  #sendDue(perSecond: number): void {
    const due = Math.floor(((performance.now() - this.#startedAt) / 1_000) * perSecond);
    const missing = due - this.#due;
    this.#due = due;
    for (let i = 0; i < missing && this.#idle.length > 0 && this.#mayGoOn; i++) this.#send();
  }

  #send(): void {
    const wire = this.#idle.pop() as Wire;
    const bytes = this.job.requests[this.#sent++ % this.job.requests.length] as Buffer;
    wire.send(bytes, (status, latencyMs) => {
      if (this.#endedAt > 0) return;
      this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
      this.#latencies[status === 200 ? 'good' : 'refused'].push(latencyMs);
      this.#idle.push(wire);
      if (this.job.perSecond === null && this.#mayGoOn) this.#send();
      else if (!this.#mayGoOn && this.#idle.length === this.#wires.length) this.#end();
    });
  }
}

/** A keep-alive connection with one request under way at a time. */
export class Wire {
  readonly opened: Promise<void>;
  readonly #socket: Socket;
  readonly #reader = new HttpAnswerReader();
  #sentAt = 0;
  #done: (status: number, latencyMs: number, body: Buffer) => void = () => {};

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.opened = new Promise((resolve, reject) => {
      this.#socket.once('connect', resolve).once('error', reject);
    });
    this.#socket.on('data', (chunk) => {
      const answer = this.#reader.read(chunk);
      if (answer) this.#done(answer.status, performance.now() - this.#sentAt, answer.body);
    });
  }

  send(bytes: Buffer, done: (status: number, latencyMs: number, body: Buffer) => void): void {
    this.#done = done;
    this.#sentAt = performance.now();
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }
}
