import { unwrapResolverError } from '@apollo/server/errors';
import { type ExecutionResult, GraphQLError, OperationTypeNode } from 'graphql';
import { ErrorCode } from '../errors.ts';
import { knownFailure } from '../tenancy/known-failure.ts';

/**
 * The answer to an operation of which a field could not be worked on, since the database is busy or
 * gone: a refusal of all of it, with the status 503, as if nothing had been begun. A client that is
 * to come again has no use for a part, and must not take it for the whole. A mutation keeps what it
 * has done.
 */
export function refusedWhole(result: ExecutionResult, operation: OperationTypeNode | undefined): ExecutionResult {
  const refusals = result.errors?.map(asRefusal);
  const first = refusals?.find((refusal) => refusal !== undefined);
  if (!result.errors || !refusals || !first) return result;
  if (operation !== OperationTypeNode.MUTATION) return { errors: [first], data: null };
  return { ...result, errors: result.errors.map((error, index) => refusals[index] ?? error) };
}

/** Whether an error refuses the whole query that it is of: the others need not be made then. */
export function isRefusal(error: GraphQLError): boolean {
  return failureOf(error) !== undefined;
}

function failureOf(error: GraphQLError): GraphQLError | undefined {
  const thrown = unwrapResolverError(error);
  // The compiler's own errors have no extensions, whatever their type says.
  const isWorded = thrown instanceof GraphQLError && thrown.extensions?.code !== undefined;
  const failure = isWorded ? thrown : knownFailure(thrown);
  return failure?.extensions.code === ErrorCode.Unavailable ? failure : undefined;
}

/** With the status for the whole response, which Apollo Server takes from the errors. */
function asRefusal(error: GraphQLError): GraphQLError | undefined {
  const failure = failureOf(error);
  if (!failure) return undefined;
  const { path, nodes, originalError } = error;
  const { message, extensions } = failure;
  const refusal = new GraphQLError(message, {
    extensions,
    ...(path && { path }),
    ...(nodes && { nodes }),
    ...(originalError && { originalError }),
  });
  if (!nodes && error.locations)
    Object.defineProperty(refusal, 'locations', { value: error.locations, enumerable: true });
  return refusal;
}
