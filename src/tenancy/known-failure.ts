import type { GraphQLError } from 'graphql';
import { QUERY_CANCELED, READ_ONLY } from '../database/sql-state.ts';
import { isUnreachable, TOO_MANY_CONNECTIONS } from '../database/unreachable.ts';
import { busy, timedOut, unavailable } from '../errors.ts';
import { TurnRefused } from './fair-queue.ts';

/**
 * What a client is told of a database that is busy, slow or gone; undefined for everything else.
 */
export function knownFailure(thrown: unknown): GraphQLError | undefined {
  const causes = [...causesOf(thrown)];
  const refused = causes.find((cause) => cause instanceof TurnRefused);
  if (refused) return busy(wordsOf(refused), thrown);
  const codes = causes.map(codeOf);
  if (codes.includes(QUERY_CANCELED)) return timedOut(thrown);
  if (codes.includes(TOO_MANY_CONNECTIONS)) return busy('the database takes no more connections', thrown);
  if (codes.includes(READ_ONLY)) return unavailable(thrown); // the primary is elsewhere
  if (causes.some((cause) => isUnreachable({ code: codeOf(cause), message: cause.message })))
    return unavailable(thrown);
  return undefined;
}

function wordsOf({ reason, limit }: TurnRefused): string {
  return reason === 'length'
    ? `${limit} wait for the database already, and no more may`
    : `the database did not come to this within ${limit} ms, and nothing waits longer`;
}

interface Cause {
  readonly code?: string;
  readonly originalCode?: string;
  readonly message?: string;
}

function codeOf({ code, originalCode }: Cause): string | undefined {
  return originalCode ?? code;
}

/** The error and what caused it, as drivers and Prisma wrap it. */
function* causesOf(thrown: unknown): Generator<Cause> {
  for (let error = thrown, depth = 0; typeof error === 'object' && error !== null && depth < 5; depth++) {
    yield error;
    const { cause, meta } = error as { cause?: unknown; meta?: { driverAdapterError?: unknown } };
    error = cause ?? meta?.driverAdapterError;
  }
}
