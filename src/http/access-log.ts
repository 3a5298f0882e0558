import type { Logger } from 'pino';
import type { Caller } from '../auth/caller.ts';
import type { Answer } from '../cache/response/answer.ts';
import type { AccessLogConfig } from '../config/config.ts';
import type { RequestTiming } from '../monitoring/request-timing.ts';
import { shortCopy } from '../monitoring/short-copy.ts';

const MAX_NAME_LENGTH = 100;

/** A request whose answer is sent. */
interface Answered {
  readonly method: string;
  readonly caller: Caller | null;
  /** The operation's name; absent where it has none, or was not read. */
  readonly operation: string | null | undefined;
  readonly timing: RequestTiming;
  readonly answer: Answer;
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

  answered({ method, caller, operation, timing, answer }: Answered): void {
    if (!this.#isOn) return;
    const { ids, statements, databaseMs } = timing;
    this.log.info(
      {
        ...{ ...ids, method, path: '/graphql', ...outcomeOf(answer) },
        operation: operation ? shortCopy(operation, MAX_NAME_LENGTH) : undefined,
        tenant: caller?.tenant?.slug,
        role: caller?.role,
        durationMs: inTenths(timing.elapsedMs()),
        ...(statements > 0 && { statements, databaseMs: inTenths(databaseMs) }),
      },
      'request',
    );
  }

  refused(request: RefusedRequest): void {
    if (this.#isOn) this.log.info(request, 'request');
  }
}

function outcomeOf(answer: Answer) {
  const { outcome: cache } = answer;
  const { status, errorCode, body } =
    'entry' in answer ? { ...answer.entry, status: 200, errorCode: undefined } : answer.loaded;
  const why = answer.outcome === 'hit' ? answer.tier : answer.outcome === 'miss' ? answer.miss.reason : answer.reason;
  return { status, code: errorCode, cache, why, bytes: body.length };
}

function inTenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
