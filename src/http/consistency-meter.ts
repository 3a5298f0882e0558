import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { parse, visit } from 'graphql';
import type { Caller, CallerTenant } from '../auth/caller.ts';
import type { LoadedAnswer } from '../cache/response/answer.ts';
import type { EntryState } from '../cache/response/response-cache.ts';
import type { ResponseEntry } from '../cache/store/entry.ts';
import type { GraphqlRequest } from '../graphql/graphql-request.ts';
import type { ConsistencyResult } from '../monitoring/cache-statistics.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';

/** After a check it rests so many times as long: checks take a tenth of the time at most. */
const RESTS = 9;
/** The field that tells when an answer was computed: one computed again differs in it. */
const OF_THE_MOMENT = 'generatedAt';
/** Enough of a hash to find the same key again. */
const SHOWN_HASH = 16;

/** An answer that was sent from the cache. */
export interface SentHit {
  readonly caller: Caller & { readonly tenant: CallerTenant };
  readonly key: string;
  readonly entry: ResponseEntry;
  /** Reads the request again. */
  readonly read: () => GraphqlRequest;
}

export interface ConsistencyMeterOptions {
  /** One of so many hits is checked; 0: none. */
  readonly every: number;
  /** Whether others wait: then nothing is checked. */
  readonly isBusy: () => boolean;
  /** Computes the answer past the cache, at nobody's cost, until it is aborted. */
  readonly recompute: (hit: SentHit, asked: GraphqlRequest, stopping: AbortSignal) => Promise<LoadedAnswer>;
  /** Of `ResponseCache.stateOf`. */
  readonly stateOf: (scope: TenantScope, entry: ResponseEntry, afterWrites: boolean) => Promise<EntryState>;
  readonly record: (result: ConsistencyResult) => void;
  readonly log: { error(details: object, message: string): void };
  readonly timeoutMs: number;
}

/**
 * Computes a share of the hits once more, after they were sent, and compares. Versions never come
 * again: where those of the entry hold in the end, nothing was written meanwhile, and an answer
 * that differs is one that must not have been served. One at a time, and none while others wait.
 */
export class ConsistencyMeter {
  /** Hits until the next check; never 0 again where there are none. */
  #left: number;
  #restsUntilMs = 0;
  #running: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  constructor(private readonly options: ConsistencyMeterOptions) {
    this.#left = this.#distance();
  }

  /** Asked once for each hit: nothing else of this is on its way. */
  isDue(): boolean {
    if (--this.#left !== 0) return false;
    this.#left = this.#distance();
    return true;
  }

  /** Checks a hit, once it is sent. Never throws. */
  check(hit: SentHit): void {
    if (this.#running || this.#stopping.signal.aborted || performance.now() < this.#restsUntilMs) return;
    // Answers are written at the end of a turn of the event loop: the check begins in the next one.
    this.#running = nextTurn()
      .then(() => this.#check(hit))
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** No check begins any more. Resolves when the one under way, which is broken off, has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** So that no rhythm of the clients' hides something; as many as asked for on average. */
  #distance(): number {
    const { every } = this.options;
    return every === 0 ? 0 : 1 + Math.floor(Math.random() * (2 * every - 1));
  }

  async #check(hit: SentHit): Promise<void> {
    const beganMs = performance.now();
    const result = await this.#judge(hit).catch(() => 'failed' as const);
    // What is broken off says nothing.
    if (this.#stopping.signal.aborted) return;
    this.options.record(result);
    if (result === 'differs') this.#tell(hit);
    const endedMs = performance.now();
    this.#restsUntilMs = endedMs + RESTS * (endedMs - beganMs);
  }

  async #judge(hit: SentHit): Promise<ConsistencyResult> {
    const { isBusy, recompute, stateOf, timeoutMs } = this.options;
    if (isBusy()) return 'skipped';
    const { caller, entry } = hit;
    const asked = hit.read();
    const stopping = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(timeoutMs)]);
    const { body, errorCode, policy } = await recompute(hit, asked, stopping);
    if (errorCode !== undefined) return 'failed';
    if (!policy) return 'momentary';
    const isEqual = body.equals(entry.body) || isEqualButForTime(asked.query, body, entry.body);
    if (isEqual === undefined) return 'momentary';
    // What was written past the API, and read here, may not be in the versions yet.
    const state = await stateOf(caller.tenant.scope, entry, !isEqual);
    if (state !== 'current') return state === 'expired' ? 'momentary' : 'changed';
    return isEqual ? 'equal' : 'differs';
  }

  /** Neither what was asked for nor what was answered. */
  #tell({ key, caller, entry: { versions, operationName, createdAtMs } }: SentHit): void {
    const { epoch, ...namespaces } = versions;
    this.options.log.error(
      {
        operation: operationName,
        tenantId: caller.tenant.scope.tenantId,
        namespaces: Object.keys(namespaces),
        keyHash: createHash('sha256').update(key).digest('hex').slice(0, SHOWN_HASH),
        versions,
        ageMs: Date.now() - createdAtMs,
      },
      'an answer from the cache is not what PostgreSQL says under the same versions',
    );
  }
}

async function nextTurn(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/**
 * By the names that the document gives the time, since aliases may be any. Undefined where another
 * field has one of these names, too: what differs there would go by unseen.
 */
function isEqualButForTime(document: string | undefined, one: Buffer, other: Buffer): boolean | undefined {
  const names = new Set<string>();
  const others = new Set<string>();
  visit(parse(document ?? ''), {
    Field({ name, alias }) {
      (name.value === OF_THE_MOMENT ? names : others).add((alias ?? name).value);
    },
  });
  if (names.size === 0) return false;
  if ([...names].some((name) => others.has(name))) return undefined;
  // A quotation mark within a value has a backslash before it.
  const times = new RegExp(`"(${[...names].join('|')})":"[^"]*"`, 'g');
  const [first, second] = [one, other].map((body) => body.toString().replaceAll(times, '"$1":""'));
  return first === second;
}
