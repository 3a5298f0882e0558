import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { isUnreachable, TOO_MANY_CONNECTIONS } from '../database/unreachable.ts';
import { OperatorError, UnavailableError } from '../errors.ts';

const PAUSE_MS = 250;
/** A line that says what is waited for. */
const TELL_MS = 5_000;

export interface DatabaseWait {
  /** 0: it is not waited for. */
  readonly timeoutMs: number;
  /** Told at once, and every few seconds while it lasts. */
  readonly say: (line: string) => void;
}

/**
 * Works with a database that may come later than the service.
 * @throws OperatorError of the last attempt when the time is over, or of the first that no waiting
 *   helps
 */
export async function whenDatabaseIsThere<Result>(
  work: () => Promise<Result>,
  { timeoutMs, say }: DatabaseWait,
): Promise<Result> {
  const startedMs = performance.now();
  let toldMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (timeoutMs === 0 || !isPassing(error)) throw error;
      const nowMs = performance.now();
      if (nowMs - startedMs >= timeoutMs) throw waitedFor(error as OperatorError, timeoutMs);
      if (nowMs - toldMs >= TELL_MS) {
        toldMs = nowMs;
        const leftSeconds = Math.ceil((startedMs + timeoutMs - nowMs) / 1000);
        say(`waiting for PostgreSQL, ${leftSeconds} s more (STARTUP_TIMEOUT_MS): ${(error as Error).message}`);
      }
    }
    await delay(PAUSE_MS);
  }
}

/** Whether an error says that the database is not there, which may change by itself. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof OperatorError)) return false;
  // A name with several addresses fails with one error for each.
  const causes = error.cause instanceof AggregateError ? error.cause.errors : [error.cause];
  return causes.some(
    (cause: { code?: string; message?: string } = {}) => cause.code === TOO_MANY_CONNECTIONS || isUnreachable(cause),
  );
}

function waitedFor({ message, remedy, cause }: OperatorError, timeoutMs: number): OperatorError {
  const waited = `${message} It was waited for ${timeoutMs / 1000} s (STARTUP_TIMEOUT_MS).`;
  return new UnavailableError(waited, remedy, { cause });
}
