import type { Logger } from 'pino';
import type { Caller } from '../auth/caller.ts';
import { type Answer, describeAnswer } from '../cache/response/answer.ts';
import type { AccessLogConfig } from '../config/config.ts';
import { inTenths, type RequestTiming } from '../monitoring/request-timing.ts';
import { shortCopy } from '../monitoring/short-copy.ts';

const MAX_NAME_LENGTH = 100;
const NOT_MODIFIED = 304;
/** Lines of refusals in a second: a flood of strangers is told in numbers. */
const MAX_REFUSALS = 50;

/** A request whose answer is sent. */
interface Answered {
  readonly method: string;
  readonly status: number;
  readonly caller: Caller | null;
  /** The operation's name; absent where it has none, or was not read. */
  readonly operation: string | null | undefined;
  readonly timing: RequestTiming;
  readonly answer: Answer;
}

/** A subscription, when it begins and when it is over. */
export interface LoggedSubscription {
  readonly requestId: string;
  readonly transport: string;
  readonly operation: string | null;
  readonly tenant: string;
  readonly role: string;
  /** Absent at its begin. */
  readonly ended?: string;
  readonly events?: number;
  readonly durationMs?: number;
}

/** One that was refused ahead of GraphQL. */
export interface RefusedRequest {
  readonly requestId: string;
  /** Absent: what came is no HTTP request. */
  readonly method?: string | undefined;
  readonly status: number;
  readonly code: string;
}

/**
 * One line for each request at `info`: all that were computed or refused, and of those from the
 * cache one in many. No line has a variable, a token or a query string.
 */
export class AccessLog {
  readonly #isOn: boolean;
  readonly #hitsPerLine: number;
  #hitsUntilLine: number;
  /** Of the last refusal, and how many there were in it. */
  #second = 0;
  #refusals = 0;
  #untold = 0;

  constructor(
    private readonly log: Pick<Logger, 'info' | 'isLevelEnabled'>,
    { enabled, hitsPerLine }: AccessLogConfig,
  ) {
    this.#isOn = enabled && log.isLevelEnabled('info');
    this.#hitsPerLine = this.#isOn ? hitsPerLine : 0;
    this.#hitsUntilLine = this.#hitsPerLine;
  }

  /** Whether the answer from the cache that is sent now is one of those that get a line. */
  samplesHit(): boolean {
    if (this.#hitsPerLine === 0 || --this.#hitsUntilLine > 0) return false;
    this.#hitsUntilLine = this.#hitsPerLine;
    return true;
  }

  answered({ method, status, caller, operation, timing, answer }: Answered): void {
    if (!this.#isOn) return;
    const { ids, statements, databaseMs } = timing;
    this.log.info(
      {
        ...{ ...ids, method, path: '/graphql', status, ...outcomeOf(answer) },
        ...(status !== NOT_MODIFIED && { bytes: bytesOf(answer) }),
        operation: operation ? shortCopy(operation, MAX_NAME_LENGTH) : undefined,
        tenant: caller?.tenant?.slug,
        role: caller?.role,
        durationMs: inTenths(timing.elapsedMs()),
        ...(statements > 0 && { statements, databaseMs: inTenths(databaseMs) }),
      },
      'request',
    );
  }

  subscription({ operation, ...subscription }: LoggedSubscription): void {
    if (!this.#isOn) return;
    const name = operation === null ? undefined : shortCopy(operation, MAX_NAME_LENGTH);
    this.log.info({ path: '/graphql', operation: name, ...subscription }, 'subscription');
  }

  /** Beyond fifty in a second they have no line of their own: `untold` in the next one counts them. */
  refused(request: RefusedRequest): void {
    if (!this.#isOn) return;
    const second = Math.trunc(Date.now() / 1000);
    if (second !== this.#second) [this.#second, this.#refusals] = [second, 0];
    if (++this.#refusals > MAX_REFUSALS) {
      this.#untold++;
      return;
    }
    this.log.info({ ...request, ...(this.#untold > 0 && { untold: this.#untold }) }, 'request');
    this.#untold = 0;
  }
}

function outcomeOf(answer: Answer) {
  const { outcome, tier, reason } = describeAnswer(answer);
  const code = 'loaded' in answer ? answer.loaded.errorCode : undefined;
  return { code, cache: outcome, why: tier ?? reason };
}

/** Before it is compressed. */
function bytesOf(answer: Answer): number {
  return ('entry' in answer ? answer.entry : answer.loaded).body.length;
}
