import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { namingRequest } from '../graphql/format-error.ts';

/** An error as a subscriber is told it. */
export function toldError(
  { message, path, extensions: { http: _, ...extensions } }: GraphQLError,
  requestId: string,
): GraphQLFormattedError {
  return namingRequest({ message, ...(path && { path }), extensions }, requestId);
}
