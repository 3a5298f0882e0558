import { HeaderMap } from '@apollo/server';
import { GraphQLError, type GraphQLErrorExtensions } from 'graphql';

/**
 * Every code that a client can meet in `extensions.code`, beside those of Apollo Server's own
 * parsing and validation.
 */
export const ErrorCode = {
  Unauthenticated: 'UNAUTHENTICATED',
  Forbidden: 'FORBIDDEN',
  BadRequest: 'BAD_REQUEST',
  PersistedQueryNotFound: 'PERSISTED_QUERY_NOT_FOUND',
  BadUserInput: 'BAD_USER_INPUT',
  TooComplex: 'QUERY_TOO_COMPLEX',
  TooDeep: 'QUERY_TOO_DEEP',
  RateLimited: 'RATE_LIMITED',
  TooManySubscriptions: 'TOO_MANY_SUBSCRIPTIONS',
  Timeout: 'TIMEOUT',
  Unavailable: 'SERVICE_UNAVAILABLE',
  Internal: 'INTERNAL_SERVER_ERROR',
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** What waits at that moment has ended, or was refused, by then. */
const BUSY_RETRY_SECONDS = 1;

/** What the audit log has for an error that an operator must fix. */
export type OperatorErrorCode = typeof ErrorCode.BadUserInput | 'FAILED_PRECONDITION' | typeof ErrorCode.Unavailable;

/**
 * A setting, an argument or a file that a person gave and must fix: message and remedy, no stack.
 */
export class OperatorError extends Error {
  readonly code: OperatorErrorCode = ErrorCode.BadUserInput;
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OperatorError';
    this.remedy = remedy;
  }
}

/**
 * What was asked for is right, but not in the state of the database or of the machine, which a
 * person must change first.
 */
export class StateError extends OperatorError {
  override readonly code = 'FAILED_PRECONDITION';
}

/** Something is out of reach, or another session works on it: the same may be done later. */
export class UnavailableError extends OperatorError {
  override readonly code = ErrorCode.Unavailable;
}

/**
 * No token, or one that does not hold. One wording for every cause, so that nothing is told about
 * what exists. @param cause for the log and the records
 */
export function unauthenticated(cause?: unknown): GraphQLError {
  return clientError(
    ErrorCode.Unauthenticated,
    'A valid bearer token is needed: send "Authorization: Bearer <token>".',
    {
      http: httpHead(401, ['www-authenticate', 'Bearer']),
    },
    cause,
  );
}

/** The caller is known but may not do this. `needed` names the roles that may. */
export function forbidden(needed: readonly string[]): GraphQLError {
  return clientError(ErrorCode.Forbidden, `This needs the role ${needed.join(' or ')}.`);
}

/** An HTTP request that is no GraphQL request. `status` is one of 4xx. */
export function badRequest(message: string, status = 400, ...headers: [string, string][]): GraphQLError {
  return clientError(ErrorCode.BadRequest, message, { http: httpHead(status, ...headers) });
}

/**
 * An operation that is refused before any of it is executed.
 * @param numbers for programs, such as the limit and what came
 */
export function operationRefused(
  code: ErrorCode,
  message: string,
  numbers: Readonly<Record<string, number>> = {},
): GraphQLError {
  return clientError(code, message, { ...numbers, http: { status: 400 } });
}

/**
 * Clients of Apollo's protocol look for this code and message, and send the text with the hash
 * then.
 */
export function persistedQueryNotFound(): GraphQLError {
  return clientError(ErrorCode.PersistedQueryNotFound, 'PersistedQueryNotFound', { http: httpHead(200) });
}

/**
 * An argument or input field that does not hold.
 * @param argument its path as the client wrote it, for example `filter.minBalance`
 * @param expected what would have been right, for example `a whole number between 1 and 100`
 * @param got what came
 */
export function badUserInput(argument: string, expected: string, got: unknown): GraphQLError {
  return clientError(ErrorCode.BadUserInput, `${argument} must be ${expected}, but got: ${shown(got)}.`, { argument });
}

/** The database did not answer within the statement timeout. */
export function timedOut(cause: unknown): GraphQLError {
  const message = 'The answer took too long and was stopped; ask for less, or again later.';
  return clientError(ErrorCode.Timeout, message, {}, cause);
}

/** Counting took longer than it may. @param field as the client selects it */
export function countTimedOut(field: string, limitMs: number, cause: unknown): GraphQLError {
  const message = `Counting for ${field} took longer than ${limitMs} ms and was stopped; narrow the filter, or leave ${field} out.`;
  return clientError(ErrorCode.Timeout, message, { field, limitMs }, cause);
}

/**
 * Searching for a page took longer than it may.
 * @param list the field as the schema names it
 * @param remedy what to do instead
 */
export function searchTimedOut(list: string, remedy: string, limitMs: number, cause: unknown): GraphQLError {
  const message = `Searching for a page of ${list} took longer than ${limitMs} ms and was stopped; ${remedy}.`;
  return clientError(ErrorCode.Timeout, message, { field: list, limitMs }, cause);
}

/** The database cannot be reached. */
export function unavailable(cause: unknown): GraphQLError {
  return clientError(
    ErrorCode.Unavailable,
    'The service cannot reach its database at the moment; try again shortly.',
    {
      http: httpHead(503, ['retry-after', '1']),
    },
    cause,
  );
}

/** The database is there, but others keep it busy. `why` names the limit. */
export function busy(why: string, cause: unknown): GraphQLError {
  const message = `The service is busy: ${why}; try again in ${BUSY_RETRY_SECONDS} s.`;
  const http = httpHead(503, ['retry-after', String(BUSY_RETRY_SECONDS)]);
  return clientError(ErrorCode.Unavailable, message, { http }, cause);
}

/**
 * A caller's share of this minute is spent. `what` begins the sentence, for example "Too many
 * refreshes".
 * @param told for programs: whose it is, the limit and what is left
 */
export function rateLimited(
  what: string,
  resetAtMs: number,
  told: Readonly<Record<string, number | string>>,
): GraphQLError {
  const seconds = Math.max(1, Math.ceil((resetAtMs - Date.now()) / 1000));
  return clientError(ErrorCode.RateLimited, `${what}; try again in ${seconds} s.`, {
    ...told,
    resetAt: new Date(resetAtMs).toISOString(),
    http: httpHead(429, ['retry-after', String(seconds)]),
  });
}

/** The status and a header that Apollo Server gives the HTTP response of an error. */
export function httpHead(status: number, ...headers: [string, string][]): GraphQLErrorExtensions['http'] {
  // Apollo Server iterates a Map here; a package of the GraphQL tools declares a record for the
  // same extension.
  return { status, headers: new HeaderMap(headers) as unknown as Record<string, string> };
}

/** An error made to be read by a client: its message and code are sent as they are. */
export function clientError(
  code: ErrorCode,
  message: string,
  extensions: GraphQLErrorExtensions = {},
  cause?: unknown,
): GraphQLError {
  const originalError = cause instanceof Error ? cause : undefined;
  return new GraphQLError(message, { extensions: { code, ...extensions }, ...(originalError && { originalError }) });
}

/** A value as an error message shows it: quoted, and cut after 80 characters. */
function shown(value: unknown): string {
  const text = typeof value === 'string' || Array.isArray(value) ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${beginningOf(text, 80)}…` : text;
}

/** The first characters of a text, without half of one. */
export function beginningOf(text: string, characters: number): string {
  return text.slice(0, characters).replace(/[\uD800-\uDBFF]$/, '');
}
