import { performance } from 'node:perf_hooks';
import { counted } from '../counted.ts';
import { tablesIn } from '../database/tables-read.ts';
import type { RequestTrace } from '../telemetry/request-trace.ts';
import type { StatementEvent } from '../tenancy/statement-event.ts';
import { queryKey } from './figures.ts';
import { StatementSums } from './statement-sums.ts';

const NONE: ReadonlySet<string> = new Set();

/** What became of a request in the response cache; the HTTP layer says it. */
export type CacheOutcome = 'hit' | 'miss' | 'bypass';

/**
 * Where the time of one GraphQL request went, what it cost, and which tables were read for it. It
 * goes by hand, in the request's context and tenant scope, to whoever sends statements: an
 * AsyncLocalStorage would do the same at the price of every promise on Node 20 and 22.
 */
export class RequestTiming {
  readonly startedAtMs: number;
  /** Whoever knows the operation's name, as soon as it is known: asked for slow statements only. */
  request: { readonly operationName?: string | null; readonly operation?: { readonly operation: string } } | null =
    null;
  cache: CacheOutcome | null = null;
  /** Set only when it is recorded. */
  trace: RequestTrace | null = null;
  statements = 0;
  /** By what they read or write. Made with the first statement: hits have none. */
  sent: Map<string, StatementSums> | undefined;
  #tables: Set<string> | undefined;
  /** Sum over the statements; those that ran at the same time count each. */
  databaseMs = 0;
  /** Of that, what read rows one by one to find or count some. */
  searchMs = 0;
  rows = 0;
  /** Points taken beside the operation's own: here, where all copies of a request's context add up. */
  charged = 0;
  /** Complexity points of its operation. */
  cost = 0;
  /** Whether its operation may read rows one by one, to find or to count some. */
  searches = false;
  /** Sums that its fields show, such as groups of accounts. */
  sums = 0;
  /** Whether the service asks by itself: no tenant's operation, and nobody pays. */
  isOwn = false;
  /** The tables that its statements named. */
  get tables(): ReadonlySet<string> {
    return this.#tables ?? NONE;
  }

  /**
   * @param startedAtMs as `performance.now()` told it when the request came in
   * @param requestId by which its lines are found in the logs; empty: of no request
   */
  constructor(
    startedAtMs = performance.now(),
    readonly requestId = '',
  ) {
    this.startedAtMs = startedAtMs;
  }

  /** What its lines in the log are found by: from the answer, and from its trace. */
  get ids(): { readonly requestId?: string; readonly traceId?: string } {
    const traceId = this.trace?.traceId;
    return { ...(this.requestId && { requestId: this.requestId }), ...(traceId && { traceId }) };
  }

  get operation(): string | null {
    return this.request?.operationName ?? null;
  }

  /** Whether it is known to be a query, which nobody misses when it stops. */
  get isQuery(): boolean {
    return this.request?.operation?.operation === 'query';
  }

  /** @param key of what the statement reads or writes, as of `queryKey` */
  addStatement(event: StatementEvent, key = queryKey(event)): void {
    const { sql, durationMs, rows, isSearch } = event;
    this.statements++;
    this.databaseMs += durationMs;
    if (isSearch) this.searchMs += durationMs;
    this.rows += rows;
    this.sent ??= new Map();
    const sums = this.sent.get(key);
    if (sums) sums.record(durationMs, sql);
    else this.sent.set(key, new StatementSums().record(durationMs, sql));
    this.#tables ??= new Set();
    for (const table of tablesIn(sql)) this.#tables.add(table);
  }

  elapsedMs(): number {
    return performance.now() - this.startedAtMs;
  }
}

/** Whether the service asks by itself, as of `RequestTiming.isOwn`. @param request as tenant scopes carry it */
export function isOwn(request: object | undefined): boolean {
  return request instanceof RequestTiming && request.isOwn;
}

/**
 * A `Server-Timing` header (W3C), for example `total;dur=12.3, db;dur=4.5;desc="3 statements",
 * cache;desc=miss`. Without statements there is no `db`: short, as it is written for every hit of
 * the cache.
 */
export function serverTiming(timing: RequestTiming): string {
  const { databaseMs, statements, cache } = timing;
  let times = `total;dur=${textOfTenths(timing.elapsedMs())}`;
  if (statements > 0) times += `, db;dur=${textOfTenths(databaseMs)};desc="${counted(statements, 'statement')}"`;
  return cache ? `${times}, cache;desc=${cache}` : times;
}

/**
 * By whole numbers, whose texts V8 remembers; toFixed makes each anew, for every hit of the cache.
 */
function textOfTenths(ms: number): string {
  const tenths = Math.round(ms * 10);
  return `${Math.trunc(tenths / 10)}.${tenths % 10}`;
}

/** As log lines have milliseconds. */
export function inTenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
