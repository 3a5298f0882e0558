import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

import type { HttpAnswer } from '../bench/http-answer.ts';
import { ConnectionClosed, type Exchange, LoadConnection } from '../bench/load-connection.ts';
import type { Server } from '../bench/servers.ts';
import { type KnownTenant, SERVICE_HIT } from '../bench/subjects.ts';
import { MarkerLedger } from './marker-ledger.ts';
import { readsOf, type SoakRead, writeOf, writtenMarkerIn } from './soak-requests.ts';

/** Of the requests for tenants that are written through the API. */
const WRITE_SHARE = 0.02;
/**
 * Every so many-th tenant is written past the API alone: a write through it would make good what
 * was missed.
 */
const PAST_ONLY_EVERY = 4;
/** A read that begins so soon after a write is where a cache goes wrong. */
const SOON_MS = 10;
const MAX_FINDINGS = 10;
const MAX_FOLLOW_UPS = 100;
const RECONNECT_MS = 50;

/** What the traffic is sent to, and for how long. */
export interface TrafficOptions {
  readonly tenants: readonly KnownTenant[];
  /** The processes of the service; another takes the place of one that was killed. */
  readonly servers: readonly Pick<Server, 'port'>[];
  readonly connections: number;
  readonly reads: number;
  /** By the clock of `performance.now`. */
  readonly untilMs: number;
  /** Whether connections may break: then they are made again. */
  readonly mayBreak: boolean;
}

/** A read that should not have been answered so. */
export interface Finding {
  readonly verdict: 'stale' | 'foreign';
  readonly tenant: number;
  readonly process: number;
  readonly read: string;
  readonly leastMarker: number;
  /** Null when the answer was not the tenant's at all. */
  readonly marker: number | null;
  /** Between the tenant's last acknowledged write through the API and the read's begin. */
  readonly sinceWriteMs: number;
  readonly cacheStatus: string;
}

/** Readers and writers over HTTP, and the check of every answer. */
export class SoakTraffic {
  readonly ledger: MarkerLedger;
  readonly findings: Finding[] = [];
  readonly counts = { reads: 0, writes: 0, hits: 0, soonAfterWrite: 0, stale: 0, foreign: 0, brokenConnections: 0 };
  readonly #followUps: number[][];
  #sentReads = 0;
  #nextKey = 0;
  #hasFailed = false;

  constructor(private readonly options: TrafficOptions) {
    this.ledger = new MarkerLedger(options.tenants.length);
    this.#followUps = options.servers.map(() => []);
  }

  /**
   * Resolves when all reads are done, or the time is up. @throws at the first answer that is an
   * error
   */
  async run(): Promise<void> {
    const { connections, servers } = this.options;
    const all = Array.from({ length: connections }, (_, index) => this.#keepConnected(index % servers.length));
    await Promise.all(all);
  }

  get isOver(): boolean {
    const { reads, untilMs } = this.options;
    return this.#hasFailed || this.#sentReads >= reads || performance.now() >= untilMs;
  }

  async #keepConnected(process: number): Promise<void> {
    while (!this.isOver) {
      try {
        await this.#connect(process);
      } catch (error) {
        if (!this.options.mayBreak || !isBroken(error)) {
          this.#hasFailed = true;
          throw error;
        }
        this.counts.brokenConnections++;
        await delay(RECONNECT_MS);
      }
    }
  }

  #connect(process: number): Promise<void> {
    const { port } = this.options.servers[process] as Pick<Server, 'port'>;
    const reads = this.options.tenants.map((tenant) => readsOf(port, tenant));
    return new Promise((resolve, reject) => {
      const next = () => (this.isOver ? undefined : this.#exchange(process, port, reads));
      new LoadConnection(port, next, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** First of all what another process just wrote. */
  #exchange(process: number, port: number, reads: readonly SoakRead[][]): Exchange {
    const followUp = this.#followUps[process]?.shift();
    const tenant = followUp ?? Math.floor(Math.random() * reads.length);
    if (followUp === undefined && !isWrittenPastOnly(tenant) && Math.random() < WRITE_SHARE)
      return this.#write(process, port, tenant);
    const ofTenant = reads[tenant] ?? [];
    return this.#read(process, tenant, ofTenant[Math.floor(Math.random() * ofTenant.length)] as SoakRead);
  }

  #read(process: number, tenant: number, read: SoakRead): Exchange {
    const startedMs = performance.now();
    const leastMarker = this.ledger.leastMarker(tenant, startedMs);
    const sinceWriteMs = this.ledger.sinceWriteMs(tenant, startedMs);
    this.#sentReads++;
    const done = (answer: HttpAnswer) => {
      const marker = read.markerIn(answer);
      const verdict = marker === undefined ? 'foreign' : this.ledger.judge(tenant, leastMarker, marker);
      this.counts.reads++;
      if (answer.head.includes(SERVICE_HIT)) this.counts.hits++;
      if (sinceWriteMs <= SOON_MS) this.counts.soonAfterWrite++;
      if (verdict === 'right') return;
      this.counts[verdict]++;
      const cacheStatus = /\r\ncache-status: (.*)/.exec(answer.head)?.[1] ?? '';
      const found = { verdict, tenant, process, read: read.title, leastMarker, sinceWriteMs, cacheStatus };
      if (this.findings.length < MAX_FINDINGS) this.findings.push({ ...found, marker: marker ?? null });
    };
    return { bytes: read.bytes, done };
  }

  #write(process: number, port: number, tenant: number): Exchange {
    const known = this.options.tenants[tenant] as KnownTenant;
    const done = (answer: HttpAnswer) => {
      this.ledger.acknowledge(tenant, writtenMarkerIn(answer), performance.now());
      this.counts.writes++;
      for (const [other, followUps] of this.#followUps.entries())
        if (other !== process && followUps.length < MAX_FOLLOW_UPS) followUps.push(tenant);
    };
    return { bytes: writeOf(port, known, `soak-${this.#nextKey++}`), done };
  }
}

function isWrittenPastOnly(tenant: number): boolean {
  return tenant % PAST_ONLY_EVERY === PAST_ONLY_EVERY - 1;
}

/** The process at the other end is gone, or not there yet. */
function isBroken(error: unknown): boolean {
  if (error instanceof ConnectionClosed) return true;
  return ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
}
