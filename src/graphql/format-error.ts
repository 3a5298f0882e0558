import { ApolloServerErrorCode, unwrapResolverError } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { ErrorCode, timedOut, unavailable } from '../errors.ts';
import { RequestAbandoned } from '../tenancy/running-statements.ts';

export interface ErrorLog {
  error(details: object, message: string): void;
}

/** What Apollo Server itself says to clients: about their documents and requests, never about the inside. */
const CLIENT_CODES: ReadonlySet<unknown> = new Set(
  [...Object.values(ErrorCode), ...Object.values(ApolloServerErrorCode)].filter((code) => code !== ErrorCode.Internal),
);

/** SQLSTATE of a statement that PostgreSQL stopped: here only ever for its time. */
const QUERY_CANCELED = '57014';

/** Of connections that are refused or lost, and of a server that starts, stops or takes no more of them. */
const UNREACHABLE = /^(08...|53300|57P0[1-3]|ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EPIPE|P1001|P1017|P2024)$/;

/**
 * The error as a client sees it. Errors that were made for clients pass; whatever else was thrown is logged and
 * becomes one of three sentences, so that nothing internal leaks.
 */
export function formatError(formatted: GraphQLFormattedError, error: unknown, log: ErrorLog): GraphQLFormattedError {
  const thrown = unwrapResolverError(error);
  if (thrown instanceof GraphQLError) {
    if (CLIENT_CODES.has(formatted.extensions?.code)) return withoutInternals(formatted);
    if (isRefusal(thrown)) return { message: thrown.message, extensions: { code: ApolloServerErrorCode.BAD_REQUEST } };
  }
  const known = knownFailure(thrown);
  // Of a client that went away nobody reads the answer, and nothing is wrong.
  if (!(thrown instanceof RequestAbandoned))
    log.error({ err: thrown, path: formatted.path }, known ? known.message : 'internal error');
  return {
    message: known?.message ?? 'Something went wrong on our side; it was logged.',
    extensions: { code: known?.extensions.code ?? ErrorCode.Internal },
    ...(formatted.locations && { locations: formatted.locations }),
    ...(formatted.path && { path: formatted.path }),
  };
}

/** Apollo Server gives some of what it refuses, such as a persisted query with another's hash, a status and no code. */
function isRefusal({ extensions }: GraphQLError): boolean {
  const status = (extensions.http as { status?: number } | undefined)?.status ?? 500;
  return extensions.code === undefined && status >= 400 && status < 500;
}

function knownFailure(thrown: unknown): GraphQLError | undefined {
  const codes = [...causesOf(thrown)].map(({ code, originalCode, message }) => originalCode ?? code ?? message);
  if (codes.includes(QUERY_CANCELED)) return timedOut(thrown);
  if (
    codes.some(
      (code) =>
        UNREACHABLE.test(String(code)) || /terminated|timeout exceeded when trying to connect/.test(String(code)),
    )
  )
    return unavailable(thrown);
  return undefined;
}

/** The error and what caused it, as drivers and Prisma wrap it. */
function* causesOf(thrown: unknown): Generator<{ code?: string; originalCode?: string; message?: string }> {
  for (let error = thrown, depth = 0; typeof error === 'object' && error !== null && depth < 5; depth++) {
    yield error;
    error = (error as { cause?: unknown }).cause;
  }
}

function withoutInternals({ extensions, ...formatted }: GraphQLFormattedError): GraphQLFormattedError {
  const { stacktrace: _, refusedAs, ...rest } = extensions ?? {};
  return { ...formatted, extensions: refusedAs === undefined ? rest : { ...rest, code: refusedAs } };
}
