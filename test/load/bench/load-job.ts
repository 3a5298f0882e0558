/** One request that the load generator may send, and how its answer is known to be right. */
export interface LoadRequest {
  /** The whole HTTP request, ready to be sent. */
  readonly bytes: Buffer;
  /** The body begins with these bytes. */
  readonly expectedStart: Buffer;
  /** The body's length; null where it changes with the data. */
  readonly expectedBytes: number | null;
}

/** Writes among the reads, and the check that no read is older than an acknowledged write. */
export interface LoadWrites {
  /** Share of the requests that write, between 0 and 1. */
  readonly share: number;
  /**
   * One for each request of `requests`: its bytes with `KEY_PLACEHOLDER` where the idempotency key
   * goes.
   */
  readonly requests: readonly Buffer[];
  /** Different for each job, so that no key comes twice. */
  readonly keyPrefix: string;
  /** In a write's answer when it was accepted. */
  readonly accepted: string;
}

/** What the load generator does at one time. */
export interface LoadJob {
  readonly port: number;
  /** Connections, each with one request under way. */
  readonly connections: number;
  /** Sent in turn: one for each tenant. */
  readonly requests: readonly LoadRequest[];
  /** Sends for so long before anything is counted. */
  readonly leadInMs: number;
  readonly durationMs: number;
  /** Whose CPU time is measured. */
  readonly serverPid: number;
  /** The first process of PostgreSQL; absent: its CPU is not measured. */
  readonly databasePid?: number;
  /** In the head of an answer that came from a cache; absent where there is none. */
  readonly hitMark?: string | undefined;
  readonly writes?: LoadWrites | undefined;
}

/** What came of it, between the end of the lead-in and the end. */
export interface LoadResult {
  readonly requests: number;
  /** With those of the lead-in. */
  readonly allRequests: number;
  readonly durationMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU of the server's process per request, user and system, all threads. */
  readonly cpuMicrosPerRequest: number;
  /** CPU of all of PostgreSQL per request; NaN where it cannot be had. */
  readonly databaseMicrosPerRequest: number;
  /** CPU of the load generator itself per request. */
  readonly loadMicrosPerRequest: number;
  /** Share of the reads answered from a cache; NaN where there is none. */
  readonly hitRate: number;
  readonly writes: number;
  /** Reads that began after a write was acknowledged and did not show it. */
  readonly staleReads: number;
  /** Reads that would have shown it: those of tenants that were written before. */
  readonly freshnessChecks: number;
}

/** Stands in a write's bytes where the key goes; as long as the keys are. */
export const KEY_PLACEHOLDER = '#key-of-one-write-of-the-bench#';
