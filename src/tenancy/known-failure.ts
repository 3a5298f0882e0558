import type { GraphQLError } from 'graphql';
import { busy, timedOut, unavailable } from '../errors.ts';
import { TurnRefused } from './fair-queue.ts';
import { QUERY_CANCELED } from './sql-state.ts';

/** SQLSTATE of a connection that is one more than PostgreSQL takes. */
const TOO_MANY_CONNECTIONS = '53300';

/** Of connections that are refused or lost, and of a server that starts or stops. */
const UNREACHABLE =
  /^(08...|57P0[1-3]|ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EPIPE|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|P1001|P1017|P2024)$/;
/** The driver's words for those without a code. */
const UNREACHABLE_WORDS = /terminated|timeout exceeded when trying to connect|timeout expired/;

/** What a client is told of a database that is busy, slow or gone; undefined for everything else. */
export function knownFailure(thrown: unknown): GraphQLError | undefined {
  const causes = [...causesOf(thrown)];
  const refused = causes.find((cause) => cause instanceof TurnRefused);
  if (refused) return busy(wordsOf(refused), thrown);
  const codes = causes.map(({ code, originalCode, message }) => String(originalCode ?? code ?? message));
  if (codes.includes(QUERY_CANCELED)) return timedOut(thrown);
  if (codes.includes(TOO_MANY_CONNECTIONS)) return busy('the database takes no more connections', thrown);
  if (codes.some((code) => UNREACHABLE.test(code) || UNREACHABLE_WORDS.test(code))) return unavailable(thrown);
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

/** The error and what caused it, as drivers and Prisma wrap it. */
function* causesOf(thrown: unknown): Generator<Cause> {
  for (let error = thrown, depth = 0; typeof error === 'object' && error !== null && depth < 5; depth++) {
    yield error;
    const { cause, meta } = error as { cause?: unknown; meta?: { driverAdapterError?: unknown } };
    error = cause ?? meta?.driverAdapterError;
  }
}
