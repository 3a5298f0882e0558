import { ApolloServerErrorCode, unwrapResolverError } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { beginningOf, ErrorCode } from '../errors.ts';
import { TurnRefused } from '../tenancy/fair-queue.ts';
import { knownFailure } from '../tenancy/known-failure.ts';
import { RequestAbandoned } from '../tenancy/running-statements.ts';
import { TOO_NESTED } from './nesting-rule.ts';

export interface ErrorLog {
  error(details: object, message: string): void;
}

/**
 * What Apollo Server itself says to clients: about their documents and requests, never about the
 * inside.
 */
const CLIENT_CODES: ReadonlySet<unknown> = new Set(
  [...Object.values(ErrorCode), ...Object.values(ApolloServerErrorCode)].filter((code) => code !== ErrorCode.Internal),
);

/** As Apollo Server says it, with a remedy that no client has. */
const NO_INTROSPECTION = 'GraphQL introspection is not allowed by Apollo Server';
const NO_SCHEMA = 'This service does not show its schema; its operator has it as schema.graphql.';

/** In characters. What is wrong stands at the end, and of which variable at the beginning. */
const MAX_MESSAGE_LENGTH = 1_000;

/**
 * The error as a client sees it. Errors that were made for clients pass; whatever else was thrown
 * is logged and becomes one of few sentences, so that nothing internal leaks.
 */
export function formatError(formatted: GraphQLFormattedError, error: unknown, log: ErrorLog): GraphQLFormattedError {
  const thrown = unwrapResolverError(error);
  if (thrown instanceof GraphQLError) {
    if (isOverflow(thrown))
      return { message: TOO_NESTED, extensions: { code: ApolloServerErrorCode.GRAPHQL_PARSE_FAILED } };
    if (thrown.message.startsWith(NO_INTROSPECTION)) return { ...withoutInternals(formatted), message: NO_SCHEMA };
    if (CLIENT_CODES.has(formatted.extensions?.code)) return shortened(withoutInternals(formatted));
    if (isRefusal(thrown)) return { message: thrown.message, extensions: { code: ApolloServerErrorCode.BAD_REQUEST } };
    if (thrown === error && isAboutRequest(thrown))
      return shortened({ message: thrown.message, extensions: { code: ErrorCode.BadUserInput } });
  }
  const known = knownFailure(thrown);
  // Of a client that went away nobody reads the answer, and nothing is wrong. Who was refused for
  // others' sake is counted.
  if (!(thrown instanceof RequestAbandoned || thrown instanceof TurnRefused))
    log.error({ err: thrown, path: formatted.path }, known ? known.message : 'internal error');
  return {
    message: known?.message ?? 'Something went wrong on our side; it was logged.',
    extensions: { code: known?.extensions.code ?? ErrorCode.Internal },
    ...(formatted.locations && { locations: formatted.locations }),
    ...(formatted.path && { path: formatted.path }),
  };
}

/**
 * As graphql-js ends its messages. What a client sent is quoted before that, and may say the same.
 */
const SUGGESTION = / Did you mean [\w", {}.]+\?$/;

/** The error without the names of the schema that are close to one that was given. */
export function withoutSuggestion(formatted: GraphQLFormattedError): GraphQLFormattedError {
  return { ...formatted, message: formatted.message.replace(SUGGESTION, '') };
}

/** The code that a client is told for what a resolver threw. */
export function errorCodeOf(thrown: unknown): string {
  const code = thrown instanceof GraphQLError ? thrown.extensions.code : undefined;
  if (typeof code === 'string' && CLIENT_CODES.has(code)) return code;
  return String(knownFailure(thrown)?.extensions.code ?? ErrorCode.Internal);
}

/**
 * graphql-js parses by recursion, and Apollo Server takes whatever is thrown there for an error of
 * syntax.
 */
function isOverflow({ extensions, originalError }: GraphQLError): boolean {
  const isOfParser = extensions.code === ApolloServerErrorCode.GRAPHQL_PARSE_FAILED;
  return isOfParser && originalError instanceof GraphQLError && originalError.originalError instanceof RangeError;
}

/**
 * Apollo Server gives some of what it refuses, such as a persisted query with another's hash, a
 * status and no code.
 */
function isRefusal({ extensions }: GraphQLError): boolean {
  const status = (extensions.http as { status?: number } | undefined)?.status ?? 500;
  return extensions.code === undefined && status >= 400 && status < 500;
}

/**
 * graphql-js itself finds fault with the variables: whatever a resolver throws stands at a path,
 * and all else has an error of its own within. Apollo Server knows these by their words, but not
 * that there are too many.
 */
function isAboutRequest({ path, originalError, extensions }: GraphQLError): boolean {
  return path === undefined && originalError === undefined && extensions.code === undefined;
}

/** graphql-js shows all of a value in each error about a part of it: fifty times a megabyte. */
function shortened(formatted: GraphQLFormattedError): GraphQLFormattedError {
  const { message } = formatted;
  if (message.length <= MAX_MESSAGE_LENGTH) return formatted;
  const start = beginningOf(message, MAX_MESSAGE_LENGTH / 2);
  const end = message.slice(-MAX_MESSAGE_LENGTH / 2).replace(/^[\uDC00-\uDFFF]/, '');
  return { ...formatted, message: `${start} … ${end}` };
}

function withoutInternals({ extensions, ...formatted }: GraphQLFormattedError): GraphQLFormattedError {
  const { stacktrace: _, refusedAs, ...rest } = extensions ?? {};
  return { ...formatted, extensions: refusedAs === undefined ? rest : { ...rest, code: refusedAs } };
}

/** The error, by whose `extensions.requestId` its request is found. */
export function namingRequest(error: GraphQLFormattedError, requestId: string): GraphQLFormattedError {
  return { ...error, extensions: { ...error.extensions, requestId } };
}
